"""Descriptions of the routes of summaries and profiles. Source: summary-api 1, 2 and 9."""

from typing import Any

from chalicelib.api.openapi.terms import (
    BOOLEAN,
    DATE,
    PAGING,
    TIME,
    USER_ID,
    Api,
    Details,
    Parameter,
    Reply,
    Schema,
    all_of,
    array,
    choice,
    integer,
    record,
    reference,
    text,
)
from chalicelib.api.operations.summaries import (
    COMPUTE_SUMMARY,
    GET_PROFILE_OF_GLUCOSE,
    GET_SUMMARY,
    LIST_MIGRATABLE_SUMMARIES,
    LIST_OUTDATED_SUMMARIES,
)

_COUNT = integer(minimum=0)
_TAG = {"ETag": "For `If-None-Match`. Not while a change is being written."}
_NOTHING = Reply(record({"Error": text("For an unknown type.")}), "No data that counts, or no such type.")
_NO_SUCH_TYPE = Reply(all_of({"Error": text()}), "There is no such type.")
_ABOUT_VIEW = "A view of the last hours is not enough: 403."


def _number(about: str = "", **rules: Any) -> Schema:
    return {"type": "number", **rules, **({"description": about} if about else {})}


def _table(about: str, members: int) -> Schema:
    return array(array(_number(), minItems=members, maxItems=members), about)


_RANGES = (
    "inVeryLow",
    "inLow",
    "inTarget",
    "inHigh",
    "inVeryHigh",
    "inExtremeHigh",
    "inAnyLow",
    "inAnyHigh",
)
_RANGE = record({"records": integer(), "minutes": integer(), "percent": _number("A share from 0 to 1.")})
_TOTAL = record(
    {
        "records": integer(),
        "minutes": integer(),
        "percent": _number("Of a sensor: the share of the period's time that has readings."),
        "glucose": _number("The sum of values in mmol/L, times their minutes if they are a sensor's."),
        "variance": _number("The sum of squared distances from the mean, weighted alike."),
    }
)
_STATISTICS = {
    "min": _number(),
    "max": _number(),
    "averageGlucoseMmol": _number(),
    "glucoseManagementIndicator": _number("In percent, of sensors only."),
    "standardDeviation": _number(),
    "coefficientOfVariation": _number("A fraction."),
    "averageDailyRecords": _number(),
    "daysWithData": integer(),
    "hoursWithData": integer(),
}
_UPLOADS = record({"records": integer(), "percent": _number()})
_PERIOD_NAMES = ("1d", "7d", "14d", "30d")

