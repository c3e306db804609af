// Asks once more before what cannot be taken back.

import { h } from "../dom.js";
import { text } from "../texts.js";
import { field } from "./form.js";

/**
 * Ask whether to go on.
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.words what will happen
 * @param {string} question.action the name of the button that goes on
 * @param {boolean} [question.needsPassword] whether to ask for the password, too
 * @param {AbortSignal} signal closes the question
 * @returns {Promise<string|null>} null for no; the password, or an empty text if none was asked for
 */
export function ask({ title, words, action, needsPassword = false }, signal) {
  return new Promise((resolve) => {
    let answer = null;
    const password = needsPassword && h("input", { type: "password", autocomplete: "current-password", required: true });
    const dialog = h("dialog", { "aria-labelledby": "ask-title", "aria-describedby": "ask-words" },
      h("form", { onsubmit: goOn },
        h("h2", { id: "ask-title" }, title),
        h("p", { id: "ask-words" }, words),
        password && field(text("ask.password"), password),
        h("div", { class: "actions" },
          h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, text("ask.cancel")),
          h("button", { type: "submit", class: "danger" }, action))));

    function goOn(event) {
      event.preventDefault();
      answer = password ? password.value : "";
      dialog.close();
    }

    const close = () => dialog.close();
    signal.addEventListener("abort", close);
    dialog.addEventListener("close", () => {
      signal.removeEventListener("abort", close);
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
