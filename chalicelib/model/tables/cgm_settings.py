"""The settings of a continuous glucose monitor. Source: data-model 4, cgmAlerts; data-model 5."""

from __future__ import annotations

from chalicelib.durations import DAY_MS, MINUTE_MS
from chalicelib.model import text_formats
from chalicelib.model.fields import (
    Boolean,
    ByUnits,
    Choice,
    Field,
    Has,
    Integer,
    Number,
    Object,
    ObjectList,
    OneOfByUnits,
    Range,
    Text,
    TextList,
    only_with,
    required,
)
from chalicelib.model.tables.common import (
    DEVICE,
    DURATION_UP_TO_10_HOURS,
    GLUCOSE_UNITS,
    MG_DL,
    MMOL_L,
    NAME,
    datum,
    glucose_ranges,
)

_ENABLED = required("enabled", Boolean())


def _alert(threshold: str, ranges: dict[str, Range]) -> Object:
    """An alert with a threshold, which is stored in the units in which it was sent."""
    return Object(
        (
            _ENABLED,
            Field("snooze", DURATION_UP_TO_10_HOURS),
            Field(threshold, Number(ByUnits("units", ranges))),
            only_with("units", Choice(tuple(ranges)), Has((threshold,))),
        )
    )


_URGENT_LOW = _alert("level", {"mg/dL": Range(40, 80), "mmol/L": Range(2.2203, 4.4406)})
_LOW = _alert("level", {"mg/dL": Range(50, 150), "mmol/L": Range(2.77537, 8.32612)})
_HIGH = _alert("level", {"mg/dL": Range(100, 400), "mmol/L": Range(5.55075, 22.20299)})
_RATE = _alert("rate", {"mmol/L/minute": Range(0.05551, 0.55507), "mg/dL/minute": Range(0, 10)})
_SILENCE = _alert("duration", {"hours": Range(0, 6), "minutes": Range(0, 360), "seconds": Range(0, 21_600)})

_ALERTS = Object(
    (
        _ENABLED,
        Field("urgentLow", _URGENT_LOW),
        Field("urgentLowPredicted", _URGENT_LOW),
        Field("low", _LOW),
        Field("lowPredicted", _LOW),
        Field("high", _HIGH),
        Field("highPredicted", _HIGH),
        Field("fall", _RATE),
        Field("rise", _RATE),
        Field("noData", _SILENCE),
        Field("outOfRange", _SILENCE),
    )
)

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SCHEDULED_ALERTS = ObjectList(
    Object(
        (
            Field("name", NAME),
            required("days", TextList(Choice(_DAYS), may_be_empty=True, is_unique=True)),
            required("start", Integer(Range(0, DAY_MS))),
            required("end", Integer(Range(0, 2 * DAY_MS))),
            required("alerts", _ALERTS),
        )
    ),
    max_items=10,
)

# The alerts of older receivers, in milliseconds and in the units of the record.
_LEVEL_SNOOZES = (
    0,
    *range(15 * MINUTE_MS, 240 * MINUTE_MS + 1, 5 * MINUTE_MS),
    *range(255 * MINUTE_MS, 300 * MINUTE_MS + 1, 15 * MINUTE_MS),
)
_SILENCE_SNOOZES = (0, MINUTE_MS, *range(20 * MINUTE_MS, 240 * MINUTE_MS + 1, 5 * MINUTE_MS))


def _legacy_level_alert(mg_dl: Range, mmol_l: Range) -> Object:
    return Object(
        (
            _ENABLED,
            Field(
                "level",
                Number(ByUnits("/units", glucose_ranges(mg_dl, mmol_l)), converted_by="/units"),
                required=True,
                checked_after="snooze",
            ),
            required("snooze", Integer(allowed=_LEVEL_SNOOZES)),
        )
    )


def _legacy_rate_alert(mg_dl: tuple[float, float], mmol_l: tuple[float, float]) -> Object:
    allowed = {**dict.fromkeys(MG_DL, mg_dl), **dict.fromkeys(MMOL_L, mmol_l)}
    return Object((_ENABLED, required("rate", Number(OneOfByUnits("/units", allowed), converted_by="/units"))))


# 2 and 3 mg/dL divided by 18.01559, unrounded
_SLOW_MMOL_L, _FAST_MMOL_L = 0.11101495982091067, 0.16652243973136602
_LEGACY_RATE_ALERTS = Object(
    (
        required("fallRate", _legacy_rate_alert((-3, -2), (-_FAST_MMOL_L, -_SLOW_MMOL_L))),
        required("riseRate", _legacy_rate_alert((2, 3), (_SLOW_MMOL_L, _FAST_MMOL_L))),
    )
)

CGM_SETTINGS = datum(
    *DEVICE,
    Field("transmitterId", Text(format=text_formats.TRANSMITTER_ID)),
    Field("units", GLUCOSE_UNITS),
    Field("defaultAlerts", _ALERTS),
    Field("scheduledAlerts", _SCHEDULED_ALERTS),
    Field("highAlerts", _legacy_level_alert(Range(100, 400), Range(5.55075, 22.20299))),
    Field("lowAlerts", _legacy_level_alert(Range(59, 150), Range(3.27494, 8.32612))),
    Field("outOfRangeAlerts", Object((_ENABLED, required("snooze", Integer(allowed=_SILENCE_SNOOZES))))),
    Field("rateOfChangeAlerts", _LEGACY_RATE_ALERTS, stored_as="rateOfChangeAlert"),
)
