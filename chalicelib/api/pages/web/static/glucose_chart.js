// The chart of readings, insulin, carbohydrates and overrides over some hours.

import { h, s } from "./dom.js";
import { inUnits, MG_DL, rangeOf, shown, shownReading } from "./glucose.js";
import { drawnTarget } from "./person.js";
import { apart, columns, drawing, path, plot, responsive, rows } from "./plot.js";
import { text } from "./texts.js";
import { clock, clockOfDay, HOUR, localDate, MINUTE, startOfDate } from "./times.js";

const HEIGHT = 360;
const LANE_TOP = 262, LANE_BOTTOM = 330;
const GAP = 16 * MINUTE;
const LEFT = 40, RIGHT = 24;
const MARK_WIDTH = 34, MARK_ROWS = 3, MARK_HEIGHT = 14;
const LEAST_WRITTEN = 1, DIGIT_WIDTH = 7;

/**
 * @typedef {object} Shown what a chart shows
 * @property {import("./records.js").Records} records
 * @property {number} from
 * @property {number} to
 * @property {import("./person.js").Person} person
 * @property {{time: number|null}} [chosen] keeps the time of the reading that was chosen, null for the last, for the next drawing
 * @property {AbortSignal} signal
 */

/**
 * The chart, with a slider that reads its values out, for pointer, keyboard and screen reader.
 * @param {Shown} shown
 * @returns {HTMLElement}
 */
export function glucoseChart(given) {
  const inside = within(given);
  const chosen = given.chosen || { time: null };
  const { readings } = inside.records;
  const holder = h("div", { class: "holder" }, responsive((width) => draw(inside, width), given.signal));
  if (!readings.length) return h("figure", {}, holder);
  const output = h("output", { class: "value", "aria-live": "off" }); // the slider says it
  const slider = h("input", {
    type: "range", min: 0, max: readings.length - 1, value: readings.length - 1, "aria-label": text("chart.slider"),
    oninput: () => choose(Number(slider.value)),
  });
  const point = (index) => {
    const words = readingWords(readings[index], given.person);
    output.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    moveCursor(holder, inside, readings[index]);
  };
  const choose = (index) => {
    chosen.time = index === readings.length - 1 ? null : readings[index].time;
    slider.value = index;
    point(index);
  };
  holder.addEventListener("pointermove", (event) => {
    const { left, width } = holder.getBoundingClientRect();
    choose(nearest(readings, timeAt(inside, event.clientX - left, width)));
  });
  choose(chosen.time === null ? readings.length - 1 : nearest(readings, chosen.time));
  return h("figure", {}, holder, h("div", { class: "reader" }, slider, output), legend(inside.records));
}

/** A reading in words. @param {import("./records.js").Reading} reading @param {import("./person.js").Person} person */
export function readingWords(reading, { units, zone }) {
  return `${clockOfDay(reading.time, zone)}  ${shownReading(reading, units)} ${units}`;
}

function within({ records, from, to, ...others }) {
  const inTime = ({ time }) => from <= time && time <= to;
  const overlaps = ({ time, end }) => time < to && end > from;
  return {
    ...others, from, to,
    records: {
      readings: records.readings.filter(inTime),
      boluses: records.boluses.filter(inTime),
      injections: records.injections.filter(inTime),
      carbs: records.carbs.filter(inTime),
      basals: records.basals.filter(overlaps),
      overrides: records.overrides.filter(overlaps),
    },
  };
}

function areaOf({ from, to, records, person }, width) {
  const highest = Math.max(inUnits(16, person.units), ...records.readings.map(({ mmol }) => inUnits(mmol, person.units)));
  const lowest = Math.min(inUnits(2.2, person.units), ...records.readings.map(({ mmol }) => inUnits(mmol, person.units)));
  return plot({ left: LEFT, right: width - RIGHT, top: 50, bottom: 246 }, [from, to], [lowest, highest * 1.03]);
}

