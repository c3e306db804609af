// Requests to the platform, with the token of the person who is signed in.

import { accessToken, OfflineError } from "./session.js";

/** The platform refused a request. */
export class RefusedError extends Error {
  /** @param {number} status @param {unknown} body */
  constructor(status, body) {
    super(`the platform answered ${status}`);
    this.status = status;
    this.body = body;
  }
}

const known = new Map();

/**
 * Send a request.
 * @param {string} path
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} [options] a body
 *   is sent as JSON, unless it is a Blob or a FormData
 * @returns {Promise<Response>} a successful response
 * @throws {RefusedError} any other response; 401 too, if the token is good: the metadata of a stranger are answered so
 * @throws {EndedError} the session has ended
 * @throws {OfflineError} there was no response
 */
export async function send(path, options = {}) {
  let response = await sendWith(await accessToken(), path, options);
  if (response.status === 401) response = await sendWith(await accessToken(true), path, options);
  if (response.status >= 400) throw new RefusedError(response.status, await bodyOf(response));
  return response;
}

/**
 * The JSON value that a path answers.
 * @param {string} path
 * @param {Parameters<typeof send>[1]} [options]
 */
export async function json(path, options) {
  return (await send(path, options)).json();
}

/**
 * As `json`, but null where nothing is found.
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
export async function jsonOrNull(path, signal) {
  try {
    return await json(path, { signal });
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return null;
    throw error;
  }
}

/**
 * As `json`, for what is asked for again and again: if the platform answers that nothing has changed, the value that
 * it answered before.
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
export async function jsonIfChanged(path, signal) {
  const before = known.get(path);
  const response = await send(path, { signal, headers: before ? { "If-None-Match": before.etag } : {} });
  if (response.status === 304) return before.value;
  const value = await response.json();
  const etag = response.headers.get("ETag");
  if (etag) known.set(path, { etag, value });
  return value;
}

async function sendWith(token, path, { method = "GET", body, headers = {}, signal } = {}) {
  const isRaw = body === undefined || body instanceof Blob || body instanceof FormData;
  try {
    return await fetch(path, {
      method,
      signal,
      cache: "no-store",
      headers: { "X-Tidepool-Session-Token": token, ...(isRaw ? {} : { "Content-Type": "application/json" }), ...headers },
      body: isRaw ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new OfflineError();
  }
}

async function bodyOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
