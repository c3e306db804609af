// Uploads that the platform refused, with the reasons. The platform keeps where a fault was, and never a value.

import { item } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { moment } from "../times.js";

const KNOWN = [
  "bad_request", "json_malformed", "length_out_of_range", "not_parsed", "size_out_of_range", "value_duplicate", "value_empty", "value_exists",
  "value_not_after", "value_not_allowed", "value_not_exists", "value_not_parsable", "value_not_valid", "value_out_of_range",
];

/**
 * The entry of an upload.
 * @param {Record<string, any>} rejection as the API has it
 * @param {import("../person.js").Person} person
 * @returns {HTMLElement}
 */
export function rejectionItem({ time, client, action, errorCount, errors }, { zone }) {
  const name = [client?.name, client?.version].filter(Boolean).join(" ") || text("rejection.unknownApp");
  const what = action === "delete" ? text("rejection.delete") : text("rejection.add");
  const reasons = errors.map(({ code, source }) => h("li", {}, reasonWords(code), source?.pointer && [": ", h("code", {}, source.pointer)]));
  const more = errorCount > errors.length && h("li", {}, text("rejection.more", { count: errorCount - errors.length }));
  return item(name, [moment(Date.parse(time), zone), `${what}, ${text("rejection.faults", { count: errorCount })}`], [],
    h("details", {},
      h("summary", { "aria-label": text("rejection.reasonsOf", { name }) }, text("rejection.reasons")),
      h("ul", { class: "reasons" }, reasons, more)));
}

function reasonWords(code) {
  const word = String(code).replaceAll("-", "_");
  if (KNOWN.includes(word)) return text(`reason.${word}`);
  return word.startsWith("type_not") ? text("reason.wrongType") : code;
}
