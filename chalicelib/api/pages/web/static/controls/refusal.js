// Words for an action that the platform refused, or did not hear of.

import { RefusedError } from "../api.js";
import { OfflineError } from "../session.js";
import { text } from "../texts.js";

/** @typedef {Record<number, string|((body: any) => string)>} Words the words for a status */

/**
 * The words to tell.
 * @param {unknown} error
 * @param {Words} [words]
 * @returns {string|null} null for a reply that is not a refusal, so that the view cannot go on
 */
export function refusalWords(error, words = {}) {
  if (error instanceof OfflineError) return text("refused.offline");
  if (!(error instanceof RefusedError)) return null;
  const own = words[error.status];
  if (own) return typeof own === "function" ? own(error.body) : own;
  if (error.status === 429) return text("refused.tooMany");
  if (error.status === 503) return text("refused.busy");
  return text("refused.other", { status: error.status });
}
