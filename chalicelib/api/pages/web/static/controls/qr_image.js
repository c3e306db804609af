// A QR code as a picture.

import { s } from "../dom.js";
import { qrCode } from "../qr.js";

const QUIET_ZONE = 4;

/**
 * The picture of a QR code, dark on light whatever the colors of the page.
 * @param {string} content
 * @param {string} label for screen readers
 * @returns {SVGElement}
 */
export function qrImage(content, label) {
  const modules = qrCode(content);
  const width = modules.length + 2 * QUIET_ZONE;
  const path = modules.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z` : ""))).join("");
  return s("svg", { class: "qr", viewBox: `0 0 ${width} ${width}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    s("rect", { width, height: width, class: "light" }), s("path", { d: path, class: "dark" }));
}
