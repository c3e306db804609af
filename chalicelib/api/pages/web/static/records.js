// The records of a person, read week by week so that no answer is large, and grouped for charts and tables.

import { jsonIfChanged } from "./api.js";
import { DAY, MINUTE } from "./times.js";

const PIECE = 7 * DAY;
const AT_A_TIME = 3;
const SAME_MEAL = 15 * MINUTE;

export const GLUCOSE = ["cbg", "smbg"];
export const TREATMENTS = ["basal", "bolus", "deviceEvent", "food", "insulin", "wizard"];
const SECONDS_APP = ".Loop";
const LONG_ACTING = ["intermediate", "long"];

/**
 * @typedef {object} Reading
 * @property {number} time
 * @property {number} mmol
 * @property {boolean} isSensor whether a sensor measured it, not a meter
 * @property {string} device
 * @property {string} [trend] of the data model
 * @property {"low"|"high"} [beyond] whether the true value is beyond what the device can show
 */

/**
 * @typedef {object} Records each list by time
 * @property {Reading[]} readings
 * @property {{time: number, units: number, isExtended: boolean}[]} boluses of a pump, and injections that act as fast
 * @property {{time: number, units: number}[]} injections of long-acting insulin
 * @property {{time: number, end: number, rate: number, isSuspended: boolean}[]} basals in units per hour
 * @property {{time: number, grams: number, name: string}[]} carbs
 * @property {{time: number, end: number, name: string}[]} overrides of which the end is Infinity until another one begins
 *   or the app says how long it was
 */

/**
 * The records of some types in a time that may be long.
 * @param {string} userId
 * @param {number} from
 * @param {number|null} to null for no end
 * @param {string[]} types
 * @param {AbortSignal} signal
 * @returns {Promise<Records>}
 */
export async function readRecords(userId, from, to, types, signal) {
  const pieces = [];
  for (let start = from; to === null ? start === from : start < to; start += PIECE) {
    pieces.push([start, to === null ? null : Math.min(start + PIECE, to) - 1]);
  }
  const found = [];
  for (let first = 0; first < pieces.length; first += AT_A_TIME) {
    const read = pieces.slice(first, first + AT_A_TIME).map(([start, end]) => readPiece(userId, start, end, types, signal));
    found.push(...(await Promise.all(read)).flat());
  }
  return grouped(found);
}

function readPiece(userId, from, to, types, signal) {
  const query = new URLSearchParams({ type: types.join(), startDate: new Date(from).toISOString() });
  if (to !== null) query.set("endDate", new Date(to).toISOString());
  return jsonIfChanged(`/data/${userId}?${query}`, signal);
}

/**
 * The newest reading, whenever it was measured.
 * @param {string} userId
 * @param {AbortSignal} signal
 * @returns {Promise<Reading|null>}
 */
export async function readNewest(userId, signal) {
  const query = new URLSearchParams({ type: GLUCOSE.join(), latest: "true" });
  return grouped(await jsonIfChanged(`/data/${userId}?${query}`, signal)).readings.at(-1) || null;
}

/**
 * Records as the platform answers them, grouped.
 * @param {Record<string, any>[]} records
 * @returns {Records}
 */
export function grouped(records) {
  const timed = records.map((record) => ({ ...record, at: Date.parse(record.time) }))
    .filter((record) => Number.isFinite(record.at)).sort((a, b) => a.at - b.at);
  const of = (...types) => timed.filter((record) => types.includes(record.type));
  return {
    readings: of(...GLUCOSE).filter((record) => Number.isFinite(record.value)).map(reading),
    boluses: timed.filter((record) => record.type === "bolus" || (record.type === "insulin" && !isLongActing(record)))
      .map(dose).filter(({ units }) => units > 0),
    injections: of("insulin").filter(isLongActing).map(dose).filter(({ units }) => units > 0),
    basals: clipped(of("basal").map(basal)),
    carbs: carbs(of("food"), of("wizard")),
    overrides: clipped(of("deviceEvent").filter(({ subType }) => subType === "pumpSettingsOverride").map(override)),
  };
}

function reading(record) {
  const annotation = record.annotations?.find?.(({ code }) => code === "bg/out-of-range");
  return {
    time: record.at,
    mmol: record.value,
    isSensor: record.type === "cbg",
    device: String(record.deviceId || ""),
    trend: record.trend,
    beyond: annotation?.value,
  };
}

function isLongActing({ formulation }) {
  return LONG_ACTING.includes(formulation?.simple?.actingType);
}

function dose(record) {
  const units = record.type === "insulin" ? record.dose?.total || 0 : (record.normal || 0) + (record.extended || 0);
  return { time: record.at, units, isExtended: Boolean(record.extended) };
}

function basal(record) {
  const isSuspended = record.deliveryType === "suspend";
  return { time: record.at, end: record.at + (record.duration || 0), rate: isSuspended ? 0 : record.rate || 0, isSuspended };
}

function override(record) {
  const unit = String(record.origin?.name).endsWith(SECONDS_APP) ? 1000 : 1; // Loop sends seconds, others milliseconds
  return {
    time: record.at,
    end: record.at + (record.duration === undefined ? Infinity : record.duration * unit),
    name: String(record.overridePreset || record.overrideType || ""),
  };
}

/** Spans of which each ends where the next begins, at the latest. */
function clipped(spans) {
  return spans.map((span, index) => ({ ...span, end: Math.min(span.end, spans[index + 1]?.time ?? Infinity) }));
}

/** The carbohydrates of meals, and those that were entered for a bolus unless a meal near it has them. */
function carbs(foods, wizards) {
  const meals = foods.map((record) => ({
    time: record.at,
    grams: record.nutrition?.carbohydrate?.net || 0,
    name: String(record.name || ""),
  }));
  const entered = wizards.map((record) => ({ time: record.at, grams: record.carbInput || 0, name: "" }))
    .filter(({ time }) => !meals.some((meal) => Math.abs(meal.time - time) <= SAME_MEAL));
  return [...meals, ...entered].filter(({ grams }) => grams > 0).sort((a, b) => a.time - b.time);
}

/**
 * The units of basal insulin within a time.
 * @param {Records["basals"]} basals
 * @param {number} from
 * @param {number} to
 */
export function basalUnits(basals, from, to) {
  const hours = ({ time, end }) => Math.max(0, Math.min(end, to) - Math.max(time, from)) / (60 * MINUTE);
  return basals.reduce((sum, basal) => sum + basal.rate * hours(basal), 0);
}
