// A form that tries an address and a token, and the answers that an app would get.

import { field, form } from "../controls/form.js";
import { item, items, section } from "../controls/section.js";
import { fill, h } from "../dom.js";
import { MG_DL_PER_MMOL_L, shown } from "../glucose.js";
import { askAsApp, readEntered } from "../nightscout_check.js";
import { text } from "../texts.js";
import { ago } from "../times.js";

/**
 * The form, and below it what came of it.
 * @param {import("../views.js").Context} context
 * @returns {HTMLElement}
 */
export function checkSection(context) {
  const address = h("input", { type: "text", inputmode: "url", value: `${location.origin}/`, required: true, autocomplete: "off", spellcheck: "false" });
  const token = h("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const answers = h("div", { role: "status" });
  return section(text("check.title"),
    h("p", {}, text("check.about")),
    form({
      fields: [field(text("check.address"), address), field(text("check.token"), token, text("check.tokenHint"))],
      action: text("check.run"),
      check: () => {
        fill(answers);
        const { fault } = readEntered(address.value, token.value, location.host);
        return fault ? text(`check.${fault}`, { host: location.host }) : "";
      },
      submit: async () => {
        const entered = readEntered(address.value, token.value, location.host);
        fill(answers, drawn(await askAsApp(entered.token, context.signal), entered.notes, context.person));
      },
    }, context),
    answers);
}

function drawn(answers, notes, person) {
  if (!answers.canRead) return h("p", { class: "fault" }, text("check.noRights"));
  const { entry, treatment, status, profile } = answers;
  const age = (written) => ago(Date.now() - new Date(written).getTime());
  const last = (words, written) => text("check.last", { what: words, time: age(written) });
  return [
    items([
      item(text("check.rights"), [text(answers.canWrite ? "credential.upload" : "credential.read")]),
      item(text("check.readings"), [entry ? last(amount(entry, person.units), entry.date) : text("check.noneLately")]),
      item(text("check.treatments"), [treatment ? last(treatment.eventType || text("check.treatment"), treatment.created_at) : text("check.noneLately")]),
      item(text("check.statuses"), [status ? last(status.device || text("check.device"), status.created_at) : text("check.noneLately")]),
      item(text("check.profile"), [profile?.defaultProfile || text("check.none")]),
      item("AndroidAPS", [text(answers.speaksV3 ? "check.v3" : "check.noV3")]),
    ], ""),
    notes.map((note) => h("p", { class: "notice" }, text(`check.${note}`))),
  ];
}

function amount(entry, units) {
  const value = Number(entry.sgv ?? entry.mbg);
  return Number.isFinite(value) ? `${shown(value / MG_DL_PER_MMOL_L, units)} ${units}` : entry.type || "";
}
