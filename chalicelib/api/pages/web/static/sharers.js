// The people who share with the one who is signed in, each with the last reading, for those who have no data of their own.

import { json, RefusedError } from "./api.js";
import { items, section } from "./controls/section.js";
import { fill, h } from "./dom.js";
import { shownReading } from "./glucose.js";
import { nameOf } from "./names.js";
import { readNewest } from "./records.js";
import { fragmentOf } from "./route.js";
import { text } from "./texts.js";
import { ago } from "./times.js";

/** So many people have their last reading beside their name: each is a request. */
const WITH_READING = 20;

/**
 * The people, as links to their data.
 * @param {import("./views.js").Context} context
 * @returns {Promise<HTMLElement|null>} null for nobody; the readings come later
 */
export async function sharersSection(context) {
  const users = await json(`/metadata/users/${context.ownId}/users`, { signal: context.signal });
  const sharers = users.filter(({ trustorPermissions }) => trustorPermissions?.view || trustorPermissions?.custodian);
  if (!sharers.length) return null;
  return section(text("now.shared"), items(sharers.map((user, index) => sharerItem(user, index < WITH_READING, context)), ""));
}

function sharerItem({ userid, username, profile }, hasReading, context) {
  const last = h("p", { class: "quiet-text" });
  if (hasReading) drawLast(last, userid, context).catch((error) => error instanceof RefusedError || context.fail(error));
  return h("li", {}, h("a", { class: "row", href: fragmentOf("now", userid) }, nameOf(profile, username || userid)), last);
}

async function drawLast(root, userId, { person: { units }, signal }) {
  const newest = await readNewest(userId, signal);
  fill(root, newest ? text("check.last", { what: `${shownReading(newest, units)} ${units}`, time: ago(Date.now() - newest.time) }) : text("now.nothingYet"));
}
