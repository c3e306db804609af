// The view "Now": the last reading with its arrow and age, and the hours before it.

import { json } from "./api.js";
import { choices, fill, h } from "./dom.js";
import { ARROWS, MG_DL_PER_MMOL_L, rangeOf, shownReading, trendOf } from "./glucose.js";
import { glucoseChart } from "./glucose_chart.js";
import { GLUCOSE, readNewest, readRecords, TREATMENTS } from "./records.js";
import { fragmentOf } from "./route.js";
import { OfflineError } from "./session.js";
import { sharersSection } from "./sharers.js";
import { text } from "./texts.js";
import { ago, DAY, HOUR, MINUTE, moment } from "./times.js";

const HOURS = ["3", "6", "12", "24"];
const LEAD = 6 * HOUR;
const STALE = 20 * MINUTE;
const OLD = 3 * HOUR;
const ASKED_EVERY = 60_000;
const TREND_OVER = 16 * MINUTE;
const AFTER_LAST = 5 * MINUTE;

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("./views.js").Context} context
 */
export async function show(root, context) {
  const { person, parameters, signal } = context;
  const state = {
    hours: HOURS.includes(parameters.get("hours")) ? parameters.get("hours") : "6", isOffline: false, chosen: { time: null },
  };
  const last = lastReading();
  const chart = h("div", { class: "card" });
  const selection = choices(text("now.hours"), HOURS.map((value) => ({ value, name: text("now.hour", { value }) })), state.hours, (value) => {
    state.hours = value;
    context.remember({ hours: value });
    drawChart(chart, state, person, signal);
  });

  await read(state, person.id, signal);
  if (state.newest) draw();
  else fill(root, await emptyWords(context));

  const update = () => { if (!document.hidden) refresh().catch(context.fail); };
  const timer = setInterval(update, ASKED_EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", update, { signal });
  addEventListener("online", update, { signal });

  async function refresh() {
    await readIfChanged(state, person.id, signal);
    if (state.newest && !signal.aborted) draw();
  }

  function draw() {
    last.draw(state, person);
    drawChart(chart, state, person, signal);
    if (!last.element.isConnected) fill(root, last.element, selection, chart);
  }
}

async function read(state, userId, signal) {
  const now = Date.now();
  [state.freshness, state.newest, state.records] = await Promise.all([
    readFreshness(userId, signal),
    readNewest(userId, signal),
    readRecords(userId, dayBefore(now), null, [...GLUCOSE, ...TREATMENTS], signal),
  ]);
  if (isOld(state.newest, now)) {
    const { time } = state.newest;
    state.records = await readRecords(userId, dayBefore(time), time + AFTER_LAST, [...GLUCOSE, ...TREATMENTS], signal);
  }
}

function isOld(newest, now) {
  return Boolean(newest) && newest.time < now - OLD;
}

/** The beginning of what is read: by whole hours, so that a repeated request is the same and its tag serves. */
function dayBefore(time) {
  return Math.floor(time / HOUR) * HOUR - DAY - LEAD;
}

/** Read again if something came in; no answer leaves what there is. */
async function readIfChanged(state, userId, signal) {
  try {
    const freshness = await readFreshness(userId, signal);
    if (freshness !== state.freshness) await read(state, userId, signal);
    state.isOffline = false;
  } catch (error) {
    if (!(error instanceof OfflineError)) throw error;
    state.isOffline = true;
  }
}

async function readFreshness(userId, signal) {
  return JSON.stringify(await json(`/v1/users/${userId}/freshness`, { signal }));
}

/** The last reading in large. A screen reader hears a new reading and a new notice, not each minute of the age. */
function lastReading() {
  const value = h("div", { "aria-live": "polite" });
  const age = h("p", {});
  const notices = h("div", { role: "status" });

  function draw({ newest, records, isOffline }, { units, zone }) {
    const passed = Date.now() - newest.time;
    const isStale = passed >= STALE;
    const trend = isStale ? null : trendWord(newest, records.readings);
    fillIfChanged(value, [newest.time, newest.mmol, isStale, trend], largeValue(newest, trend, isStale, units));
    fill(age, text(`range.${rangeOf(newest.mmol)}`), ", ", ago(passed), " (", moment(newest.time, zone), ")");
    const words = [isOffline && text("now.offline"), isStale && staleWords(passed)].filter(Boolean);
    fillIfChanged(notices, words, words.map((each) => h("p", { class: "notice" }, each)));
  }

  return { element: h("div", { class: "last" }, value, age, notices), draw };
}

function largeValue(newest, trend, isStale, units) {
  return h("p", { class: `now-value ${isStale ? "stale" : rangeOf(newest.mmol)}` },
    h("strong", {}, shownReading(newest, units)), " ", h("span", { class: "units" }, units), " ",
    trend && h("span", { class: "arrow" }, h("span", { "aria-hidden": "true" }, ARROWS[trend]), h("span", { class: "hidden" }, text(`trend.${trend}`))));
}

function staleWords(passed) {
  if (passed > OLD) return text("now.old");
  if (passed >= 2 * HOUR) return text("now.staleHours", { hours: Math.floor(passed / HOUR) });
  return text("now.stale", { minutes: Math.round(passed / MINUTE) });
}

function fillIfChanged(element, key, ...children) {
  const written = JSON.stringify(key);
  if (element.dataset.key === written) return;
  element.dataset.key = written;
  fill(element, children);
}

/** The trend that the sensor says, else that of the last readings of the same sensor; null without either. */
function trendWord(newest, readings) {
  if (newest.trend in ARROWS) return newest.trend;
  const before = readings.find(({ device, isSensor, time }) =>
    isSensor && device === newest.device && newest.time - time <= TREND_OVER && newest.time - time >= 4 * MINUTE);
  if (!newest.isSensor || !before) return null;
  return trendOf(((newest.mmol - before.mmol) * MG_DL_PER_MMOL_L * MINUTE) / (newest.time - before.time));
}

/** Draws the hours up to now, or up to a last reading that is old. Who is at the slider stays there. */
function drawChart(root, { records, newest, hours, chosen }, person, signal) {
  const now = Date.now();
  const end = isOld(newest, now) ? newest.time + AFTER_LAST : now;
  const isAtSlider = root.querySelector("input") !== null && root.querySelector("input") === document.activeElement;
  fill(root, glucoseChart({ records, from: end - Number(hours) * HOUR, to: end, person, chosen, signal }));
  if (isAtSlider) root.querySelector("input")?.focus();
}

/** How data comes, and the people whose data the person sees. */
async function emptyWords(context) {
  if (!context.person.isSelf) return h("p", { class: "card" }, text("now.emptyOther"));
  return [
    await sharersSection(context),
    h("div", { class: "card" },
      h("p", {}, text("now.empty")),
      h("p", {}, h("a", { href: fragmentOf("apps") }, text("now.token"))),
      h("p", {}, h("a", { href: "/docs" }, text("welcome.docs")))),
  ];
}
