// Builds elements. A text is always a text node, so a name with markup is shown as it was written.

import { text } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node|string|number|null|undefined|false|Child[]} Child */

/**
 * An HTML element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] a function becomes a listener of the event that its name says (`onclick`),
 *   `true` an empty attribute; `false`, `null` and `undefined` are left out
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * An element of SVG; as `h`.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child || child === 0).map((child) => child instanceof Node ? child : String(child));
}

/**
 * Replace the content of an element.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/** The words of a view, or of a part of it, that is being read; they appear after a moment. @returns {HTMLElement} */
export function loading() {
  return h("p", { class: "loading" }, text("view.loading"));
}

/**
 * A row of buttons of which one is chosen.
 * @param {string} label for screen readers
 * @param {{value: string, name: string}[]} choices
 * @param {string} chosen
 * @param {(value: string) => void} choose
 * @returns {HTMLElement}
 */
export function choices(label, choices, chosen, choose) {
  const buttons = choices.map(({ value, name }) => h("button", {
    type: "button",
    "aria-pressed": String(value === chosen),
    onclick() {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === this));
      choose(value);
    },
  }, name));
  return h("div", { class: "choices", role: "group", "aria-label": label }, buttons);
}

/**
 * A table with a caption and a row of headings.
 * @param {string} caption
 * @param {string[]} headings
 * @param {Child[][]} rows the first cell of each is its heading
 * @param {"numbers"|"texts"} [kind] of the cells
 * @returns {HTMLElement}
 */
export function table(caption, headings, rows, kind = "numbers") {
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: kind },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, headings.map((heading) => h("th", { scope: "col" }, heading)))),
      h("tbody", {}, rows.map(([first, ...others]) =>
        h("tr", {}, h("th", { scope: "row" }, first), others.map((cell) => h("td", {}, cell)))))));
}

/**
 * A message about something that went wrong.
 * @param {string} message
 * @param {...Child} more
 * @returns {HTMLElement}
 */
export function alertBox(message, ...more) {
  return h("div", { class: "alert", role: "alert" }, h("p", {}, message), more);
}
