// The ambulatory glucose profile: median and percentiles by the time of day; and a small course for each day.

import { h, s } from "./dom.js";
import { border, MG_DL, RANGES } from "./glucose.js";
import { apart, band, columns, drawing, path, plot, responsive, rows } from "./plot.js";
import { text } from "./texts.js";

const HEIGHT = 320;
const MINUTES = 1440;
const SMALL = { width: 140, height: 64 };
const GAP_MINUTES = 20;

/**
 * The profile with a legend.
 * @param {{profile: number[][], profileMmol: number[][], binMinutes: number}} body of the API
 * @param {string} units
 * @param {AbortSignal} signal
 * @returns {HTMLElement}
 */
export function agpChart(body, units, signal) {
  const bins = units === MG_DL ? body.profile : body.profileMmol;
  return h("figure", {},
    responsive((width) => draw(bins, body.binMinutes, units, width), signal),
    h("ul", { class: "legend" },
      ["median", "narrow", "wide", "limits"].map((name) => h("li", { class: `key-${name}` }, text(`agp.${name}`)))));
}

function draw(bins, binMinutes, units, width) {
  const top = Math.max(units === MG_DL ? 300 : 16.7, ...bins.map((bin) => bin[6])) * 1.03;
  const area = plot({ left: 40, right: width - 24, top: 8, bottom: HEIGHT - 24 }, [0, MINUTES], [units === MG_DL ? 20 : 1.1, top]);
  const line = (index) => (part) => minutesOf(part, binMinutes).map(([minute, bin]) => [area.x(minute), area.y(bin[index])]);
  const parts = connected(bins, binMinutes);
  const bands = (name, upper, lower) => parts.map((part) => band(name, line(upper)(part), line(lower)(part)));
  const limits = [border(RANGES.low, units), border(RANGES.high, units)];
  return drawing(width, HEIGHT, text("agp.label"),
    rows(area, apart([...limits, ...(units === MG_DL ? [54, 120, 250, 300, 350, 400] : [3, 7, 14, 17, 20])].filter((value) => value < top), area)),
    columns(area, hourMarks(width)),
    bands("band-wide", 6, 2),
    bands("band-narrow", 5, 3),
    parts.map((part) => s("path", { class: "median", d: path(line(4)(part)) })),
    limits.map((value) => s("line", { class: "limit", x1: area.left, x2: area.right, y1: area.y(value), y2: area.y(value) })));
}

/** Where the bins of a part are drawn: in the middle of each; one that stands alone over its whole width. */
function minutesOf(part, binMinutes) {
  if (part.length === 1) return [[part[0][0], part[0]], [part[0][0] + binMinutes, part[0]]];
  return part.map((bin) => [bin[0] + binMinutes / 2, bin]);
}

/** The bins in parts without a hole. */
function connected(bins, binMinutes) {
  const parts = [];
  bins.forEach((bin, index) => {
    if (index === 0 || bin[0] - bins[index - 1][0] > binMinutes) parts.push([]);
    parts.at(-1).push(bin);
  });
  return parts;
}

function hourMarks(width) {
  const step = width < 500 ? 6 : 3;
  return Array.from({ length: 24 / step + 1 }, (_, index) => index * step)
    .map((hour) => ({ value: hour * 60, name: `${String(hour).padStart(2, "0")}:00` }));
}

/**
 * The course of one day, small.
 * @param {{readings: [number, number, number][]}} day of the API: minute, mg/dL, mmol/L
 * @returns {SVGElement} for the eye only
 */
export function dayCourse({ readings }) {
  const area = plot({ left: 0, right: SMALL.width, top: 2, bottom: SMALL.height - 2 }, [0, MINUTES], [30, 350]);
  const parts = [];
  readings.forEach(([minute, mgdl], index) => {
    const since = index ? minute - readings[index - 1][0] : Infinity;
    if (since > GAP_MINUTES || since < 0) parts.push([]);
    parts.at(-1).push([area.x(minute), area.y(Math.min(350, Math.max(30, mgdl)))]);
  });
  const [high, low] = [area.y(RANGES.high), area.y(RANGES.low)];
  return s("svg", { viewBox: `0 0 ${SMALL.width} ${SMALL.height}`, "aria-hidden": "true" },
    s("rect", { class: "target", x: 0, width: SMALL.width, y: high, height: low - high }),
    parts.map((points) => s("path", { class: "median small", d: path(points.length > 1 ? points : [points[0], points[0]]) })));
}
