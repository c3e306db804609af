// Parts of charts in SVG: scales, axes, lines, bands. Colors come from the style sheet, so charts follow the colors of
// the screen and print well.

import { h, fill, s } from "./dom.js";

const NAME_HEIGHT = 13;

/**
 * @typedef {object} Plot an area with scales
 * @property {number} width of the whole drawing
 * @property {number} height
 * @property {number} left of the area
 * @property {number} right
 * @property {number} top
 * @property {number} bottom
 * @property {(value: number) => number} x from a value to the drawing
 * @property {(value: number) => number} y
 */

/**
 * An area of a drawing.
 * @param {{left: number, right: number, top: number, bottom: number}} area
 * @param {[number, number]} xs the values at its left and right
 * @param {[number, number]} ys the values at its bottom and top
 * @returns {Plot}
 */
export function plot(area, [x0, x1], [y0, y1]) {
  return {
    ...area,
    x: (value) => round(area.left + ((value - x0) / (x1 - x0)) * (area.right - area.left)),
    y: (value) => round(area.bottom - ((value - y0) / (y1 - y0)) * (area.bottom - area.top)),
  };
}

function round(number) {
  return Math.round(number * 10) / 10;
}

/**
 * A drawing that is made again when its width changes.
 * @param {(width: number) => SVGElement} draw
 * @param {AbortSignal} signal of the view
 * @returns {HTMLElement}
 */
export function responsive(draw, signal) {
  const holder = h("div", { class: "chart" });
  let drawn = 0;
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.round(contentRect.width);
    if (width > 0 && width !== drawn) {
      drawn = width;
      fill(holder, draw(width));
    }
  });
  observer.observe(holder);
  signal.addEventListener("abort", () => observer.disconnect());
  return holder;
}

/**
 * An SVG of this size, described in words.
 * @param {number} width
 * @param {number} height
 * @param {string} label
 * @param {...import("./dom.js").Child} children
 */
export function drawing(width, height, label, ...children) {
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, children);
}

/**
 * The path of a line through points.
 * @param {[number, number][]} points in the drawing
 */
export function path(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join("");
}

/**
 * An area between two lines.
 * @param {string} name the class
 * @param {[number, number][]} upper
 * @param {[number, number][]} lower
 */
export function band(name, upper, lower) {
  return s("path", { class: name, d: `${path([...upper, ...[...lower].reverse()])}Z` });
}

/**
 * The values whose names have room beside each other at the left.
 * @param {number[]} values the most important first
 * @param {Plot} area
 */
export function apart(values, area) {
  const kept = [];
  for (const value of values) {
    if (kept.every((other) => Math.abs(area.y(other) - area.y(value)) >= NAME_HEIGHT)) kept.push(value);
  }
  return kept;
}

/**
 * Horizontal lines with their values at the left.
 * @param {Plot} area
 * @param {number[]} values
 */
export function rows(area, values) {
  return values.map((value) => [
    s("line", { class: "grid", x1: area.left, x2: area.right, y1: area.y(value), y2: area.y(value) }),
    s("text", { class: "tick", x: area.left - 6, y: area.y(value) + 4, "text-anchor": "end" }, value),
  ]);
}

/**
 * Vertical lines with names below.
 * @param {Plot} area
 * @param {{value: number, name: string}[]} marks
 */
export function columns(area, marks) {
  return marks.map(({ value, name }) => [
    s("line", { class: "grid", x1: area.x(value), x2: area.x(value), y1: area.top, y2: area.bottom }),
    s("text", { class: "tick", x: area.x(value), y: area.bottom + 16, "text-anchor": "middle" }, name),
  ]);
}