function draw(given, width) {
  const { records, person, from, to } = given;
  const area = areaOf(given, width);
  const lane = { ...area, top: LANE_TOP, bottom: LANE_BOTTOM };
  const target = drawnTarget(person);
  return drawing(width, HEIGHT, labelOf(given),
    s("rect", { class: "target", x: area.left, width: area.right - area.left, y: area.y(target.high), height: area.y(target.low) - area.y(target.high) }),
    [target.low, target.high].map((value) => s("line", { class: "limit", x1: area.left, x2: area.right, y1: area.y(value), y2: area.y(value) })),
    rows(area, ticks(person.units, area)),
    columns({ ...lane, top: area.top }, hours(from, to, person.zone, width)),
    records.overrides.map((override) => overrideMark(override, area, given)),
    basalArea(records.basals, lane, given),
    bolusMarks(records, lane),
    lines(records.readings, area, person.units),
    records.readings.map((reading) => dot(reading, area, person.units)),
    carbsMarks(records.carbs, area),
    s("line", { class: "cursor", y1: area.top, y2: LANE_BOTTOM, x1: -9, x2: -9 }));
}

function ticks(units, area) {
  const values = units === MG_DL ? [70, 180, 250, 54, 120, 300, 350, 400] : [4, 10, 14, 3, 7, 17, 20, 22];
  return apart(values.filter((value) => area.y(value) >= area.top), area);
}

function hours(from, to, zone, width) {
  const step = [1, 2, 3, 4, 6, 8].find((count) => ((to - from) / HOUR / count) * 52 <= width) || 12;
  const marks = [];
  let time = startOfDate(localDate(from, zone), zone);
  for (; time <= to; time += HOUR) {
    const name = clock(time, zone);
    if (time >= from && Number(name.slice(0, 2)) % step === 0) marks.push({ value: time, name });
  }
  return marks;
}

function dot(reading, area, units) {
  const [cx, cy] = [area.x(reading.time), area.y(inUnits(reading.mmol, units))];
  const name = `reading ${rangeOf(reading.mmol)}`;
  if (reading.isSensor) return s("circle", { class: name, cx, cy, r: 2.2 });
  return s("circle", { class: `${name} meter`, cx, cy, r: 4.5 });
}

/** Lines between readings of one sensor that follow each other, so that two sensors are two lines. */
function lines(readings, area, units) {
  const byDevice = new Map();
  for (const reading of readings.filter(({ isSensor }) => isSensor)) {
    byDevice.set(reading.device, [...(byDevice.get(reading.device) || []), reading]);
  }
  return [...byDevice.values()].flatMap((ofDevice) => {
    const pieces = [];
    ofDevice.forEach((reading, index) => {
      const isNext = index > 0 && reading.time - ofDevice[index - 1].time <= GAP;
      if (!isNext) pieces.push([]);
      pieces.at(-1).push([area.x(reading.time), area.y(inUnits(reading.mmol, units))]);
    });
    return pieces.map((points) => s("path", { class: "course", d: path(points) }));
  });
}

function basalArea(basals, lane, { from, to }) {
  const highest = Math.max(2, ...basals.map(({ rate }) => rate));
  const height = (rate) => (rate / highest) * ((LANE_BOTTOM - LANE_TOP) * 0.6);
  return basals.map(({ time, end, rate }) => {
    const [x1, x2] = [lane.x(Math.max(time, from)), lane.x(Math.min(end, to))];
    return s("rect", { class: "basal", x: x1, y: LANE_BOTTOM - height(rate), width: Math.max(0, x2 - x1), height: height(rate) });
  });
}

