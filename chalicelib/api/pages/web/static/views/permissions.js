// What one person lets another do: the permissions of the API, as a choice in a form, and in words.

import { text } from "../texts.js";
import { addDays, DAY, HOUR, localDate, moment, startOfDate } from "../times.js";

/**
 * @typedef {object} Choice
 * @property {string} sees `all`, `nothing`, or the number of the last hours
 * @property {boolean} isNoting whether notes may be written
 * @property {boolean} isSending whether data may be sent
 * @property {string} lastDay the last local date, empty for no end
 */

/** @typedef {Record<string, any>} Permissions as the API has them (access-api A2) */

export const HOURS = ["3", "12", "24", "72", "168", "336"];
const NAMES = ["custodian", "view", "note", "upload", "follow"];

/**
 * The permissions of a choice.
 * @param {Choice} choice
 * @param {string} zone in which the last day ends
 * @param {Permissions} [before] permissions that a form does not show stay
 * @returns {Permissions}
 */
export function permissionsOf({ sees, isNoting, isSending, lastDay }, zone, before = {}) {
  const { view: _view, note, upload, ...others } = before;
  const given = { ...others };
  if (sees === "all") given.view = {};
  else if (sees !== "nothing") given.view = { windowHours: Number(sees) };
  if (isNoting) given.note = note || {};
  if (isSending) given.upload = upload || {};
  const end = lastDay ? { expiresTime: new Date(startOfDate(addDays(lastDay, 1), zone)).toISOString() } : {};
  return Object.fromEntries(Object.entries(given).map(([name, { expiresTime: _end, ...limits }]) => [name, { ...limits, ...end }]));
}

/**
 * The choice that stands for permissions.
 * @param {Permissions} permissions
 * @param {string} zone
 * @returns {Choice}
 */
export function choiceOf(permissions, zone) {
  const { view, note, upload } = permissions;
  const end = endOf(permissions);
  return {
    sees: view ? String(view.windowHours || "all") : "nothing",
    isNoting: Boolean(note),
    isSending: Boolean(upload),
    lastDay: end ? localDate(end - 1, zone) : "",
  };
}

/**
 * What is permitted, a line for each permission.
 * @param {Permissions} permissions
 * @param {string} zone
 * @returns {string[]}
 */
export function permissionWords(permissions, zone) {
  const held = NAMES.filter((name) => permissions[name]).map((name) => {
    const hours = permissions[name].windowHours;
    return hours ? text("may.viewHours", { time: duration(hours) }) : text(`may.${name}`);
  });
  const end = endOf(permissions);
  return end ? [...held, text("may.until", { time: moment(end, zone) })] : held;
}

/**
 * A number of hours in words.
 * @param {number} hours
 * @returns {string}
 */
export function duration(hours) {
  const isDays = hours > 24 && hours % 24 === 0;
  return isDays ? text("may.days", { count: (hours * HOUR) / DAY }) : text("may.hours", { count: hours });
}

/** The time at which the last permission ends, null for none. */
function endOf(permissions) {
  const ends = Object.values(permissions).map(({ expiresTime }) => Date.parse(expiresTime));
  return ends.length && ends.every(Number.isFinite) ? Math.max(...ends) : null;
}
