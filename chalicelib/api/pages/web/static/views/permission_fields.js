// The fields of a form in which a person chooses what another one may do.

import { field, select, tick } from "../controls/form.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { localDate } from "../times.js";
import { duration, HOURS, permissionsOf } from "./permissions.js";

/**
 * The fields, filled with a choice.
 * @param {import("./permissions.js").Choice} choice
 * @param {string} zone
 * @returns {{fields: HTMLElement[], permissions: (before?: import("./permissions.js").Permissions) => import("./permissions.js").Permissions}}
 *   the fields, and a function that reads them
 */
export function permissionFields(choice, zone) {
  const sees = select(options(choice.sees), choice.sees);
  const lastDay = h("input", { type: "date", min: localDate(Date.now(), zone), value: choice.lastDay });
  const isNoting = h("input", { type: "checkbox", checked: choice.isNoting });
  const isSending = h("input", { type: "checkbox", checked: choice.isSending });
  return {
    fields: [
      field(text("share.sees"), sees),
      field(text("share.lastDay"), lastDay, text("share.lastDayHint")),
      tick(text("share.isNoting"), isNoting),
      tick(text("share.isSending"), isSending),
    ],
    permissions: (before) => permissionsOf(
      { sees: sees.value, isNoting: isNoting.checked, isSending: isSending.checked, lastDay: lastDay.value }, zone, before),
  };
}

function options(current) {
  const hours = [...new Set([...HOURS, ...(Number(current) ? [current] : [])])].sort((a, b) => a - b);
  const limited = hours.map((value) => [value, text("share.hours", { time: duration(Number(value)) })]);
  const nothing = current === "nothing" ? [["nothing", text("share.nothing")]] : [];
  return [["all", text("share.all")], ...limited, ...nothing];
}
