// The views, in the order of the navigation. To add one, see docs/page.md.

/**
 * @typedef {object} Context what a view gets
 * @property {import("./person.js").Person} person whose data is shown
 * @property {string} ownId the id of the one who is signed in
 * @property {URLSearchParams} parameters of the address
 * @property {AbortSignal} signal aborted when the view is left: give it to requests and listeners, and stop timers
 * @property {(parameters: Record<string, string>) => void} remember write the view's parameters into the address
 * @property {(view: string, options?: {userId?: string|null, parameters?: Record<string, string>}) => void} go to
 *   another view, of the same person unless `userId` is given
 * @property {() => Promise<void>} reload read the person again and show the view again, after a change of settings
 * @property {(error: unknown) => void} fail show what went wrong in place of the view
 */

/**
 * @typedef {object} View
 * @property {string} id its word in the address; `nav.{id}` of texts.js is its name
 * @property {boolean} [isOwn] whether it is about the one who is signed in, and not shown for others
 * @property {boolean} [namesZone] whether it says itself whose data it shows, and in which time zone
 * @property {() => Promise<{show: (root: HTMLElement, context: Context) => Promise<void>|void}>} load
 */

/** @type {View[]} */
export const VIEWS = [
  { id: "now", load: () => import("./now.js") },
  { id: "report", namesZone: true, load: () => import("./report.js") },
  { id: "days", load: () => import("./days.js") },
  { id: "data", load: () => import("./views/data.js") },
  { id: "sharing", isOwn: true, load: () => import("./views/sharing.js") },
  { id: "apps", isOwn: true, load: () => import("./views/apps.js") },
  { id: "account", isOwn: true, load: () => import("./views/account.js") },
];