SUMMARY_API = Api(
    "Summaries and profiles",
    "Statistics of glucose, computed from the newest state of the data when they are asked for.",
    {
        GET_SUMMARY: Details(
            Reply(reference("Summary"), "The summary. Numbers that are 0 are left out.", headers=_TAG),
            headers=(Parameter("If-None-Match", text(), "Tags of answers that the client has."),),
            other_replies={
                304: Reply(about="Nothing has changed since the answer whose tag the client named.", headers=_TAG),
                404: _NOTHING,
            },
            ignores_unknown_query=True,
            about=f"`summaryType` is `cgm` (sensors), `bgm` (meters) or `con` (continuous uploads). {_ABOUT_VIEW}",
        ),
        COMPUTE_SUMMARY: Details(
            Reply({"anyOf": [reference("Summary"), {"type": "null"}]}, "The summary; `null` without data that counts."),
            ignores_unknown_query=True,
            other_replies={404: _NO_SUCH_TYPE},
            about=_ABOUT_VIEW,
        ),
        LIST_OUTDATED_SUMMARIES: Details(
            Reply(
                all_of({"userIds": array(text(), maxItems=0), "start": TIME, "end": TIME}),
                "Nobody: summaries do not wait.",
            ),
            query=PAGING,
            ignores_unknown_query=True,
            other_replies={404: _NO_SUCH_TYPE},
        ),
        LIST_MIGRATABLE_SUMMARIES: Details(
            Reply(array(text(), maxItems=0), "Nobody."),
            query=PAGING,
            ignores_unknown_query=True,
            other_replies={404: _NO_SUCH_TYPE},
        ),
        GET_PROFILE_OF_GLUCOSE: Details(
            Reply(reference("GlucoseProfile"), "The profile, with values in mg/dL and in mmol/L."),
            query=(
                Parameter("days", integer(minimum=1, maximum=90, default=14), "The length of the window."),
                Parameter("bin", integer(enum=[5, 15, 30, 60], default=15), "The width of a bin, in minutes."),
                Parameter("end", TIME, "The end of the window; the end of the newest reading unless given."),
                Parameter("tz", text(), "The time zone of the local day; that of the newest reading unless given."),
            ),
            ignores_unknown_query=True,
            other_replies={404: Reply(all_of({}), "No reading of a sensor in the window.")},
            about=_ABOUT_VIEW,
        ),
    },
    {
        "Summary": all_of(
            {
                "id": text(pattern="^[0-9a-f]{24}$"),
                "type": choice("cgm", "bgm", "con"),
                "userId": USER_ID,
                "config": all_of(
                    {
                        "schemaVersion": {"const": 6},
                        "lowGlucoseThreshold": _number(),
                        "VeryLowGlucoseThreshold": _number(),
                        "highGlucoseThreshold": _number(),
                        "veryHighGlucoseThreshold": _number(),
                    }
                ),
                "dates": all_of({"lastUpdatedDate": TIME, "lastUploadDate": TIME, "firstData": TIME, "lastData": TIME}),
                "periods": all_of(dict.fromkeys(_PERIOD_NAMES, reference("SummaryPeriod"))),
            }
        ),
        "SummaryPeriod": record(
            {
                "total": _TOTAL,
                **dict.fromkeys(_RANGES, _RANGE),
                **_STATISTICS,
                "delta": record({"total": _RANGE, **dict.fromkeys(_RANGES, _RANGE), **_STATISTICS}),
                "realtime": _UPLOADS,
                "deferred": _UPLOADS,
            },
            ("total",),
            "`delta` is the difference to the period before. `con` has `realtime`, `deferred`, `total` and "
            "`averageDailyRecords` only.",
        ),
        "GlucoseProfile": all_of(
            {
                "from": TIME,
                "to": TIME,
                "timeZone": text(),
                "binMinutes": integer(),
                "firstReading": TIME,
                "lastReading": TIME,
                "records": _COUNT,
                "minutes": _COUNT,
                "percentActive": _number(),
                "daysOfWear": _number(),
                "datesWithData": _COUNT,
                "enough": {**BOOLEAN, "description": "At least 14 days, of which readings cover 70 %."},
                "meanMgdl": _number(),
                "meanMmol": _number(),
                "sdMgdl": _number(),
                "sdMmol": _number(),
                "cv": _number("In percent."),
                "gmi": _number("In percent, to one decimal."),
                "gmiExact": _number(),
                "gmiMmolMol": _number(),
                "ranges": reference("GlucoseRanges"),
                "gri": all_of(
                    {
                        "hypo": _number(),
                        "hyper": _number(),
                        "value": _number(maximum=100),
                        "zone": choice("A", "B", "C", "D", "E"),
                    }
                ),
                "lbgi": _number(),
                "hbgi": _number(),
                "jIndex": _number(),
                "profile": _table(
                    "For each bin of the local day that has readings: its first minute, the number of readings, and "
                    "the percentiles 5, 25, 50, 75 and 95 in mg/dL.",
                    7,
                ),
                "profileMmol": _table("The same in mmol/L.", 7),
                "days": array(
                    all_of(
                        {
                            "date": DATE,
                            "records": _COUNT,
                            "minutes": _COUNT,
                            "meanMgdl": _number(),
                            "meanMmol": _number(),
                            "ranges": reference("GlucoseRanges"),
                            "readings": _table("Minute of the local day, whole mg/dL, and mmol/L.", 3),
                        }
                    ),
                    "The local dates that have readings.",
                ),
            }
        ),
        "GlucoseRanges": all_of(
            dict.fromkeys(("veryLow", "low", "target", "high", "veryHigh", "tight"), _number()),
            "Shares of the time in percent, by whole mg/dL: below 54, 54 to 69, 70 to 180, 181 to 250, above 250; "
            "tight is 70 to 140.",
        ),
    },
)
