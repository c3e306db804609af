// How the figures of a report are written (summary-api 9, column "Shown with").

import { border, MG_DL, RANGES } from "./glucose.js";

const TIGHT_TO = 140;

/** A share: whole percent, with one decimal below 1. @param {number} percent */
export function share(percent) {
  const decimals = percent > 0 && percent < 0.95 ? 1 : 0;
  return `${rounded(percent, decimals)}%`;
}

/** A number with this many decimals, halves up. @param {number} number @param {number} decimals */
export function rounded(number, decimals) {
  const factor = 10 ** decimals;
  return (Math.floor(number * factor + 0.5) / factor).toFixed(decimals);
}

/** Glucose of a body that has both units. @param {number} mgdl @param {number} mmol @param {string} units */
export function either(mgdl, mmol, units) {
  return units === MG_DL ? rounded(mgdl, 0) : rounded(mmol, 1);
}

/** The borders of each range in words, from the highest down. @param {string} units */
export function bordersOf(units) {
  const [veryLow, low, high, veryHigh] = Object.values(RANGES).map((mgdl) => written(border(mgdl, units), units));
  const step = units === MG_DL ? 1 : 0.1;
  const below = (mgdl) => written(border(mgdl, units) - step, units);
  const above = (mgdl) => written(border(mgdl, units) + step, units);
  return {
    veryHigh: `> ${veryHigh}`,
    high: `${above(RANGES.high)}–${veryHigh}`,
    target: `${low}–${high}`,
    low: `${veryLow}–${below(RANGES.low)}`,
    veryLow: `< ${veryLow}`,
  };
}

/** The tight range in words. @param {string} units */
export function tightRange(units) {
  return `${written(border(RANGES.low, units), units)}–${written(border(TIGHT_TO, units), units)}`;
}

function written(value, units) {
  return units === MG_DL ? String(value) : value.toFixed(1);
}
