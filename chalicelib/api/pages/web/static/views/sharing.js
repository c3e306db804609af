// The view "Sharing": who sees one's data, invitations in both directions, and whose data one sees.

import { json, jsonOrNull, send } from "../api.js";
import { showBoard } from "../controls/board.js";
import { ask } from "../controls/dialog.js";
import { form } from "../controls/form.js";
import { item, itemButton, items, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { inviteSection, receivedSection } from "./invitations.js";
import { nameOf } from "../names.js";
import { permissionFields } from "./permission_fields.js";
import { choiceOf, permissionWords } from "./permissions.js";

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("../views.js").Context} context
 */
export async function show(root, context) {
  await showBoard(root, context, (board) => draw(context, board));
}

async function draw(context, board) {
  const { ownId, signal } = context;
  const [users, sent, received] = await Promise.all([
    json(`/metadata/users/${ownId}/users`, { signal }),
    jsonOrNull(`/confirm/invite/${ownId}`, signal),
    jsonOrNull(`/confirm/invitations/${ownId}`, signal),
  ]);
  const sharers = users.filter((user) => user.trustorPermissions);
  const sharersFirst = sharers.length > 0; // for a relative or a clinician, they are what the view is for
  return [
    receivedSection(received || [], context, board),
    sharersFirst && sharersSection(sharers, context, board),
    viewersSection(users.filter((user) => user.trusteePermissions), context, board),
    inviteSection(sent || [], context, board),
    !sharersFirst && sharersSection(sharers, context, board),
  ];
}

function viewersSection(users, context, board) {
  return section(text("sharing.viewers"), items(users.map((user) => viewer(user, context, board)), text("sharing.noViewers")));
}

function viewer(user, context, board) {
  const { ownId, person, signal } = context;
  const name = nameOf({ fullName: user.profile?.fullName }, user.username || user.userid);
  const held = user.trusteePermissions;
  const path = `/access/${ownId}/${user.userid}`;

  async function end() {
    const question = { title: text("sharing.endTitle", { name }), words: text("sharing.endWords"), action: text("sharing.end") };
    if ((await ask(question, signal)) === null) return;
    await board.run(() => send(path, { method: "POST", body: {} }), text("sharing.ended", { name }));
  }

  const lines = [user.username && user.username !== name && user.username, ...permissionWords(held, person.zone)];
  const change = held.custodian ? null : changeForm(name, held, path, context, board);
  return item(name, lines, [itemButton(text("sharing.end"), name, end, "danger")], change);
}

function changeForm(name, held, path, context, board) {
  const { zone } = context.person;
  const { fields, permissions } = permissionFields(choiceOf(held, zone), zone);
  return h("details", {},
    h("summary", { "aria-label": `${text("sharing.change")}: ${name}` }, text("sharing.change")),
    form({
      fields,
      action: text("sharing.save"),
      check: () => (Object.keys(permissions(held)).length ? "" : text("share.choose")),
      submit: async () => {
        await send(path, { method: "POST", body: permissions(held) });
        await board.refresh(text("sharing.changed", { name }));
      },
    }, context));
}

function sharersSection(users, context, board) {
  return section(text("sharing.sharers"), items(users.map((user) => sharer(user, context, board)), text("sharing.noSharers")));
}

function sharer(user, context, board) {
  const { ownId, person, signal } = context;
  const name = nameOf(user.profile, user.username || user.userid);

  async function leave() {
    const question = { title: text("sharing.leaveTitle", { name }), words: text("sharing.leaveWords", { name }), action: text("sharing.leave") };
    if ((await ask(question, signal)) === null) return;
    await board.run(() => send(`/access/${user.userid}/${ownId}`, { method: "POST", body: {} }), text("sharing.left", { name }));
  }

  const { view, custodian } = user.trustorPermissions;
  return item(name, permissionWords(user.trustorPermissions, person.zone), [
    (view || custodian) && itemButton(text("sharing.open"), name, () => context.go("now", { userId: user.userid }), ""),
    itemButton(text("sharing.leave"), name, leave, "danger"),
  ]);
}
