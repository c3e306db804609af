// The view "Apps": where the person is signed in, and the credentials of devices.

import { json, send } from "../api.js";
import { showBoard } from "../controls/board.js";
import { ask } from "../controls/dialog.js";
import { item, itemButton, items, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { ago, moment } from "../times.js";
import { credentialsSection } from "./credentials.js";
import { checkSection } from "./nightscout_check.js";

/** The names of apps that a person may know, by the id of the client. */
const NAMES = {
  "strandline-web": "Strandline",
  "diy-loop": "Loop",
  "tidepool-loop": "Tidepool Loop",
  xdrip: "xDrip+",
  aaps: "AndroidAPS",
  blip: "Tidepool",
  "tidepool-uploader-sso": "Tidepool Uploader",
};

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("../views.js").Context} context
 */
export async function show(root, context) {
  const made = { credential: null };
  const check = checkSection(context); // outlives what an action of another section draws again
  await showBoard(root, context, (board) => draw(context, board, made, check));
}

async function draw(context, board, made, check) {
  const { ownId, signal } = context;
  const [logins, credentials] = await Promise.all([
    json(`/v1/users/${ownId}/logins`, { signal }),
    json(`/v1/users/${ownId}/nightscout_credentials`, { signal }),
  ]);
  return [
    section(text("apps.logins"),
      h("p", {}, text("apps.loginsAbout")),
      items(logins.map((login) => loginItem(login, context, board)), text("apps.noLogins"))),
    credentialsSection(credentials, made, context, board),
    check,
  ];
}

function loginItem({ id, client, createdTime, lastUsedTime, isCurrent }, context, board) {
  const { ownId, person, signal } = context;
  const name = client ? NAMES[client] || client : text("apps.byPassword");
  const since = text("apps.since", { time: moment(Date.parse(createdTime), person.zone) });

  async function end() {
    const question = { title: text("apps.endTitle", { name }), words: text("apps.endWords"), action: text("apps.end") };
    if ((await ask(question, signal)) === null) return;
    await board.run(() => send(`/v1/users/${ownId}/logins/${id}`, { method: "DELETE" }), text("apps.ended", { name }));
  }

  const used = text("apps.used", { time: ago(Date.now() - Date.parse(lastUsedTime)) });
  return item(name, [since, used, isCurrent && text("apps.current")],
    [!isCurrent && itemButton(text("apps.end"), `${name}, ${since}`, end, "danger")]);
}
