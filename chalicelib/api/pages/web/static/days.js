// The view "Days": one day as a chart, by hours in a table, and as a list of everything.

import { jsonOrNull, RefusedError } from "./api.js";
import { fill, h, loading, table } from "./dom.js";
import { shown, shownReading } from "./glucose.js";
import { amount, glucoseChart } from "./glucose_chart.js";
import { rangesBar } from "./ranges_bar.js";
import { basalUnits, GLUCOSE, readNewest, readRecords, TREATMENTS } from "./records.js";
import { either, rounded } from "./report_format.js";
import { text } from "./texts.js";
import { addDays, clockOfDay, dateName, DAY, FIRST_DATE, HOUR, isDate, LAST_DATE, localDate, startOfDate } from "./times.js";

/** The types of an override without a name of its own. */
const OVERRIDES = ["custom", "physicalActivity", "preprandial", "sleep"];

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("./views.js").Context} context
 */
export async function show(root, context) {
  const { person, parameters, signal } = context;
  const asked = parameters.get("date");
  const newest = isDate(asked) ? null : await readNewest(person.id, signal);
  const content = h("div", {}, loading());
  const told = h("p", { class: "hidden", role: "status" });
  // A year that is typed is first 0002, then 0020: these are no dates to go to.
  const input = h("input", { type: "date", id: "date", min: FIRST_DATE, max: LAST_DATE, onchange: () => isDate(input.value) && goTo(input.value) });
  const step = (name, arrow, days) => h("button", {
    type: "button", class: "quiet", "aria-label": text(name), title: text(name), onclick: () => goTo(addDays(content.dataset.date, days)),
  }, arrow);
  const goTo = (date) => {
    context.remember({ date });
    input.value = date;
    return draw(content, date, context).then(() => fill(told, dateName(input.value))).catch(context.fail);
  };
  fill(root, h("div", { class: "tools" }, step("days.before", "←", -1),
    h("div", {}, h("label", { for: "date", class: "hidden" }, text("days.date")), input), step("days.after", "→", 1)), told, content);
  input.value = isDate(asked) ? asked : localDate(newest?.time ?? Date.now(), person.zone);
  await draw(content, input.value, context);
}

async function draw(root, date, { person, signal }) {
  root.dataset.date = date;
  const day = { from: startOfDate(date, person.zone), to: startOfDate(addDays(date, 1), person.zone) };
  root.setAttribute("aria-busy", "true");
  const [{ statistics, isLimited }, records] = await Promise.all([
    readDay(person, date, day.to, signal),
    readRecords(person.id, day.from - DAY, day.to, [...GLUCOSE, ...TREATMENTS], signal),
  ]);
  if (signal.aborted || root.dataset.date !== date) return;
  const ofDay = within(records, day);
  const isEmpty = Object.values(ofDay).every((list) => !list.length);
  root.setAttribute("aria-busy", "false");
  fill(root, h("h2", {}, dateName(date)), isEmpty ? h("p", { class: "card" }, text(isLimited ? "days.nothingShared" : "days.empty")) : [
    isLimited && h("p", { class: "notice" }, text("days.limited")),
    statistics && h("section", { class: "card" }, summary(statistics, person.units)),
    h("section", { class: "card" }, glucoseChart({ records, ...day, to: day.to - 1, person, signal })),
    h("section", { class: "card" }, byHour(ofDay, day, person)),
    h("section", { class: "card" }, everything(ofDay, day, person)),
  ]);
}

/** The day's own figures, null without readings, and whether the viewer sees the last hours only, and so no figures. */
async function readDay(person, date, end, signal) {
  // Two days: a day on which clocks go back has 25 hours.
  const query = new URLSearchParams({ days: 2, tz: person.zone, end: new Date(end).toISOString() });
  try {
    const body = await jsonOrNull(`/v1/users/${person.id}/agp?${query}`, signal);
    return { statistics: body?.days.find((day) => day.date === date) || null, isLimited: false };
  } catch (error) {
    if (error instanceof RefusedError && error.status === 403 && !person.isSelf) return { statistics: null, isLimited: true };
    throw error;
  }
}

