// The names of people, as others see them.

/**
 * The name of a person whose data is meant: a child's, if a parent has the account.
 * @param {Record<string, any>|undefined} profile
 * @param {string} otherwise
 * @returns {string}
 */
export function nameOf(profile, otherwise) {
  const patient = profile?.patient;
  const names = [patient?.isOtherPerson && patient.fullName, profile?.fullName];
  return names.find((name) => typeof name === "string" && name.trim())?.trim() || otherwise;
}
