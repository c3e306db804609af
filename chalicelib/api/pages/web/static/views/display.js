// The section of the units and the target range.

import { send } from "../api.js";
import { reloadAndTell } from "../controls/board.js";
import { field, form, select } from "../controls/form.js";
import { section } from "../controls/section.js";
import { h } from "../dom.js";
import { MG_DL, MG_DL_PER_MMOL_L, MMOL_L, shown } from "../glucose.js";
import { text } from "../texts.js";

const LOWEST_MG_DL = 40;
const HIGHEST_MG_DL = 400;

/**
 * The section.
 * @param {import("../views.js").Context} context
 * @returns {HTMLElement}
 */
export function displaySection(context) {
  const { ownId, person } = context;
  const units = select([[MG_DL, MG_DL], [MMOL_L, MMOL_L]], person.units);
  const low = h("input", { type: "number", required: true });
  const high = h("input", { type: "number", required: true });
  const target = { ...person.target };
  const inputs = [[low, "low"], [high, "high"]];
  write();
  units.addEventListener("change", write);
  for (const [input, name] of inputs) {
    input.addEventListener("input", () => { target[name] = input.valueAsNumber / (units.value === MG_DL ? MG_DL_PER_MMOL_L : 1); });
  }
  return section(text("display.title"), form({
    fields: [
      field(text("display.units"), units),
      field(text("display.low"), low, text("display.targetHint")),
      field(text("display.high"), high),
    ],
    action: text("account.save"),
    check: () => (low.valueAsNumber < high.valueAsNumber ? "" : text("display.order")),
    submit: async () => {
      const settings = {
        units: { ...person.settings.units, bg: units.value },
        bgTarget: { ...person.settings.bgTarget, low: low.valueAsNumber, high: high.valueAsNumber },
      };
      await send(`/metadata/${ownId}/settings`, { method: "PUT", body: settings });
      await reloadAndTell(context, text("display.saved"));
    },
  }, context));

  /** Writes the target range in the chosen units. */
  function write() {
    for (const [input, name] of inputs) {
      input.step = units.value === MG_DL ? "1" : "0.1";
      input.min = shown(LOWEST_MG_DL / MG_DL_PER_MMOL_L, units.value);
      input.max = shown(HIGHEST_MG_DL / MG_DL_PER_MMOL_L, units.value);
      input.value = Number.isFinite(target[name]) ? shown(target[name], units.value) : "";
    }
  }
}