/** Boluses and long-acting insulin, and the units of the largest: of those that would cover one, none is written. */
function bolusMarks({ boluses, injections }, lane) {
  const highest = Math.max(5, ...boluses.map(({ units }) => units));
  const height = ({ units }) => Math.max(3, (units / highest) * (LANE_BOTTOM - LANE_TOP - 12));
  const written = [];
  const amountAt = ({ time, units }, y) => {
    const x = lane.x(time), width = (amount(units).length + 1) * DIGIT_WIDTH;
    if (written.some((other) => Math.abs(other.x - x) < (other.width + width) / 2)) return null;
    written.push({ x, width });
    return s("text", { class: "mark", x, y, "text-anchor": "middle" }, amount(units));
  };
  const large = boluses.filter(({ units }) => units >= LEAST_WRITTEN).sort((a, b) => b.units - a.units);
  return [
    boluses.map((bolus) => s("rect", { class: "bolus", x: lane.x(bolus.time) - 2, y: LANE_BOTTOM - height(bolus), width: 4, height: height(bolus) })),
    injections.map(({ time }) => s("path", { class: "injection", d: `M${lane.x(time)} ${LANE_BOTTOM - 14}l7 7l-7 7l-7-7z` })),
    injections.map((injection) => amountAt(injection, LANE_BOTTOM - 17)),
    large.map((bolus) => amountAt(bolus, LANE_BOTTOM - height(bolus) - 3)),
  ];
}

/** The grams of each meal, in the first row where they cover no other. */
function carbsMarks(carbs, area) {
  const ends = Array(MARK_ROWS).fill(-Infinity);
  return carbs.map(({ time, grams }) => {
    const x = area.x(time);
    const free = ends.findIndex((end) => end <= x - MARK_WIDTH / 2);
    const row = free < 0 ? ends.indexOf(Math.min(...ends)) : free;
    ends[row] = x + MARK_WIDTH / 2;
    return s("text", { class: "carbs", x, y: 12 + row * MARK_HEIGHT, "text-anchor": "middle" }, `${Math.round(grams)} g`);
  });
}

function overrideMark(override, area, { from, to }) {
  const end = override.end === Infinity ? Date.now() : override.end;
  const [x1, x2] = [area.x(Math.max(override.time, from)), area.x(Math.min(end, to))];
  return s("rect", { class: "override", x: x1, y: area.bottom + 6, width: Math.max(1, x2 - x1), height: 5 });
}

/** An amount of insulin. @param {number} units */
export function amount(units) {
  return String(Math.round(units * 100) / 100);
}

function labelOf({ records: { readings }, from, to, person }) {
  const span = { from: clock(from, person.zone), to: clock(to, person.zone) };
  if (!readings.length) return text("chart.empty", span);
  const values = readings.map(({ mmol }) => mmol);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)].map((mmol) => shown(mmol, person.units));
  return text("chart.label", { ...span, lowest, highest, units: person.units });
}

function legend(records) {
  const names = [
    ["reading", records.readings.some(({ isSensor }) => isSensor)],
    ["meter", records.readings.some(({ isSensor }) => !isSensor)],
    ["bolus", records.boluses.length],
    ["basal", records.basals.length],
    ["injection", records.injections.length],
    ["carbs", records.carbs.length],
    ["override", records.overrides.length],
  ];
  return h("ul", { class: "legend" },
    names.filter(([, isThere]) => isThere).map(([name]) => h("li", { class: `key-${name}` }, text(`chart.${name}`))));
}

function moveCursor(holder, given, reading) {
  const cursor = holder.querySelector(".cursor");
  const x = areaOf(given, Math.round(holder.getBoundingClientRect().width)).x(reading.time);
  for (const end of ["x1", "x2"]) cursor?.setAttribute(end, x);
}

function timeAt({ from, to }, x, width) {
  return from + ((x - LEFT) / (width - LEFT - RIGHT)) * (to - from);
}

function nearest(readings, time) {
  let found = 0;
  readings.forEach((reading, index) => {
    if (Math.abs(reading.time - time) < Math.abs(readings[found].time - time)) found = index;
  });
  return found;
}
