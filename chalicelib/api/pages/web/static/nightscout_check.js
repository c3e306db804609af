// What an app of the Nightscout API gets with an address and a token. Its requests carry that token alone, no session.

import { RefusedError } from "./api.js";
import { OfflineError } from "./session.js";

/** The paths that an address may have: none, and that of xDrip+. */
const PATHS = ["/", "/api/v1/"];

/**
 * @typedef {object} Entered
 * @property {string} token
 * @property {("noAddress"|"otherHost"|"noToken")|null} fault why nothing can be asked
 * @property {("http"|"path")[]} notes what some apps will not take
 */

/**
 * The token of what a person pasted, and what is wrong with the address.
 * @param {string} address perhaps with the token in it, as `?token=` or before the host
 * @param {string} token empty if it is in the address
 * @param {string} host of this page, the only one that its security policy lets it ask
 * @returns {Entered}
 */
export function readEntered(address, token, host) {
  const url = urlOf(address.trim());
  const found = token.trim() || url?.searchParams.get("token") || decoded(url?.username || "");
  const fault = !url ? "noAddress" : url.host !== host ? "otherHost" : !found ? "noToken" : null;
  const notes = fault ? [] : [url.protocol !== "https:" && "http", !PATHS.includes(url.pathname) && "path"].filter(Boolean);
  return { token: found, fault, notes };
}

/**
 * @typedef {object} Answers
 * @property {boolean} canRead
 * @property {boolean} canWrite
 * @property {Record<string, any>|null} entry the newest of the last days, as each of the next two
 * @property {Record<string, any>|null} treatment
 * @property {Record<string, any>|null} status of a device
 * @property {Record<string, any>|null} profile
 * @property {boolean} speaksV3 whether the token is exchanged for a JWT that opens v3, as AndroidAPS does
 */

/**
 * Ask what apps ask.
 * @param {string} token or its SHA-1
 * @param {AbortSignal} signal
 * @returns {Promise<Answers>}
 * @throws {RefusedError} an answer that no app can use, such as 429
 * @throws {OfflineError} there was no response
 */
export async function askAsApp(token, signal) {
  const asking = { signal, headers: { "api-secret": token } };
  const { canRead, canWrite } = (await read("/api/v1/verifyauth", asking)).message;
  if (!canRead) return { canRead: false, canWrite: false, entry: null, treatment: null, status: null, profile: null, speaksV3: false };
  const [entries, treatments, statuses, profile, speaksV3] = await Promise.all([
    read("/api/v1/entries.json?count=1", asking),
    read("/api/v1/treatments.json?count=1", asking),
    read("/api/v1/devicestatus.json?count=1", asking),
    read("/api/v1/profile/current", asking),
    opensV3(token, signal),
  ]);
  return {
    canRead, canWrite, entry: entries[0] || null, treatment: treatments[0] || null, status: statuses[0] || null, profile, speaksV3,
  };
}

async function opensV3(token, signal) {
  const exchanged = await response(`/api/v2/authorization/request/${encodeURIComponent(token)}`, { signal });
  if (!exchanged.ok) return false;
  const jwt = (await exchanged.json()).token;
  return (await response("/api/v3/status", { signal, headers: { Authorization: `Bearer ${jwt}` } })).ok;
}

async function read(path, options) {
  const answered = await response(path, options);
  if (!answered.ok) throw new RefusedError(answered.status, null);
  return answered.json();
}

async function response(path, options) {
  try {
    return await fetch(path, { ...options, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new OfflineError();
  }
}

function urlOf(address) {
  try {
    return new URL(address.includes("://") ? address : `https://${address}`);
  } catch {
    return null;
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
