// The section of the name and the time zone.

import { send } from "../api.js";
import { reloadAndTell } from "../controls/board.js";
import { field, form, select } from "../controls/form.js";
import { section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { browserZone, isZone } from "../times.js";

const LONGEST_NAME = "256";

/**
 * The section. An empty time zone is that of the browser.
 * @param {import("../views.js").Context} context
 * @returns {HTMLElement}
 */
export function profileSection(context) {
  const { ownId, person } = context;
  const name = h("input", { type: "text", autocomplete: "name", maxlength: LONGEST_NAME, required: true, value: person.profile.fullName || "" });
  const kept = person.profile.patient?.targetTimezone;
  const zone = select(zoneOptions(), isZone(kept) ? kept : "");
  return section(text("profile.title"), form({
    fields: [field(text("profile.name"), name, text("profile.nameHint")), field(text("profile.zone"), zone, text("profile.zoneHint"))],
    action: text("account.save"),
    submit: async () => {
      const body = { fullName: name.value.trim() };
      if (zone.value !== (kept || "")) body.patient = { ...person.profile.patient, targetTimezone: zone.value };
      await send(`/metadata/${ownId}/profile`, { method: "PUT", body });
      await reloadAndTell(context, text("profile.saved"));
    },
  }, context));

  function zoneOptions() {
    const zones = new Set([...Intl.supportedValuesOf("timeZone"), "UTC", ...(isZone(kept) ? [kept] : [])]);
    return [["", text("profile.browserZone", { zone: browserZone() })], ...[...zones].sort().map((each) => [each, each.replaceAll("_", " ")])];
  }
}
