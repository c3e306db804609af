// A list of the platform that is read page by page.

import { json } from "../api.js";
import { h } from "../dom.js";
import { text } from "../texts.js";

const SIZE = 50;

/**
 * The first page of a list, with a button that appends the next one.
 * @param {string} path
 * @param {(value: Record<string, any>) => HTMLElement} entry makes the entry of a value
 * @param {string} emptyWords instead of an empty list
 * @param {import("../views.js").Context} context
 * @returns {Promise<import("../dom.js").Child>}
 */
export async function pagedItems(path, entry, emptyWords, context) {
  const list = h("ul", { class: "items" });
  const more = h("button", { type: "button", class: "quiet", onclick: () => append().catch(context.fail) }, text("paged.more"));
  let page = 0;
  await append();
  return list.children.length ? [list, more] : h("p", { class: "quiet-text" }, emptyWords);

  async function append() {
    const values = await json(`${path}?page=${page}&size=${SIZE}`, { signal: context.signal });
    page += 1;
    const entries = values.map(entry);
    list.append(...entries);
    if (page > 1) {
      entries[0]?.setAttribute("tabindex", "-1");
      (entries[0] || list).focus();
    }
    more.hidden = values.length < SIZE;
  }
}
