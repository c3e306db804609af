// Forms: labelled controls, and a button that sends them once.

import { fill, h } from "../dom.js";
import { refusalWords } from "./refusal.js";

let fieldCount = 0;

/**
 * A control with its label and a hint.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string|null} [hint]
 * @returns {HTMLElement}
 */
export function field(label, control, hint = null) {
  control.id = `field-${++fieldCount}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h("div", { class: "field" },
    h("label", { for: control.id }, label), control, hint && h("p", { class: "hint", id: `${control.id}-hint` }, hint));
}

/**
 * A box to tick, with its label behind it.
 * @param {string} label
 * @param {HTMLInputElement} box
 * @returns {HTMLElement}
 */
export function tick(label, box) {
  return h("label", { class: "tick" }, box, " ", label);
}

/**
 * A list to choose from.
 * @param {[string, string][]} options value and name of each
 * @param {string} chosen
 * @returns {HTMLSelectElement}
 */
export function select(options, chosen) {
  return h("select", {}, options.map(([value, name]) => h("option", { value, selected: value === chosen }, name)));
}

/**
 * A form.
 * @param {object} parts
 * @param {import("../dom.js").Child} parts.fields
 * @param {string} parts.action the name of its button
 * @param {() => Promise<unknown>} parts.submit
 * @param {import("./refusal.js").Words} [parts.refused]
 * @param {() => string} [parts.check] what is wrong with what was entered, empty for nothing
 * @param {import("../views.js").Context} context
 * @returns {HTMLFormElement}
 */
export function form({ fields, action, submit, refused, check = () => "" }, context) {
  const fault = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit" }, action);
  return h("form", { onsubmit: send }, fields, fault, h("div", { class: "actions" }, button));

  async function send(event) {
    event.preventDefault();
    fill(fault, check());
    if (fault.textContent || button.disabled) return;
    button.disabled = true;
    try {
      await submit();
    } catch (error) {
      const words = refusalWords(error, refused);
      if (words) fill(fault, words);
      else context.fail(error);
    } finally {
      button.disabled = false;
    }
  }
}
