// The content of a view whose actions change what it shows. A line above it tells the outcome of an action.

import { fill, h } from "../dom.js";
import { refusalWords } from "./refusal.js";

/**
 * @typedef {object} Board
 * @property {(words: string) => Promise<void>} refresh read and draw everything again, and tell what was done
 * @property {(action: () => Promise<unknown>, refused?: import("./refusal.js").Words) => Promise<boolean>} attempt an
 *   action; a refusal is told, and false is answered
 * @property {(action: () => Promise<unknown>, done: string, refused?: import("./refusal.js").Words) => Promise<void>} run
 *   an action, then `refresh`
 */

let toldLater = null;

/**
 * Fill a view with what `draw` answers.
 * @param {HTMLElement} root
 * @param {import("../views.js").Context} context
 * @param {(board: Board) => Promise<import("../dom.js").Child>} draw reads what is shown, and makes the elements
 */
export async function showBoard(root, context, draw) {
  const outcome = h("p", { class: "outcome", role: "status", tabindex: "-1" });
  const content = h("div", {});
  const tell = (words) => {
    fill(outcome, words);
    outcome.focus();
  };
  const board = {
    async refresh(words) {
      try {
        fill(content, await draw(board));
      } catch (error) {
        context.fail(error);
        return;
      }
      if (!context.signal.aborted) tell(words);
    },
    async attempt(action, refused) {
      try {
        await action();
        return true;
      } catch (error) {
        const words = refusalWords(error, refused);
        if (words) tell(words);
        else context.fail(error);
        return false;
      }
    },
    async run(action, done, refused) {
      if (await board.attempt(action, refused)) await board.refresh(done);
    },
  };
  fill(content, await draw(board));
  fill(root, outcome, content);
  if (toldLater) tell(toldLater);
  toldLater = null;
}

/**
 * Read the person again, show the view again, and tell what was done.
 * @param {import("../views.js").Context} context
 * @param {string} words
 */
export async function reloadAndTell(context, words) {
  toldLater = words;
  await context.reload();
}
