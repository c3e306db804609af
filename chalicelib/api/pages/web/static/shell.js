// The frame of all views: header, navigation, and the messages about what went wrong.

import { RefusedError } from "./api.js";
import { alertBox, fill, h, loading } from "./dom.js";
import { readPerson } from "./person.js";
import { fragmentOf, parseRoute } from "./route.js";
import { EndedError, OfflineError, signIn, signOut } from "./session.js";
import { text } from "./texts.js";
import { browserZone } from "./times.js";
import { VIEWS } from "./views.js";

let ownId;
let person = null;
let leaving = new AbortController();

const navigation = h("nav", { "aria-label": text("nav.label") });
const whose = h("aside", { class: "whose", "aria-label": text("person.label"), hidden: true });
const root = h("main", { id: "view", tabindex: "-1" });
const told = h("p", { class: "hidden", role: "status" });

/**
 * Show the view that the address names, now and whenever it changes.
 * @param {string} userId who is signed in
 */
export async function start(userId) {
  ownId = userId;
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#view", onclick: skip }, text("nav.skip")),
    h("header", {},
      h("p", { class: "brand" }, "Strandline"),
      navigation,
      h("button", { type: "button", class: "quiet", onclick: signOut }, text("nav.signOut"))),
    whose,
    root,
    told,
  );
  addEventListener("hashchange", () => {
    const shown = showView();
    scrollTo(0, 0);
    root.focus({ preventScroll: true }); // at once: later it would be taken from where the person is by then
    fill(told);
    shown.then(() => fill(told, text("view.shown", { view: root.querySelector("h1").textContent })));
  });
  addEventListener("online", () => root.querySelector("[data-offline]") && showView());
  await showView();
}

function skip(event) {
  event.preventDefault();
  root.focus();
}

async function showView({ isReloaded = false } = {}) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const route = parseRoute(location.hash);
  const userId = route.userId || ownId;
  const offered = VIEWS.filter((view) => !view.isOwn || userId === ownId);
  const view = offered.find(({ id }) => id === route.view) || offered[0];
  drawNavigation(offered, view, userId);
  root.setAttribute("aria-busy", "true");
  const heading = h("h1", {}, text(`nav.${view.id}`));
  const content = h("div", { class: `view ${view.id}` }, loading());
  fill(root, heading, content); // what belongs to the view before is gone at once, also on a slow connection
  if (person?.id !== userId) whose.hidden = true;
  try {
    if (person?.id !== userId || isReloaded) person = await readPerson(userId, ownId);
    const { show } = await view.load();
    if (signal.aborted) return;
    drawWhose(view);
    if (!view.namesZone) heading.after(...aboutPerson());
    await show(content, contextOf(view, userId, route.parameters, signal));
  } catch (error) {
    fail(error, signal);
  } finally {
    if (!signal.aborted) root.setAttribute("aria-busy", "false");
  }
}

/** The name, for paper alone, and the time zone, which is needed where it is not the browser's. */
function aboutPerson() {
  const { name, zone } = person;
  const isForeign = zone !== browserZone();
  return [
    h("p", { class: "print-only" }, h("strong", {}, name)),
    h("p", { class: `quiet-text ${isForeign ? "" : "print-only"}` }, text("person.zone", { zone })),
  ];
}

/** Whose data is shown, if it is another person's: above the view, and in the title of the window. */
function drawWhose(view) {
  const { isSelf, name } = person;
  document.title = `${text(`nav.${view.id}`)}${isSelf ? "" : `: ${name}`} | Strandline`;
  fill(whose, isSelf ? "" : [
    h("span", {}, text("person.other", { name })),
    h("a", { href: fragmentOf(view.id) }, text("person.self")),
    h("a", { href: fragmentOf("sharing") }, text("person.others")),
  ]);
  whose.hidden = isSelf;
}

function contextOf(view, userId, parameters, signal) {
  const other = (id) => (id === ownId ? null : id);
  return {
    person,
    ownId,
    parameters,
    signal,
    remember: (given) => history.replaceState(null, "", fragmentOf(view.id, other(userId), given)),
    go: (id, options = {}) => {
      const target = "userId" in options ? options.userId : userId;
      location.hash = fragmentOf(id, target && other(target), options.parameters);
    },
    reload: () => showView({ isReloaded: true }),
    fail: (error) => fail(error, signal),
  };
}

function drawNavigation(offered, current, userId) {
  fill(navigation, offered.map((view) => h("a", {
    href: fragmentOf(view.id, userId === ownId ? null : userId),
    "aria-current": view === current ? "page" : null,
  }, text(`nav.${view.id}`))));
}

function fail(error, signal) {
  if (signal.aborted || error?.name === "AbortError") return;
  leaving.abort();
  fill(root, root.querySelector("h1"), messageOf(error));
  root.setAttribute("aria-busy", "false");
}

function messageOf(error) {
  const again = h("button", { type: "button", onclick: () => showView() }, text("error.again"));
  if (error instanceof EndedError) {
    return alertBox(text("error.ended"), h("button", { type: "button", onclick: () => signIn() }, text("welcome.signIn")));
  }
  if (error instanceof OfflineError) {
    const box = alertBox(text("error.offline"), again);
    box.dataset.offline = "";
    return box;
  }
  if (error instanceof RefusedError && [401, 403, 404].includes(error.status)) {
    return alertBox(text("error.forbidden"), h("a", { href: fragmentOf(VIEWS[0].id) }, text("person.self")));
  }
  if (error instanceof RefusedError && error.status === 429) return alertBox(text("error.tooMany"), again);
  if (error instanceof RefusedError && error.status === 503) return alertBox(text("refused.busy"), again);
  if (!(error instanceof RefusedError)) reportError(error);
  return alertBox(text("error.other"), again);
}
