"""The settings of a pump. Source: data-model 4 and 5."""

from __future__ import annotations

from chalicelib.durations import DAY_S
from chalicelib.model.fields import (
    Boolean,
    Choice,
    Field,
    Has,
    Integer,
    Is,
    Number,
    Object,
    ObjectList,
    ObjectMap,
    Range,
    Text,
    only_with,
    required,
)
from chalicelib.model.tables.common import (
    DURATION_UP_TO_10_HOURS,
    GLUCOSE_UNITS,
    MANUFACTURERS,
    NAME,
    WEEK_MS,
    amount_in,
    datum,
    glucose,
    glucose_target,
    glucose_target_schedule,
    schedule,
)
from chalicelib.model.tables.device_event import SCALE_FACTORS
from chalicelib.model.tables.nutrition import INSULIN_FORMULATION

_BG_UNITS = "/units/bg"


def _schedules(single: str, by_name: str, kind: ObjectList) -> tuple[Field, Field]:
    """Two fields: a single schedule, and several schedules by name; only one may be present."""
    return Field(single, kind), Field(by_name, ObjectMap(kind), forbidden=Has((single,)))


_ENABLED = required("enabled", Boolean())
_BOLUS = Object(
    (
        Field("amountMaximum", amount_in({"Units": Range(0, 100)})),
        Field("calculator", Object((_ENABLED, Field("insulin", DURATION_UP_TO_10_HOURS)))),
        Field("extended", Object((_ENABLED,))),
    )
)
_BASAL = Object(
    (
        Field("rateMaximum", amount_in({"Units/hour": Range(0, 100)})),
        Field("temporary", Object((required("type", Choice(("off", "percent", "Units/hour"))),))),
    )
)
_INSULIN_MODEL = Object(
    (
        Field("modelType", Choice(("fiasp", "other", "rapidAdult", "rapidChild", "walsh"))),
        only_with("modelTypeOther", NAME, Is("modelType", ("other",))),
        Field("actionDelay", Integer(Range(0, DAY_S))),
        Field("actionDuration", Integer(Range(0, DAY_S))),
        Field("actionPeakOffset", Integer(Range(0, DAY_S, at_most="actionDuration"))),
    )
)
_OVERRIDE_PRESET = Object(
    (
        Field("abbreviation", NAME),
        Field("duration", Integer(Range(0, WEEK_MS))),
        Field("bgTarget", glucose_target(_BG_UNITS)),
        *SCALE_FACTORS,
    )
)

PUMP_SETTINGS = datum(
    required("activeSchedule", Text()),
    Field("automatedDelivery", Boolean()),
    Field("basal", _BASAL),
    *_schedules("basalSchedule", "basalSchedules", schedule(required("rate", Number(Range(0, 100))))),
    Field("bgSafetyLimit", glucose(_BG_UNITS)),
    Field("bgTargetPhysicalActivity", glucose_target(_BG_UNITS)),
    Field("bgTargetPreprandial", glucose_target(_BG_UNITS)),
    *_schedules("bgTarget", "bgTargets", glucose_target_schedule(_BG_UNITS)),
    Field("bolus", _BOLUS),
    *_schedules("carbRatio", "carbRatios", schedule(required("amount", Number(Range(0, 250))))),
    Field("display", Object((Field("bloodGlucose", Object((required("units", Choice(("mg/dL", "mmol/L"))),))),))),
    Field("firmwareVersion", NAME),
    Field("hardwareVersion", NAME),
    Field("insulinFormulation", INSULIN_FORMULATION),
    Field("insulinModel", _INSULIN_MODEL),
    *_schedules("insulinSensitivity", "insulinSensitivities", schedule(required("amount", glucose(_BG_UNITS)))),
    Field("manufacturers", MANUFACTURERS),
    Field("model", NAME),
    Field("name", NAME),
    Field("overridePresets", ObjectMap(_OVERRIDE_PRESET)),
    Field("scheduleTimeZoneOffset", Integer(Range(-10_080, 10_080))),
    Field("serialNumber", NAME),
    Field("softwareVersion", NAME),
    Field(
        "units",
        Object(
            (
                required("bg", GLUCOSE_UNITS),
                required("carb", Choice(("exchanges", "grams"))),
                Field("insulin", Choice(("Units",))),
            )
        ),
    ),
)
