// The names of the types of records.

import { text } from "../texts.js";

const KNOWN = [
  "basal", "bloodKetone", "bolus", "cbg", "cgmSettings", "controllerSettings", "controllerStatus", "deviceEvent", "dosingDecision", "food",
  "insulin", "physicalActivity", "pumpSettings", "pumpStatus", "reportedState", "smbg", "water", "wizard",
];

/** The name of a type; of one that has none, its word in the API. @param {string} type */
export function typeName(type) {
  return KNOWN.includes(type) ? text(`type.${type}`) : type;
}
