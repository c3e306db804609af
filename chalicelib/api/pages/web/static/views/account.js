// The view "Account": name and time zone, units and target range, address and password, export, and the end of it all.

import { json, send } from "../api.js";
import { reloadAndTell, showBoard } from "../controls/board.js";
import { field, form } from "../controls/form.js";
import { section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { displaySection } from "./display.js";
import { erasureSection } from "./erasure.js";
import { exportSection } from "./export.js";
import { profileSection } from "./profile.js";

const PASSWORD_PATTERN = "\\S{8,72}";

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("../views.js").Context} context
 */
export async function show(root, context) {
  const receipt = { erased: null };
  await showBoard(root, context, async (board) => {
    const account = await json("/auth/user", { signal: context.signal });
    return [
      profileSection(context),
      displaySection(context),
      addressSection(account, context),
      passwordSection(account, context, board),
      exportSection(context, board),
      erasureSection(receipt, context, board),
    ];
  });
}

function addressSection(account, context) {
  const email = h("input", { type: "email", autocomplete: "email", required: true, value: account.username || "" });
  return section(text("account.address"), form({
    fields: field(text("account.email"), email, text("account.emailHint")),
    action: text("account.changeEmail"),
    check: () => (email.value.trim().toLowerCase() === String(account.username).toLowerCase() ? text("account.sameEmail") : ""),
    refused: { 400: text("account.badEmail"), 409: text("account.takenEmail") },
    submit: async () => {
      const address = email.value.trim();
      await send("/auth/user", { method: "PUT", body: { updates: { username: address, emails: [address] } } });
      await reloadAndTell(context, text("account.emailChanged", { email: address }));
    },
  }, context));
}

function passwordSection(account, context, board) {
  const name = h("input", { type: "text", autocomplete: "username", value: account.username || "", readonly: true, hidden: true });
  const passwords = [0, 1].map(() => h("input", { type: "password", autocomplete: "new-password", required: true, pattern: PASSWORD_PATTERN }));
  const [first, again] = passwords;
  return section(text("account.password"), form({
    fields: [name, field(text("account.newPassword"), first, text("account.passwordHint")), field(text("account.again"), again)],
    action: text("account.changePassword"),
    check: () => (first.value === again.value ? "" : text("account.unequal")),
    refused: { 400: text("account.badPassword") },
    submit: async () => {
      await send("/auth/user", { method: "PUT", body: { updates: { password: first.value } } });
      await board.refresh(text("account.passwordChanged"));
    },
  }, context));
}
