// A text to take along, with a button that copies it.

import { fill, h } from "../dom.js";
import { text } from "../texts.js";
import { field } from "./form.js";

/**
 * A text in a field that cannot be changed.
 * @param {string} label
 * @param {string} value
 * @returns {HTMLElement}
 */
export function copyable(label, value) {
  const input = h("input", { type: "text", readonly: true, value, onfocus: () => input.select() });
  const told = h("span", { role: "status" });
  const copy = async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(value); // there is none on a page that came without https
      fill(told, text("copy.done"));
    } catch {
      fill(told, text("copy.byHand"));
    }
  };
  return h("div", { class: "copyable" }, field(label, input),
    h("button", { type: "button", class: "quiet", "aria-label": text("copy.what", { what: label }), onclick: copy }, text("copy.copy")),
    told);
}
