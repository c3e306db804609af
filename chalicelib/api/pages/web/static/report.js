// The view "Report": the profile of 14, 30 or 90 days with its statistics, as one page for the doctor.

import { agpChart, dayCourse } from "./agp_chart.js";
import { jsonOrNull, RefusedError } from "./api.js";
import { choices, fill, h, loading, table } from "./dom.js";
import { MG_DL } from "./glucose.js";
import { rangesBar } from "./ranges_bar.js";
import { either, rounded, share, tightRange } from "./report_format.js";
import { fragmentOf } from "./route.js";
import { text } from "./texts.js";
import { ago, clock, DAY, dayName, localDate, MINUTE, shortDateName, startOfDate } from "./times.js";
import { readTotals } from "./totals.js";

const DAYS = ["14", "30", "90"];
const PRINTED_DAYS = 14;
const OLD = 2 * DAY;

/**
 * Show the view.
 * @param {HTMLElement} root
 * @param {import("./views.js").Context} context
 */
export async function show(root, context) {
  const { parameters } = context;
  const asked = parameters.get("days");
  const content = h("div", {}, loading());
  const told = h("p", { class: "hidden", role: "status" });
  const selection = choices(text("report.days"), DAYS.map((value) => ({ value, name: text("report.day", { value }) })),
    DAYS.includes(asked) ? asked : DAYS[0], (value) => {
      context.remember({ days: value });
      draw(content, value, context).then(() => fill(told, text("report.day", { value }))).catch(context.fail);
    });
  fill(root, h("div", { class: "tools" }, selection,
    h("button", { type: "button", class: "quiet", onclick: () => print() }, text("report.print"))), told, content);
  await draw(content, DAYS.includes(asked) ? asked : DAYS[0], context);
}

async function draw(root, days, context) {
  const { person, signal } = context;
  root.dataset.days = days;
  root.setAttribute("aria-busy", "true");
  const body = await readProfile(person, days, signal);
  if (signal.aborted || root.dataset.days !== days) return;
  root.setAttribute("aria-busy", "false");
  if (!body) return fill(root, h("p", { class: "card" }, text("report.empty")));
  if (body === "limited") return fill(root, h("p", { class: "card" }, text("report.limited")));
  const totals = h("div", { class: "card totals" }, h("h2", {}, text("report.totals")), h("p", {}, text("report.reading")));
  fill(root,
    h("p", { class: "report-of" }, h("strong", {}, person.name), " ",
      text("report.span", { from: dayName(Date.parse(body.from), person.zone), to: dayName(Date.parse(body.lastReading), person.zone), zone: body.timeZone })),
    isOld(body) && h("p", { class: "notice" }, text("report.old", { time: ago(Date.now() - Date.parse(body.lastReading)) })),
    !body.enough && h("p", { class: "notice" }, text("report.few")),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h2", {}, text("report.ranges")), rangesBar(body.ranges, person.units)),
      h("section", { class: "card" }, h("h2", {}, text("report.statistics")), statistics(body, person.units))),
    h("section", { class: "card" }, h("h2", {}, text("report.profile")), agpChart(body, person.units, signal), numbers(body, person.units)),
    totals,
    h("section", { class: "card" },
      h("h2", {}, text("report.daily")), h("p", { class: "quiet-text" }, text("report.dailyAbout")), dailyProfiles(body, person)));
  readTotals(person, Date.parse(body.from), Date.parse(body.to), signal)
    .then((found) => fill(totals, h("h2", {}, text("report.totals")), totalsList(found))).catch(context.fail);
}

function isOld({ lastReading }) {
  return Date.now() - Date.parse(lastReading) > OLD;
}

/** The profile; null without readings, `limited` for a viewer who sees the last hours only. */
async function readProfile(person, days, signal) {
  const query = new URLSearchParams({ days, tz: person.zone });
  try {
    return await jsonOrNull(`/v1/users/${person.id}/agp?${query}`, signal);
  } catch (error) {
    if (error instanceof RefusedError && error.status === 403 && !person.isSelf) return "limited";
    throw error;
  }
}

function statistics(body, units) {
  return figures([
    ["mean", `${either(body.meanMgdl, body.meanMmol, units)} ${units}`],
    ["gmi", `${rounded(body.gmi, 1)}% (${rounded(body.gmiMmolMol, 0)} mmol/mol)`],
    ["cv", `${rounded(body.cv, 1)}%`],
    ["sd", `${either(body.sdMgdl, body.sdMmol, units)} ${units}`],
    ["tight", share(body.ranges.tight), { range: tightRange(units) }],
    ["gri", `${rounded(body.gri.value, 0)} (${body.gri.zone})`],
    ["active", `${rounded(body.percentActive, 1)}%`],
    ["dates", String(body.datesWithData)],
  ]);
}

function totalsList({ days, bolus, basal, injected, carbs }) {
  if (!days) return h("p", {}, text("report.noTotals"));
  const perDay = (sum, unit) => `${rounded(sum / days, unit === "g" ? 0 : 1)} ${unit}`;
  return [
    figures([
      ["insulin", perDay(bolus + basal + injected, "U")],
      ["bolus", perDay(bolus, "U")],
      ...(basal > 0 || injected === 0 ? [["basal", perDay(basal, "U")]] : []),
      ...(injected > 0 ? [["injection", perDay(injected, "U")]] : []),
      ["carbs", perDay(carbs, "g")],
    ]),
    h("p", { class: "quiet-text" }, text("report.perDay", { days })),
  ];
}

function figures(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([name, value, named]) =>
    h("div", {}, h("dt", {}, text(`figure.${name}`, named)), h("dd", { "data-figure": name }, value))));
}

function numbers(body, units) {
  const bins = units === MG_DL ? body.profile : body.profileMmol;
  const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const headings = [text("agp.time"), "5%", "25%", "50%", "75%", "95%", text("figure.records")];
  const details = h("details", { ontoggle: () => {
    if (details.open && details.children.length === 1) {
      details.append(table(text("agp.numbers", { units }), headings, bins.map(([minute, count, ...values]) =>
        [clock(minute), ...values.map((value) => rounded(value, units === MG_DL ? 0 : 1)), count])));
    }
  } }, h("summary", {}, text("agp.asTable")));
  return details;
}

function dailyProfiles({ days, from }, person) {
  const newest = [...days].reverse();
  const begin = Date.parse(from), beginDate = localDate(begin, person.zone);
  const isCut = (date) => date === beginDate && begin >= startOfDate(date, person.zone) + 15 * MINUTE;
  const dayWords = (date) => {
    const day = shortDateName(date);
    return isCut(date) ? text("report.dayFrom", { day, time: clock(begin, person.zone) }) : day;
  };
  return h("ol", { class: "daily" }, newest.map((day, index) => {
    const mean = `${either(day.meanMgdl, day.meanMmol, person.units)} ${person.units}`;
    return h("li", { class: index < PRINTED_DAYS ? "" : "screen-only" },
      h("a", { href: fragmentOf("days", person.isSelf ? null : person.id, { date: day.date }) },
        h("span", { class: "daily-date" }, dayWords(day.date)), dayCourse(day),
        h("span", { class: "quiet-text" }, `${mean}, ${share(day.ranges.target)}`),
        h("span", { class: "hidden" }, text("report.inRange"))));
  }));
}
