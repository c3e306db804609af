"""Device events, by sub type. Source: data-model 5."""

from __future__ import annotations

from chalicelib.model import text_formats
from chalicelib.model.fields import (
    AnyOf,
    ByUnits,
    Choice,
    Embedded,
    Field,
    FreeForm,
    Has,
    Integer,
    Is,
    Number,
    Object,
    OneOf,
    Range,
    Text,
    Time,
    only_with,
    required,
)
from chalicelib.model.tables.common import GLUCOSE_UNITS, NAME, WEEK_MS, datum, glucose_target
from chalicelib.model.tables.glucose import GLUCOSE_VALUE

_STATUS = Field("status", Embedded("deviceEvent", ("status",)))
_HOW = Choice(("automatic", "manual"))
SCALE_FACTORS = tuple(
    Field(name, Number(Range(0.1, 10)))
    for name in ("basalRateScaleFactor", "carbRatioScaleFactor", "insulinSensitivityScaleFactor")
)

_ALARM_TYPES = (
    "auto_off",
    "low_insulin",
    "low_power",
    "no_delivery",
    "no_insulin",
    "no_power",
    "occlusion",
    "other",
    "over_limit",
)

_PRIME_VOLUMES = {"cannula": Range(0, 1000), "tubing": Range(0, 1000)}

_CLOCK = Object(
    (
        Field("time", Time(is_local=True, may_be_zero=False)),
        Field("timeZoneName", Text(format=text_formats.TIME_ZONE)),
    ),
    last=(AnyOf(("time", "timeZoneName")),),
)
_CLOCK_TEXT = Text(format=text_formats.LOCAL_TIME)

DEVICE_EVENT = {
    "alarm": datum(required("alarmType", Choice(_ALARM_TYPES)), _STATUS),
    "calibration": datum(*GLUCOSE_VALUE),
    "prime": datum(
        required("primeTarget", Choice(tuple(_PRIME_VOLUMES))),
        Field("volume", Number(ByUnits("primeTarget", _PRIME_VOLUMES))),
    ),
    "pumpSettingsOverride": datum(
        required("overrideType", Choice(("custom", "physicalActivity", "preprandial", "preset", "sleep"))),
        only_with("overridePreset", NAME, Is("overrideType", ("preset",))),
        Field("method", _HOW),
        Field("duration", Integer(Range(0, WEEK_MS))),
        Field("expectedDuration", Integer(Range(0, WEEK_MS, at_least="duration"))),
        Field("bgTarget", glucose_target("/units/bg")),
        *SCALE_FACTORS,
        only_with("units", Object((required("bg", GLUCOSE_UNITS),)), Has(("bgTarget",))),
    ),
    "reservoirChange": datum(_STATUS),
    "status": datum(
        Field("duration", Integer(Range(0))),
        Field("expectedDuration", Integer(Range(0, at_least="duration"))),
        required("status", Choice(("resumed", "suspended"))),
        required("reason", FreeForm()),
    ),
    "timeChange": datum(
        Field("from", _CLOCK),
        Field("method", _HOW),
        Field("to", _CLOCK, required=Has(("from", "method"))),
        # The older form, stored as sent.
        Field(
            "change",
            Object((required("agent", _HOW), required("from", _CLOCK_TEXT), required("to", _CLOCK_TEXT))),
            forbidden=Has(("from", "method", "to")),
        ),
        last=(OneOf(("to", "change"), unless=("from", "method")),),
    ),
}
