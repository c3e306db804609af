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

const OWN_PAGE = "strandline-web";

/** The names of apps that a person may know, by the id of the client. */
const NAMES = {
  [OWN_PAGE]: "Strandline",
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
      items(loginItems(logins, context, board), text("apps.noLogins"))),
    credentialsSection(credentials, made, context, board),
    check,
  ];
}

/** An entry for each login. Each reload of this page made one, so all but that of now are one entry. */
function loginItems(logins, context, board) {
  const pages = logins.filter(({ client, isCurrent }) => client === OWN_PAGE && !isCurrent);
  const isGrouped = pages.length > 1;
  const others = logins.filter((login) => !isGrouped || !pages.includes(login)).map((login) => loginItem(login, context, board));
  return isGrouped ? [...others, pagesItem(pages, context, board)] : others;
}

function pagesItem(pages, { ownId, signal }, board) {
  const name = text("apps.pages", { count: pages.length });

  async function end() {
    const question = { title: text("apps.endPagesTitle"), words: text("apps.endPagesWords"), action: text("apps.end") };
    if ((await ask(question, signal)) === null) return;
    const endAll = async () => {
      for (const { id } of pages) await send(`/v1/users/${ownId}/logins/${id}`, { method: "DELETE" });
    };
    await board.run(endAll, text("apps.endedPages"));
  }

  const used = Math.max(...pages.map(({ lastUsedTime }) => Date.parse(lastUsedTime)));
  return item(name, [text("apps.pagesAbout"), text("apps.used", { time: ago(Date.now() - used) })], [itemButton(text("apps.end"), name, end, "danger")]);
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
