// Time in ranges: a bar, and a list with the figures.

import { h, s } from "./dom.js";
import { drawing } from "./plot.js";
import { bordersOf, share } from "./report_format.js";
import { text } from "./texts.js";

const FROM_HIGHEST = ["veryHigh", "high", "target", "low", "veryLow"];
const WIDTH = 300, HEIGHT = 28;

/**
 * The shares of the ranges.
 * @param {Record<string, number>} ranges in percent
 * @param {string} units
 * @returns {HTMLElement}
 */
export function rangesBar(ranges, units) {
  const borders = bordersOf(units);
  let left = 0;
  const parts = [...FROM_HIGHEST].reverse().map((name) => {
    const width = (Math.max(0, ranges[name]) / 100) * WIDTH;
    const part = s("rect", { class: `share ${name}`, x: left, width, y: 0, height: HEIGHT });
    left += width;
    return part;
  });
  const label = text("report.rangesLabel", { target: share(ranges.target) });
  const bar = drawing(WIDTH, HEIGHT, label, parts);
  bar.setAttribute("preserveAspectRatio", "none");
  return h("div", { class: "ranges" },
    bar,
    h("ul", {}, FROM_HIGHEST.map((name) => h("li", { class: name },
      h("span", {}, text(`range.${name}`)), h("span", { class: "quiet-text" }, `${borders[name]} ${units}`),
      h("strong", { "data-range": name }, share(ranges[name]))))));
}