function within(records, { from, to }) {
  const inTime = ({ time }) => from <= time && time < to;
  const overlaps = ({ time, end }) => time < to && end > from;
  return {
    readings: records.readings.filter(inTime),
    boluses: records.boluses.filter(inTime),
    injections: records.injections.filter(inTime),
    carbs: records.carbs.filter(inTime),
    basals: records.basals.filter(overlaps),
    overrides: records.overrides.filter(overlaps),
  };
}

function summary(day, units) {
  return [
    rangesBar(day.ranges, units),
    h("dl", { class: "figures" },
      h("div", {}, h("dt", {}, text("figure.mean")), h("dd", { "data-figure": "mean" }, `${either(day.meanMgdl, day.meanMmol, units)} ${units}`)),
      h("div", {}, h("dt", {}, text("figure.records")), h("dd", { "data-figure": "records" }, day.records))),
  ];
}

function byHour(records, { from, to }, { units, zone }) {
  const hours = [];
  for (let start = from; start < to; start += HOUR) hours.push(start);
  const ofSensor = records.readings.filter(({ isSensor }) => isSensor);
  const counted = ofSensor.length ? ofSensor : records.readings; // as the figures of the day, which are of the sensor
  const caption = text(ofSensor.length ? "days.byHour" : "days.byHourMeter", { units });
  const insulin = [...records.boluses, ...records.injections];
  const given = records.injections.length ? "days.injected" : "days.bolus";
  const headings = ["days.hour", "figure.records", "figure.mean", "days.lowest", "days.highest", given, "days.basal", "days.carbs"];
  return table(caption, headings.map((key) => text(key)), hours.map((start) => {
    const inHour = ({ time }) => start <= time && time < start + HOUR;
    const values = counted.filter(inHour).map(({ mmol }) => mmol);
    const glucose = (value) => (values.length ? shown(value, units) : "–");
    const sum = (list) => list.reduce((total, value) => total + value, 0);
    const written = (value, decimals) => (value ? rounded(value, decimals) : "–");
    return [
      clockOfDay(start, zone),
      values.length,
      glucose(sum(values) / values.length),
      glucose(Math.min(...values)),
      glucose(Math.max(...values)),
      written(sum(insulin.filter(inHour).map((dose) => dose.units)), 2),
      written(basalUnits(records.basals, start, start + HOUR), 2),
      written(sum(records.carbs.filter(inHour).map(({ grams }) => grams)), 0),
    ];
  }));
}

function everything(records, { from, to }, { units, zone }) {
  // A span that goes beyond the day is said to begin or to end with it.
  const spans = (end) => {
    if (end === Infinity) return ` ${text("days.noEnd")}`;
    return end > to ? ` ${text("days.untilEnd")}` : ` ${text("days.until", { time: clockOfDay(end, zone) })}`;
  };
  const overrideName = (name) => (OVERRIDES.includes(name) ? text(`override.${name}`) : name);
  const lines = [
    ...records.readings.map((reading) =>
      [reading.time, text(reading.isSensor ? "chart.reading" : "chart.meter"), `${shownReading(reading, units)} ${units}`]),
    ...records.boluses.map((bolus) => [bolus.time, text("figure.bolus"), `${amount(bolus.units)} U`]),
    ...records.injections.map(({ time, units: given }) => [time, text("figure.injection"), `${amount(given)} U`]),
    ...records.basals.map(({ time, end, rate }) => [Math.max(time, from), text("chart.basal"), `${amount(rate)} U/h${spans(end)}`]),
    ...records.carbs.map(({ time, grams, name }) => [time, text("chart.carbs"), `${rounded(grams, 0)} g ${name}`.trim()]),
    ...records.overrides.map(({ time, end, name }) => [Math.max(time, from), text("chart.override"), `${overrideName(name)}${spans(end)}`]),
  ].sort(([a], [b]) => a - b);
  const details = h("details", { ontoggle: () => {
    if (details.open && details.children.length === 1) {
      details.append(table(text("days.everything"), ["agp.time", "days.what", "days.value"].map((key) => text(key)),
        lines.map(([time, what, value]) => [clockOfDay(time, zone), what, value]), "texts"));
    }
  } }, h("summary", {}, text("days.everything"), ` (${lines.length})`));
  return details;
}
