// Invitations to see data: those that the person sends, and those that the person gets.

import { json, send } from "../api.js";
import { copyable } from "../controls/copyable.js";
import { ask } from "../controls/dialog.js";
import { field, form } from "../controls/form.js";
import { item, itemButton, items, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { moment } from "../times.js";
import { nameOf } from "../names.js";
import { permissionFields } from "./permission_fields.js";
import { permissionWords } from "./permissions.js";

const FIRST_CHOICE = { sees: "all", isNoting: false, isSending: false, lastDay: "" };
const REFUSED = { 403: text("invite.forOther"), 404: text("invite.gone") };

/**
 * The form of an invitation, and those that nobody accepted yet.
 * @param {Record<string, any>[]} invitations as the API has them
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {HTMLElement}
 */
export function inviteSection(invitations, context, board) {
  return section(text("invite.title"),
    h("p", {}, text("invite.about")),
    inviteForm(context, board),
    invitations.length > 0 && h("h3", {}, text("invite.sent")),
    invitations.length > 0 && items(invitations.map((invitation) => sentItem(invitation, context, board)), ""));
}

function inviteForm(context, board) {
  const { ownId, person } = context;
  const email = h("input", { type: "email", autocomplete: "off", required: true });
  const { fields, permissions } = permissionFields(FIRST_CHOICE, person.zone);
  return form({
    fields: [field(text("invite.email"), email), fields],
    action: text("invite.send"),
    refused: {
      400: text("invite.badEmail"),
      409: ({ reason }) => text(String(reason).includes("member") ? "invite.member" : "invite.exists"),
    },
    submit: async () => {
      const body = { email: email.value.trim(), permissions: permissions() };
      const invitation = await json(`/confirm/send/invite/${ownId}`, { method: "POST", body });
      await board.refresh(text("invite.done", { email: invitation.email }));
    },
  }, context);
}

function sentItem(invitation, context, board) {
  const { ownId, person, signal } = context;
  const { email, key, status, expiresAt } = invitation;

  async function withdraw() {
    const question = { title: text("invite.withdrawTitle", { email }), words: text("invite.withdrawWords"), action: text("invite.withdraw") };
    if ((await ask(question, signal)) === null) return;
    const path = `/confirm/${ownId}/invited/${encodeURIComponent(email)}`;
    await board.run(() => send(path, { method: "PUT" }), text("invite.withdrawn", { email }), REFUSED);
  }

  const link = `${location.origin}/invitation?${new URLSearchParams({ key })}`;
  const isPending = status === "pending";
  const state = isPending ? text("invite.pending", { time: moment(Date.parse(expiresAt), person.zone) }) : text("invite.declined");
  return item(email, [state, ...permissionWords(invitation.context?.permissions || {}, person.zone)],
    [itemButton(text("invite.withdraw"), email, withdraw, "danger")],
    isPending && copyable(text("invite.link", { email }), link));
}

/**
 * The invitations that wait for an answer. Those to an address that is not proven are in no list: their link has a page.
 * @param {Record<string, any>[]} invitations as the API has them
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {HTMLElement|null} null without any
 */
export function receivedSection(invitations, context, board) {
  const entries = invitations.map((invitation) => receivedItem(invitation, context, board));
  return entries.length ? section(text("invite.received"), items(entries, "")) : null;
}

function receivedItem(invitation, context, board) {
  const { ownId, person, signal } = context;
  const { creatorId, creator, key } = invitation;
  const name = nameOf(creator.profile, creatorId);
  const path = (verb) => `/confirm/${verb}/invite/${ownId}/${creatorId}`;

  async function answer(verb, done) {
    await board.run(() => send(path(verb), { method: "PUT", body: { key } }), done, REFUSED);
  }

  async function dismiss() {
    const question = { title: text("invite.declineTitle"), words: text("invite.declineWords", { name }), action: text("invite.decline") };
    if ((await ask(question, signal)) !== null) await answer("dismiss", text("invite.didDecline"));
  }

  return item(name, [text("invite.offers"), ...permissionWords(invitation.context?.permissions || {}, person.zone)], [
    itemButton(text("invite.accept"), name, () => answer("accept", text("invite.accepted")), ""),
    itemButton(text("invite.decline"), name, dismiss),
  ]);
}
