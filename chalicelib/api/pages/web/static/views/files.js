// Files that apps and people stored, and the logs of devices.

import { json, send } from "../api.js";
import { ask } from "../controls/dialog.js";
import { saveFile } from "../controls/download.js";
import { field, form } from "../controls/form.js";
import { pagedItems } from "../controls/paged.js";
import { item, itemButton, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { moment } from "../times.js";
import { MAX_BYTES, uploadFile } from "../upload.js";

const EXTENSIONS = {
  "application/json": "json", "application/pdf": "pdf", "application/zip": "zip", "image/jpeg": "jpg", "image/png": "png",
  "text/csv": "csv", "text/plain": "txt",
};
const ARRIVES_WITHIN_TRIES = 10;
const TRIED_EVERY_MS = 1000;

/**
 * The files of a person, with a form for another one.
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {Promise<HTMLElement>}
 */
export async function filesSection(context, board) {
  const { person } = context;
  const entry = (blob) => fileItem(blob, context, board);
  const list = await pagedItems(`/v1/users/${person.id}/blobs`, entry, text("files.none"), context);
  return section(text("files.title"), list, person.isSelf && uploadForm(context, board));
}

function uploadForm(context, board) {
  const { person, signal } = context;
  const input = h("input", { type: "file", required: true });
  const progress = h("progress", { max: "1", value: "0", hidden: true, "aria-label": text("files.progress") });
  return form({
    fields: [field(text("files.file"), input, text("files.hint")), progress],
    action: text("files.upload"),
    check: () => (input.files[0].size > MAX_BYTES ? text("files.tooLarge") : ""),
    refused: { 413: text("files.tooLarge"), 507: text("files.noRoom") },
    submit: async () => {
      const [file] = input.files;
      progress.hidden = false;
      try {
        const id = await uploadFile(person.id, file, (share) => { progress.value = share; }, signal);
        await arrival(id, signal);
      } finally {
        progress.hidden = true;
      }
      await board.refresh(text("files.uploaded", { name: file.name }));
    },
  }, context);
}

/** Waits a while until the platform knows that a content is in the store. */
async function arrival(id, signal) {
  for (let tries = 0; tries < ARRIVES_WITHIN_TRIES; tries++) {
    if ((await json(`/v1/blobs/${id}`, { signal })).status === "available") return;
    await new Promise((resolve) => { setTimeout(resolve, TRIED_EVERY_MS); });
  }
}

function fileItem(blob, context, board) {
  const { id, mediaType, size, status, createdTime } = blob;
  const { person, signal } = context;
  const time = moment(Date.parse(createdTime), person.zone);
  const isAvailable = status === "available";

  async function remove() {
    const question = { title: text("files.deleteTitle"), words: text("files.deleteWords", { time }), action: text("files.delete") };
    if ((await ask(question, signal)) === null) return;
    await board.run(() => send(`/v1/blobs/${id}`, { method: "DELETE" }), text("files.deleted"));
  }

  return item(mediaType, [time, isAvailable ? sizeWords(size) : text("files.arriving")], [
    isAvailable && downloadButton(`/v1/blobs/${id}/content`, blob, time, board),
    person.isSelf && itemButton(text("files.delete"), `${mediaType}, ${time}`, remove, "danger"),
  ]);
}

/**
 * The logs that an app sent about its device.
 * @param {import("../views.js").Context} context
 * @param {import("../controls/board.js").Board} board
 * @returns {Promise<HTMLElement>}
 */
export async function deviceLogsSection(context, board) {
  const { person } = context;
  const entry = (log) => logItem(log, person, board);
  return section(text("logs.title"), await pagedItems(`/v1/users/${person.id}/device_logs`, entry, text("logs.none"), context));
}

function logItem(log, { zone }, board) {
  const [from, to] = [log.startAtTime, log.endAtTime].map((time) => moment(Date.parse(time), zone));
  const span = text("logs.span", { from, to });
  return item(span, [log.mediaType, sizeWords(log.size), text("logs.sent", { time: moment(Date.parse(log.createdTime), zone) })],
    [downloadButton(`/v1/device_logs/${log.id}/content`, log, span, board)]);
}

function downloadButton(path, { id, mediaType }, about, board) {
  const download = async () => saveFile(await send(path), `${id}.${EXTENSIONS[mediaType.split(";")[0]] || "bin"}`);
  return itemButton(text("files.download"), about, () => board.attempt(download, { 404: text("files.gone") }));
}

/** A number of bytes as people write it. */
function sizeWords(bytes) {
  if (bytes < 1000) return text("files.bytes", { count: bytes });
  if (bytes < 1_000_000) return text("files.kilobytes", { count: Math.round(bytes / 1000) });
  return text("files.megabytes", { count: (bytes / 1_000_000).toFixed(1) });
}
