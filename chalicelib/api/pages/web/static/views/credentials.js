// Credentials with which devices and apps speak the Nightscout API: make one, see their use, revoke one.

import { json, send } from "../api.js";
import { copyable } from "../controls/copyable.js";
import { ask } from "../controls/dialog.js";
import { field, form, select } from "../controls/form.js";
import { qrImage } from "../controls/qr_image.js";
import { item, itemButton, items, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { ago, moment } from "../times.js";

/**
 * The credentials, the form that makes one, and the one that was just made.
 * @param {Record<string, any>[]} credentials as the API has them
 * @param {{credential: Record<string, any>|null}} made keeps the new one, which the API shows once, until the view is left
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {HTMLElement}
 */
export function credentialsSection(credentials, made, context, board) {
  return section(text("credential.title"),
    h("p", {}, text("credential.about")),
    made.credential && newCredential(made.credential),
    items(credentials.map((credential) => credentialItem(credential, made, context, board)), text("credential.none")),
    h("h3", {}, text("credential.make")),
    makeForm(made, context, board));
}

function newCredential({ name, token }) {
  const address = `${location.origin}/`;
  const both = `${address}?token=${token}`;
  return h("div", { class: "secret" },
    h("h3", {}, text("credential.new", { name })),
    h("p", {}, text("credential.once")),
    copyable(text("credential.address"), address),
    copyable(text("credential.token"), token),
    copyable(text("credential.both"), both),
    qrImage(both, text("credential.qr", { name })));
}

function makeForm(made, context, board) {
  const name = h("input", { type: "text", maxlength: "64", required: true, autocomplete: "off" });
  const scope = select([["read", text("credential.read")], ["upload", text("credential.upload")]], "read");
  return form({
    fields: [field(text("credential.name"), name, text("credential.nameHint")), field(text("credential.scope"), scope)],
    action: text("credential.makeOne"),
    refused: { 400: text("credential.badName"), 409: text("credential.tooMany") },
    submit: async () => {
      const body = { name: name.value.trim(), scope: scope.value };
      made.credential = await json(`/v1/users/${context.ownId}/nightscout_credentials`, { method: "POST", body });
      await board.refresh(text("credential.made", { name: made.credential.name }));
    },
  }, context);
}

function credentialItem({ id, name, scope, createdTime, lastUsedTime }, made, context, board) {
  const { ownId, person, signal } = context;

  async function revoke() {
    const question = { title: text("credential.revokeTitle", { name }), words: text("credential.revokeWords"), action: text("credential.revoke") };
    if ((await ask(question, signal)) === null) return;
    await board.run(async () => {
      await send(`/v1/users/${ownId}/nightscout_credentials/${encodeURIComponent(id)}`, { method: "DELETE" });
      if (made.credential?.id === id) made.credential = null;
    }, text("credential.revoked", { name }), { 404: text("credential.gone") });
  }

  return item(name, [
    text(`credential.${scope}`),
    text("credential.created", { time: moment(Date.parse(createdTime), person.zone) }),
    lastUsedTime ? text("apps.used", { time: ago(Date.now() - Date.parse(lastUsedTime)) }) : text("credential.unused"),
  ], [itemButton(text("credential.revoke"), name, revoke, "danger")]);
}
