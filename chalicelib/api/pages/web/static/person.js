// The person whose data is shown, and how: name, units, target range, time zone.

import { json, jsonOrNull } from "./api.js";
import { inUnits, MG_DL, MG_DL_PER_MMOL_L, MMOL_L } from "./glucose.js";
import { nameOf } from "./names.js";
import { browserZone, isZone } from "./times.js";

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name of the person whose data it is, a child's if a parent has the account; else the address, else the id
 * @property {boolean} isSelf whether it is the one who is signed in
 * @property {string} units the units of the one who is signed in
 * @property {{low: number, high: number}} target in mmol/L
 * @property {string} zone of the profile, else of the browser
 * @property {Record<string, any>} profile
 * @property {Record<string, any>} settings
 */

const DEFAULT_TARGET_MG_DL = { low: 70, high: 180 };

/**
 * Read a person.
 * @param {string} userId
 * @param {string} ownId the one who is signed in
 * @returns {Promise<Person>}
 */
export async function readPerson(userId, ownId) {
  const isSelf = userId === ownId;
  const [profile, settings, ownSettings, account] = await Promise.all([
    jsonOrNull(`/metadata/${userId}/profile`),
    jsonOrNull(`/metadata/${userId}/settings`),
    isSelf ? null : jsonOrNull(`/metadata/${ownId}/settings`),
    isSelf ? json("/auth/user") : null,
  ]);
  const units = (isSelf ? settings : ownSettings)?.units?.bg === MMOL_L ? MMOL_L : MG_DL;
  const zone = profile?.patient?.targetTimezone;
  return {
    id: userId,
    name: nameOf(profile, "") || (isSelf ? account.username : await addressOf(userId, ownId)) || userId,
    isSelf,
    units,
    target: targetOf(settings),
    zone: isZone(zone) ? zone : browserZone(),
    profile: profile || {},
    settings: settings || {},
  };
}

/** The address of a person who shares with the one who is signed in. */
async function addressOf(userId, ownId) {
  const users = await json(`/metadata/users/${ownId}/users`);
  return users.find(({ userid }) => userid === userId)?.username;
}

/** The target range of settings, which is in the units of these settings. */
function targetOf(settings) {
  const { low, high } = settings?.bgTarget || {};
  const isMmol = settings?.units?.bg === MMOL_L;
  const isRange = Number.isFinite(low) && Number.isFinite(high) && 0 < low && low < high;
  if (isRange) return isMmol ? { low, high } : { low: low / MG_DL_PER_MMOL_L, high: high / MG_DL_PER_MMOL_L };
  return { low: DEFAULT_TARGET_MG_DL.low / MG_DL_PER_MMOL_L, high: DEFAULT_TARGET_MG_DL.high / MG_DL_PER_MMOL_L };
}

/** The target range as it is drawn. @param {Person} person */
export function drawnTarget({ target, units }) {
  return { low: inUnits(target.low, units), high: inUnits(target.high, units) };
}
