// Signs the person in by OpenID Connect: code flow with PKCE. Tokens live in memory only, so a reload asks the sign-in
// page for a new code, which needs no password while the browser's session lasts (`prompt=none`).

import { sha256 } from "./sha256.js";

const CLIENT = "strandline-web";
const FLOW = "strandline.flow";
const RENEWED_BEFORE_S = 60;
const ROOT = `${location.origin}/`;
const REALM = `${ROOT}realms/${document.documentElement.dataset.realm}/protocol/openid-connect`;

/** The session has ended, and the person has to sign in again. */
export class EndedError extends Error {}

/** The server cannot be reached. */
export class OfflineError extends Error {}

let tokens = null;
let idToken = null; // outlives the others: it ends the session of the browser after they ended
let renewal = null;
let timer;

/**
 * Finish a sign-in that the address brings along, or begin a silent one.
 * @returns {Promise<{userId: string}|null>} who is signed in, null for nobody. Without an answer in the address the
 *   page is left, and the promise stays open.
 */
export async function begin() {
  const answer = new URLSearchParams(location.hash.slice(1));
  const flow = JSON.parse(sessionStorage.getItem(FLOW) || "null");
  if (!flow || answer.get("state") !== flow.state) {
    leaveFor("auth", { prompt: "none" }, location.hash);
    return new Promise(() => {});
  }
  sessionStorage.removeItem(FLOW);
  history.replaceState(null, "", ROOT + flow.fragment);
  if (!answer.has("code")) return null;
  keep(await tokensFor({
    grant_type: "authorization_code", code: answer.get("code"), redirect_uri: ROOT, code_verifier: flow.verifier,
  }));
  return { userId: claims(tokens.id_token).sub };
}

/** Open the sign-in page, which returns to the view that is shown. */
export function signIn() {
  leaveFor("auth", {}, location.hash);
}

/** Open the page for a new account. */
export function createAccount() {
  leaveFor("registrations", {}, "");
}

/** End the session of the browser, and return to the page. */
export function signOut() {
  const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: ROOT });
  location.assign(`${REALM}/logout?${query}`);
}

/**
 * The token for requests, renewed if it is about to end.
 * @param {boolean} [isRefused] whether the server has just refused the token that there is
 * @returns {Promise<string>}
 * @throws {EndedError} there is none, and no way to renew it
 */
export async function accessToken(isRefused = false) {
  if (!tokens) throw new EndedError();
  if (isRefused || Date.now() >= tokens.renewAt) {
    renewal ||= renew().finally(() => { renewal = null; });
    await renewal;
  }
  return tokens.access_token;
}

async function renew() {
  try {
    keep(await tokensFor({ grant_type: "refresh_token", refresh_token: tokens.refresh_token }));
  } catch (error) {
    if (error instanceof EndedError) tokens = null;
    throw error;
  }
}

function keep(issued) {
  tokens = { ...issued, renewAt: Date.now() + (issued.expires_in - RENEWED_BEFORE_S) * 1000 };
  idToken = issued.id_token || idToken;
  clearTimeout(timer);
  timer = setTimeout(() => accessToken().catch(() => {}), Math.max(tokens.renewAt - Date.now(), 1000));
}

async function tokensFor(parameters) {
  const body = new URLSearchParams({ ...parameters, client_id: CLIENT });
  const response = await fetch(`${REALM}/token`, { method: "POST", body }).catch(() => { throw new OfflineError(); });
  if (response.status >= 500) throw new OfflineError();
  if (!response.ok) throw new EndedError();
  return response.json();
}

function leaveFor(endpoint, more, fragment) {
  const flow = { state: random(), verifier: random() + random(), fragment };
  sessionStorage.setItem(FLOW, JSON.stringify(flow));
  const query = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: ROOT,
    response_type: "code",
    response_mode: "fragment",
    scope: "openid",
    state: flow.state,
    nonce: random(),
    code_challenge: base64(sha256(flow.verifier)),
    code_challenge_method: "S256",
    ...more,
  });
  location.replace(`${REALM}/${endpoint}?${query}`);
}

function random() {
  return base64(crypto.getRandomValues(new Uint8Array(24)));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function claims(token) {
  return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
}
