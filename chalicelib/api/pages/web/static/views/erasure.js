// The section of what cannot be taken back: erase all data, delete the account.

import { json, send } from "../api.js";
import { ask } from "../controls/dialog.js";
import { section } from "../controls/section.js";
import { fill, h } from "../dom.js";
import { text } from "../texts.js";
import { moment } from "../times.js";

const REFUSED = { 403: text("erasure.wrongPassword") };

/**
 * The section.
 * @param {{erased: Record<string, any>|null}} receipt keeps that of an erasure until the view is left
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {HTMLElement}
 */
export function erasureSection(receipt, context, board) {
  const { ownId, signal } = context;

  async function erase() {
    const question = { title: text("erasure.eraseTitle"), words: text("erasure.eraseWords"), action: text("erasure.erase"), needsPassword: true };
    const password = await ask(question, signal);
    if (password === null) return;
    await board.run(async () => {
      const body = await json(`/v1/users/${ownId}/data`, { method: "DELETE", body: { password } });
      receipt.erased = body.data;
    }, text("erasure.erased"), REFUSED);
  }

  async function deleteAccount() {
    const question = { title: text("erasure.deleteTitle"), words: text("erasure.deleteWords"), action: text("erasure.delete"), needsPassword: true };
    const password = await ask(question, signal);
    if (password === null) return;
    const path = `/auth/user/${ownId}`;
    if (await board.attempt(() => send(path, { method: "DELETE", body: { password } }), REFUSED)) sayGoodbye();
  }

  return section(text("erasure.title"),
    receipt.erased && receiptLines(receipt.erased, context.person.zone),
    h("p", {}, text("erasure.about")),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "danger", onclick: erase }, text("erasure.erase")),
      h("button", { type: "button", class: "danger", onclick: deleteAccount }, text("erasure.delete"))));
}

/** The page without an account. */
function sayGoodbye() {
  const words = h("p", { role: "status", tabindex: "-1" }, text("erasure.deleted"));
  fill(document.body, h("main", { class: "alone" }, h("h1", {}, "Strandline"), words, h("a", { href: "/" }, text("erasure.toStart"))));
  words.focus();
}

function receiptLines({ erasedTime, records, dataSets }, zone) {
  return h("div", { class: "secret" },
    h("h3", {}, text("erasure.receipt")),
    h("dl", { class: "figures" },
      [[text("erasure.time"), moment(Date.parse(erasedTime), zone)], [text("erasure.records"), records], [text("erasure.dataSets"), dataSets]]
        .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}
