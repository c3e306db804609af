// The words of the page, in one place. Another language is another object with the same keys.

const ENGLISH = {
  "welcome.about": "This server keeps diabetes data: glucose, insulin, meals. Sign in to see yours, or that of people who share with you.",
  "welcome.signIn": "Sign in",
  "welcome.createAccount": "Create account",
  "welcome.docs": "Description of the API",

  "nav.label": "Views",
  "nav.skip": "Skip to the content",
  "nav.signOut": "Sign out",
  "nav.now": "Now",
  "nav.report": "Report",
  "nav.days": "Days",

  "person.other": "You see the data of {name}.",
  "person.self": "Back to yours",

  "error.again": "Try again",
  "error.ended": "Your session has ended. Please sign in again.",
  "error.offline": "The server cannot be reached. Are you offline? The page tries again when you are back.",
  "error.forbidden": "These data are not shared with you, or not any more.",
  "error.other": "Something went wrong here.",

  "time.ahead": "in the future: a clock is wrong",
  "time.now": "just now",
  "time.minutes": "{count} min ago",
  "time.hours": "{count} h ago",
  "time.days": "{count} days ago",

  "range.veryLow": "Very low",
  "range.low": "Low",
  "range.target": "In range",
  "range.high": "High",
  "range.veryHigh": "Very high",

  "trend.constant": "steady",
  "trend.slowFall": "falling slowly",
  "trend.slowRise": "rising slowly",
  "trend.moderateFall": "falling",
  "trend.moderateRise": "rising",
  "trend.rapidFall": "falling fast",
  "trend.rapidRise": "rising fast",

  "now.hours": "Hours shown",
  "now.hour": "{value} h",
  "now.stale": "No new reading for {minutes} minutes.",
  "now.old": "No new reading for a while. The chart ends with the last one.",
  "now.offline": "The server cannot be reached. This is what was known before.",
  "now.empty": "There is no reading yet. Sign in with Loop, xDrip+, AndroidAPS or the Tidepool Uploader at this server's address, and come back.",
  "now.emptyOther": "There is no reading that is shared with you.",

  "chart.slider": "Readings, by time",
  "chart.empty": "No readings from {from} to {to}",
  "chart.label": "Glucose from {from} to {to}: between {lowest} and {highest} {units}",
  "chart.reading": "Sensor",
  "chart.meter": "Meter",
  "chart.bolus": "Bolus, units",
  "chart.basal": "Basal rate",
  "chart.carbs": "Carbohydrates",
  "chart.override": "Override",

  "agp.label": "Glucose by the time of day: median, and the middle half and nine tenths of the readings",
  "agp.median": "Median",
  "agp.narrow": "Middle half (25 to 75%)",
  "agp.wide": "Nine tenths (5 to 95%)",
  "agp.limits": "Target range of the consensus",
  "agp.asTable": "The profile as a table",
  "agp.numbers": "Percentiles by the time of day, {units}",
  "agp.time": "Time",

  "figure.mean": "Mean glucose",
  "figure.gmi": "GMI",
  "figure.cv": "Variation (CV)",
  "figure.sd": "Standard deviation",
  "figure.tight": "In tight range",
  "figure.gri": "Glycemia risk index",
  "figure.active": "Sensor active",
  "figure.dates": "Days with data",
  "figure.records": "Readings",
  "figure.insulin": "Insulin",
  "figure.bolus": "Bolus",
  "figure.basal": "Basal",
  "figure.carbs": "Carbohydrates",

  "report.days": "Length of the report",
  "report.day": "{value} days",
  "report.print": "Print",
  "report.empty": "There is no reading of a sensor yet.",
  "report.limited": "You see only the last hours of these data, so there is no report.",
  "report.span": "{from} to {to}, {zone}",
  "report.few": "The sensor was active for less than 70% of the time: too little for conclusions.",
  "report.ranges": "Time in ranges",
  "report.rangesLabel": "{target} of the time in range",
  "report.statistics": "Statistics",
  "report.profile": "Glucose by the time of day",
  "report.daily": "Daily profiles",
  "report.dayLabel": "{date}: mean {mean}, {target} in range",
  "report.totals": "Insulin and carbohydrates per day",
  "report.reading": "Reading …",
  "report.perDay": "Mean of {days} days with records.",
  "report.noTotals": "There is no insulin and there are no carbohydrates in this time.",

  "days.before": "Day before",
  "days.after": "Day after",
  "days.date": "Day",
  "days.empty": "There is nothing on this day.",
  "days.byHour": "By hour, glucose in {units}",
  "days.hour": "Hour",
  "days.lowest": "Lowest",
  "days.highest": "Highest",
  "days.bolus": "Bolus, U",
  "days.basal": "Basal, U",
  "days.carbs": "Carbs, g",
  "days.everything": "Everything of the day",
  "days.what": "What",
  "days.value": "Value",
  "days.until": "until {time}",
};

/**
 * The words for a key.
 * @param {string} key
 * @param {Record<string, unknown>} [values] what stands for `{name}`
 * @returns {string}
 */
export function text(key, values = {}) {
  const words = ENGLISH[key];
  if (words === undefined) throw new Error(`texts.js has no ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
