// The address of a view: `#/{view}`, `#/{view}/{userId}`, each with parameters after `?`.

/** @typedef {{view: string, userId: string|null, parameters: URLSearchParams}} Route */

/**
 * The route that a fragment names.
 * @param {string} fragment
 * @returns {Route}
 */
export function parseRoute(fragment) {
  const [path, query = ""] = fragment.replace(/^#\/?/, "").split("?");
  const [view = "", userId = ""] = path.split("/");
  return { view, userId: decoded(userId) || null, parameters: new URLSearchParams(query) };
}

/** A part of an address; as it is if it was cut off within a character. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The fragment of a route.
 * @param {string} view
 * @param {string|null} [userId] null for one's own data
 * @param {Record<string, string>} [parameters]
 * @returns {string}
 */
export function fragmentOf(view, userId = null, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return `#/${view}${userId ? `/${encodeURIComponent(userId)}` : ""}${query ? `?${query}` : ""}`;
}
