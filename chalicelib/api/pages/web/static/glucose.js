// Glucose in the units of the person who looks at it. Everything the platform answers is in mmol/L, or in both.

export const MG_DL_PER_MMOL_L = 18.01559;
export const MG_DL = "mg/dL";
export const MMOL_L = "mmol/L";

/** The borders of the consensus ranges, in whole mg/dL (summary-api 9). */
export const RANGES = { veryLow: 54, low: 70, high: 180, veryHigh: 250 };

/**
 * A value as it is shown, halves up as in a report: whole mg/dL, or mmol/L with one decimal.
 * @param {number} mmol in mmol/L
 * @param {string} units
 */
export function shown(mmol, units) {
  return units === MG_DL ? String(Math.floor(mmol * MG_DL_PER_MMOL_L + 0.5)) : (Math.floor(mmol * 10 + 0.5) / 10).toFixed(1);
}

/**
 * A reading as it is shown, with a sign if the true value is beyond what the device can show.
 * @param {{mmol: number, beyond?: string}} reading
 * @param {string} units
 */
export function shownReading({ mmol, beyond }, units) {
  return ({ low: "≤ ", high: "≥ " }[beyond] || "") + shown(mmol, units);
}

/**
 * A value as it is drawn.
 * @param {number} mmol in mmol/L
 * @param {string} units
 * @returns {number}
 */
export function inUnits(mmol, units) {
  return units === MG_DL ? mmol * MG_DL_PER_MMOL_L : mmol;
}

/**
 * A border of a range, which is a whole number in mg/dL and has one decimal in mmol/L.
 * @param {number} mgdl
 * @param {string} units
 * @returns {number}
 */
export function border(mgdl, units) {
  return units === MG_DL ? mgdl : Math.round((mgdl / MG_DL_PER_MMOL_L) * 10) / 10;
}

/**
 * The range of a value, by whole mg/dL, as the profile has it.
 * @param {number} mmol
 * @returns {"veryLow"|"low"|"target"|"high"|"veryHigh"}
 */
export function rangeOf(mmol) {
  const whole = Math.floor(mmol * MG_DL_PER_MMOL_L + 0.5);
  if (whole < RANGES.low) return whole < RANGES.veryLow ? "veryLow" : "low";
  if (whole <= RANGES.high) return "target";
  return whole <= RANGES.veryHigh ? "high" : "veryHigh";
}

/**
 * The change per minute that an arrow stands for.
 * @param {number} mgdlPerMinute
 * @returns {keyof typeof ARROWS}
 */
export function trendOf(mgdlPerMinute) {
  const size = Math.abs(mgdlPerMinute);
  if (size < 1) return "constant";
  const word = size < 2 ? "slow" : size < 3 ? "moderate" : "rapid";
  return word + (mgdlPerMinute < 0 ? "Fall" : "Rise");
}

/** The arrow of each trend of the data model. */
export const ARROWS = {
  rapidFall: "⇊", moderateFall: "↓", slowFall: "↘", constant: "→", slowRise: "↗", moderateRise: "↑", rapidRise: "⇈",
};
