// Insulin and carbohydrates of a time, per day.

import { basalUnits, readRecords, TREATMENTS } from "./records.js";
import { DAY, HOUR } from "./times.js";

/**
 * @typedef {object} Totals
 * @property {number} days of 24 hours, counted back from the end, with insulin or carbohydrates
 * @property {number} bolus units in all
 * @property {number} basal units in all, of a pump
 * @property {number} injected units in all, of long-acting insulin
 * @property {number} carbs grams in all
 */

/**
 * Read and sum up.
 * @param {import("./person.js").Person} person
 * @param {number} from
 * @param {number} to
 * @param {AbortSignal} signal
 * @returns {Promise<Totals>}
 */
export async function readTotals(person, from, to, signal) {
  return totalsOf(await readRecords(person.id, from - DAY, to, TREATMENTS, signal), from, to);
}

/**
 * Sum up.
 * @param {import("./records.js").Records} records from a day before
 * @param {number} from
 * @param {number} to
 * @returns {Totals}
 */
export function totalsOf({ boluses, injections, basals, carbs }, from, to) {
  const inTime = ({ time }) => from <= time && time < to;
  const given = boluses.filter(inTime), injected = injections.filter(inTime), eaten = carbs.filter(inTime);
  const dayOf = (time) => Math.floor((to - time - 1) / DAY);
  const days = new Set([...given, ...injected, ...eaten].map(({ time }) => dayOf(time)));
  for (const [day, length] of basalByDay(basals, from, to, dayOf)) if (length >= HOUR) days.add(day);
  return {
    days: days.size,
    bolus: given.reduce((sum, { units }) => sum + units, 0),
    basal: basalUnits(basals, from, to),
    injected: injected.reduce((sum, { units }) => sum + units, 0),
    carbs: eaten.reduce((sum, { grams }) => sum + grams, 0),
  };
}

/** How long basal insulin was given in each day; less than an hour makes no day. */
function basalByDay(basals, from, to, dayOf) {
  const lengths = new Map();
  for (const { time, end } of basals) {
    let start = Math.max(time, from);
    while (start < Math.min(end, to)) {
      const day = dayOf(start);
      const stop = Math.min(end, to - day * DAY);
      lengths.set(day, (lengths.get(day) || 0) + stop - start);
      start = stop;
    }
  }
  return lengths;
}
