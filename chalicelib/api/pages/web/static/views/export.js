// The section of the export: one's data as a file.

import { send } from "../api.js";
import { saveFile } from "../controls/download.js";
import { field, form, select } from "../controls/form.js";
import { section } from "../controls/section.js";
import { text } from "../texts.js";
import { DAY } from "../times.js";

const EXTENSIONS = { excel: "xlsx", json: "json" };
const DAYS = ["30", "90", "365"];

/**
 * The section.
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {HTMLElement}
 */
export function exportSection(context, board) {
  const format = select([["excel", text("export.excel")], ["json", text("export.json")]], "excel");
  const days = select([["", text("export.all")], ...DAYS.map((count) => [count, text("export.days", { count })])], "");
  return section(text("export.title"), form({
    fields: [field(text("export.format"), format), field(text("export.time"), days)],
    action: text("export.save"),
    refused: { 413: text("export.tooLarge") },
    submit: async () => {
      const response = await send(exportPath(context, format.value, Number(days.value)), { signal: context.signal });
      await saveFile(response, `strandline-${new Date().toISOString().slice(0, 10)}.${EXTENSIONS[format.value]}`);
      await board.refresh(text("export.done"));
    },
  }, context));
}

function exportPath({ ownId, person }, format, days) {
  const query = new URLSearchParams({ format, bgUnits: person.units });
  if (days) query.set("startDate", new Date(Date.now() - days * DAY).toISOString());
  return `/export/${ownId}?${query}`;
}
