// The view "Now": the last reading with its arrow and age, and the hours before it.

import { json } from "./api.js";
import { choices, fill, h } from "./dom.js";
import { ARROWS, MG_DL_PER_MMOL_L, rangeOf, shown, trendOf } from "./glucose.js";
import { glucoseChart } from "./glucose_chart.js";
import { GLUCOSE, readNewest, readRecords, TREATMENTS } from "./records.js";
import { OfflineError } from "./session.js";
import { text } from "./texts.js";
import { ago, DAY, HOUR, MINUTE, moment } from "./times.js";

const HOURS = ["3", "6", "12", "24"];
const LEAD = 6 * HOUR;
const STALE = 20 * MINUTE;
const ASKED_EVERY = 60_000;
const TREND_OVER = 16 * MINUTE;

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("./views.js").Context} context
 */
export async function show(root, context) {
  const { person, parameters, signal } = context;
  const state = { hours: HOURS.includes(parameters.get("hours")) ? parameters.get("hours") : "6", isOffline: false };
  const last = h("div", { class: "last", "aria-live": "polite" });
  const chart = h("div", { class: "card" });
  const selection = choices(text("now.hours"), HOURS.map((value) => ({ value, name: text("now.hour", { value }) })), state.hours, (value) => {
    state.hours = value;
    context.remember({ hours: value });
    drawChart(chart, state, person, signal);
  });

  await read(state, person.id, signal);
  drawLast(last, state, person);
  if (state.newest) drawChart(chart, state, person, signal);
  fill(root, last, state.newest ? [selection, chart] : emptyWords(person));

  const timer = setInterval(() => refresh().catch(context.fail), ASKED_EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));

  async function refresh() {
    const hadData = Boolean(state.newest);
    const hasChanged = await readIfChanged(state, person.id, signal);
    drawLast(last, state, person);
    if (!hasChanged) return;
    drawChart(chart, state, person, signal);
    if (!hadData && state.newest) fill(root, last, selection, chart);
  }
}

async function read(state, userId, signal) {
  const now = Date.now();
  [state.freshness, state.newest, state.records] = await Promise.all([
    readFreshness(userId, signal),
    readNewest(userId, signal),
    readRecords(userId, dayBefore(now), null, [...GLUCOSE, ...TREATMENTS], signal),
  ]);
  state.end = now;
  if (state.newest && state.newest.time < now - 3 * HOUR) {
    state.end = state.newest.time + 5 * MINUTE;
    const start = dayBefore(state.newest.time);
    state.records = await readRecords(userId, start, state.end, [...GLUCOSE, ...TREATMENTS], signal);
  }
}

/** The beginning of what is read: by whole hours, so that a repeated request is the same and its tag serves. */
function dayBefore(time) {
  return Math.floor(time / HOUR) * HOUR - DAY - LEAD;
}

/** Read again if something came in; no answer leaves what there is. */
async function readIfChanged(state, userId, signal) {
  try {
    const freshness = await readFreshness(userId, signal);
    state.isOffline = false;
    if (freshness === state.freshness) return false;
    await read(state, userId, signal);
    return true;
  } catch (error) {
    if (!(error instanceof OfflineError)) throw error;
    state.isOffline = true;
    return false;
  }
}

async function readFreshness(userId, signal) {
  return JSON.stringify(await json(`/v1/users/${userId}/freshness`, { signal }));
}

function drawLast(root, { newest, records, isOffline }, { units, zone }) {
  if (!newest) return fill(root);
  const age = Date.now() - newest.time;
  const trend = age < STALE ? trendWord(newest, records.readings) : null;
  const sign = { low: "≤ ", high: "≥ " }[newest.beyond] || "";
  return fill(root,
    h("p", { class: `now-value ${rangeOf(newest.mmol)}` },
      h("strong", {}, sign + shown(newest.mmol, units)), " ", h("span", { class: "units" }, units), " ",
      trend && h("span", { class: "arrow" }, h("span", { "aria-hidden": "true" }, ARROWS[trend]), h("span", { class: "hidden" }, text(`trend.${trend}`)))),
    h("p", {}, text(`range.${rangeOf(newest.mmol)}`), ", ", ago(age), " (", moment(newest.time, zone), ")"),
    isOffline && h("p", { class: "notice" }, text("now.offline")),
    age >= STALE && h("p", { class: "notice" }, age < 2 * HOUR ? text("now.stale", { minutes: Math.floor(age / MINUTE) }) : text("now.old")));
}

/** The trend that the sensor says, else that of the last readings of the same sensor; null without either. */
function trendWord(newest, readings) {
  if (newest.trend in ARROWS) return newest.trend;
  const before = readings.find(({ device, isSensor, time }) =>
    isSensor && device === newest.device && newest.time - time <= TREND_OVER && newest.time - time >= 4 * MINUTE);
  if (!newest.isSensor || !before) return null;
  return trendOf(((newest.mmol - before.mmol) * MG_DL_PER_MMOL_L * MINUTE) / (newest.time - before.time));
}

function drawChart(root, { records, hours, end }, person, signal) {
  fill(root, glucoseChart({ records, from: end - Number(hours) * HOUR, to: end, person, signal }));
}

function emptyWords(person) {
  return h("p", { class: "card" }, text(person.isSelf ? "now.empty" : "now.emptyOther"), " ",
    person.isSelf && h("a", { href: "/docs" }, text("welcome.docs")));
}
