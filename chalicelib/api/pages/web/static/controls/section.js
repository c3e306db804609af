// Sections of a view, and lists of things with what can be done with each.

import { h } from "../dom.js";

let count = 0;

/**
 * A card with a heading.
 * @param {string} title
 * @param {...import("../dom.js").Child} children
 * @returns {HTMLElement}
 */
export function section(title, ...children) {
  const id = `section-${++count}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), children);
}

/**
 * A list, or words instead of an empty one.
 * @param {HTMLElement[]} entries
 * @param {string} emptyWords
 * @returns {HTMLElement}
 */
export function items(entries, emptyWords) {
  return entries.length ? h("ul", { class: "items" }, entries) : h("p", { class: "quiet-text" }, emptyWords);
}

/**
 * An entry of a list.
 * @param {string} title
 * @param {import("../dom.js").Child[]} lines what to know of it
 * @param {import("../dom.js").Child[]} [actions] its buttons
 * @param {import("../dom.js").Child} [more] what stands below
 * @returns {HTMLElement}
 */
export function item(title, lines, actions = [], more = null) {
  return h("li", {},
    h("div", { class: "item" },
      h("div", {}, h("strong", {}, title), lines.filter(Boolean).map((line) => h("p", {}, line))),
      h("div", { class: "actions" }, actions)),
    more);
}

/**
 * A button of an entry, which says for screen readers what it is about.
 * @param {string} name
 * @param {string} about
 * @param {() => unknown} onclick
 * @param {string} [look]
 * @returns {HTMLButtonElement}
 */
export function itemButton(name, about, onclick, look = "quiet") {
  return h("button", { type: "button", class: look, "aria-label": `${name}: ${about}`, onclick }, name);
}
