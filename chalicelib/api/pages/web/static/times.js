// Times in the time zone of the person whose data is shown.

import { text } from "./texts.js";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

/** Whether the browser knows a time zone. @param {unknown} zone */
export function isZone(zone) {
  try {
    return Boolean(zone && typeof zone === "string" && new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The time zone of the browser. */
export function browserZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** The time of day, `14:05`. @param {number} ms @param {string} zone */
export function clock(ms, zone) {
  return format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
}

/** As `clock`; in the hour that the clocks were set back by, `02:30 again`. @param {number} ms @param {string} zone */
export function clockOfDay(ms, zone) {
  const setBack = offset(ms - 3 * HOUR, zone) - offset(ms, zone);
  const isAgain = setBack > 0 && clock(ms - setBack, zone) === clock(ms, zone);
  return isAgain ? text("time.again", { time: clock(ms, zone) }) : clock(ms, zone);
}

/** The day, `Sat 28 Nov 2026`. @param {number} ms @param {string} zone */
export function dayName(ms, zone) {
  return format(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(ms).replace(",", "");
}

/** Day and time of day. @param {number} ms @param {string} zone */
export function moment(ms, zone) {
  return `${dayName(ms, zone)}, ${clock(ms, zone)}`;
}

/** The local date, `2026-11-28`. @param {number} ms @param {string} zone */
export function localDate(ms, zone) {
  const parts = Object.fromEntries(format(zone, { year: "numeric", month: "2-digit", day: "2-digit" })
    .formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

export const FIRST_DATE = "1990-01-01";
export const LAST_DATE = "2100-01-01";

/** Whether a text is a date that data may have. @param {unknown} text */
export function isDate(text) {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  // A browser takes 31 February for a day in March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text) && FIRST_DATE <= text && text <= LAST_DATE;
}

/** The date some days later. @param {string} date @param {number} days */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** A date by itself as it is shown. @param {string} date */
export function dateName(date) {
  return dayName(Date.parse(`${date}T12:00:00Z`), "UTC");
}

/** As `dateName`, without the year. @param {string} date */
export function shortDateName(date) {
  return dateName(date).replace(/ \d+$/, "");
}

/**
 * The first instant of a local date: in some zones the clocks change at midnight, and a day has no 00:00.
 * @param {string} date
 * @param {string} zone
 * @returns {number}
 */
export function startOfDate(date, zone) {
  const wall = Date.parse(`${date}T00:00:00Z`);
  let start = wall;
  for (let step = 0; step < 3; step++) start = wall - offset(start, zone);
  while (localDate(start, zone) < date) start += 15 * MINUTE;
  while (localDate(start - 15 * MINUTE, zone) === date) start -= 15 * MINUTE;
  return start;
}

function offset(ms, zone) {
  const parts = Object.fromEntries(format(zone, {
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    hourCycle: "h23",
  }).formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** How long ago, in words. @param {number} ms the length of the time */
export function ago(ms) {
  if (ms < -5 * MINUTE) return text("time.ahead");
  if (ms < 90_000) return text("time.now");
  if (ms < 90 * MINUTE) return text("time.minutes", { count: Math.round(ms / MINUTE) });
  if (ms < 36 * HOUR) return text("time.hours", { count: Math.round(ms / HOUR) });
  return text("time.days", { count: Math.round(ms / DAY) });
}
