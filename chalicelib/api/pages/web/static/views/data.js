// The view "Data": what came in from which app, what was refused, data sets, files and device logs.

import { json, RefusedError } from "../api.js";
import { showBoard } from "../controls/board.js";
import { pagedItems } from "../controls/paged.js";
import { item, items, section } from "../controls/section.js";
import { h } from "../dom.js";
import { text } from "../texts.js";
import { ago, moment } from "../times.js";
import { deviceLogsSection, filesSection } from "./files.js";
import { rejectionItem } from "./rejections.js";
import { typeName } from "./type_names.js";

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("../views.js").Context} context
 */
export async function show(root, context) {
  await showBoard(root, context, (board) => draw(context, board));
}

async function draw(context, board) {
  const { person, signal } = context;
  const path = (name) => `/v1/users/${person.id}/${name}`;
  const [freshness, rejections, dataSets, sources, files, logs] = await Promise.all([
    json(path("freshness"), { signal }),
    nullIfForbidden(json(path("refusals"), { signal })),
    nullIfForbidden(pagedItems(path("data_sets"), (dataSet) => dataSetItem(dataSet, person), text("data.noDataSets"), context)),
    nullIfForbidden(json(path("data_sources"), { signal })),
    nullIfForbidden(filesSection(context, board)),
    nullIfForbidden(deviceLogsSection(context, board)),
  ]);
  return [
    freshnessSection(freshness, person),
    rejections && section(text("data.rejections"), h("p", {}, text("data.rejectionsAbout")),
      items(rejections.map((rejection) => rejectionItem(rejection, person)), text("data.noRejections"))),
    files,
    dataSets && section(text("data.dataSets"), dataSets),
    sources?.length > 0 && section(text("data.sources"), items(sources.map((source) => sourceItem(source, person)), "")),
    logs,
  ];
}

/** What a promise answers, null if that is not shared with the person who is signed in. */
async function nullIfForbidden(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 403) return null;
    throw error;
  }
}

/** The newest data, in a group of rows for each app: so the times fit a phone. */
function freshnessSection({ clients }, { zone }) {
  const caption = text("data.freshnessCaption");
  const rows = (types) => types.map(({ type, newestTime, newestStoredTime }) => h("tr", {},
    h("th", { scope: "row" }, typeName(type)),
    h("td", {}, timeCell(newestTime, zone)),
    h("td", {}, newestStoredTime ? timeCell(newestStoredTime, zone) : "–")));
  if (!clients.length) return section(text("data.freshness"), h("p", { class: "quiet-text" }, text("data.nothing")));
  return section(text("data.freshness"), h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "texts groups" },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ["data.type", "data.newest", "data.received"].map((key) => h("th", { scope: "col" }, text(key))))),
      clients.map(({ client, types }) => h("tbody", {}, h("tr", {}, h("th", { scope: "rowgroup", colspan: "3" }, client)), rows(types))))));
}

function timeCell(time, zone) {
  const ms = Date.parse(time);
  return h("time", { datetime: time, title: moment(ms, zone) }, ago(Date.now() - ms));
}

function dataSetItem(dataSet, { zone }) {
  const { client, deviceModel, deviceId, deviceManufacturers, createdTime, dataSetType, _state: state } = dataSet;
  const maker = Array.isArray(deviceManufacturers) ? deviceManufacturers.join(", ") : "";
  const device = [maker, deviceModel || deviceId].filter(Boolean).join(" ");
  const name = [client?.name, client?.version].filter(Boolean).join(" ");
  return item(name || device || text("data.unnamed"), [
    name && device,
    dataSetType === "continuous" ? text("data.continuous") : text("data.single"),
    createdTime && text("data.opened", { time: moment(Date.parse(createdTime), zone) }),
    state === "closed" ? text("data.closed") : text("data.open"),
  ]);
}

function sourceItem({ providerName, state, latestDataTime }, { zone }) {
  const states = { connected: text("data.connected"), disconnected: text("data.disconnected"), error: text("data.failing") };
  return item(providerName, [states[state] || state, latestDataTime && text("data.latest", { time: moment(Date.parse(latestDataTime), zone) })]);
}
