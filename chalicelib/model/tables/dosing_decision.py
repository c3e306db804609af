"""The inputs and results of a dosing decision. Source: data-model 4, dosingBolus; data-model 5."""

from __future__ import annotations

from chalicelib.durations import DAY_MS
from chalicelib.model.fields import (
    AnyOf,
    Choice,
    Either,
    Field,
    FreeForm,
    Has,
    Integer,
    Not,
    Number,
    Object,
    ObjectList,
    Range,
    Time,
    required,
)
from chalicelib.model.tables.common import GLUCOSE_UNITS, NAME, datum, glucose, glucose_target_schedule
from chalicelib.model.tables.nutrition import NUTRITION

_BG_UNITS = "/units/bg"
_MAX_GLUCOSE_VALUES = 1440

_TIME = Field("time", Time())
_FOOD = Object((_TIME, required("nutrition", NUTRITION)))
_GLUCOSE = Object((required("time", Time()), required("value", glucose(_BG_UNITS))))
_FORECAST = Object((_TIME, required("value", Number(converted_by=_BG_UNITS))))
_REMARKS = ObjectList(Object((required("id", NAME), Field("metadata", FreeForm()))), max_items=100)


def _on_board(limits: Range) -> Object:
    return Object((_TIME, required("amount", Number(limits))))


_UNITS_OF_INSULIN = Number(Range(0, 100))
_HAS_AMOUNT = Has(("amount",))
_BOLUS = Object(
    (
        Field("amount", _UNITS_OF_INSULIN),
        Field(
            "duration",
            Integer(Range(0, DAY_MS)),
            required=Has(("extended",)),
            forbidden=Either((_HAS_AMOUNT, Not(Has(("extended",))))),
        ),
        Field("extended", _UNITS_OF_INSULIN, forbidden=_HAS_AMOUNT),
        Field("normal", _UNITS_OF_INSULIN, forbidden=_HAS_AMOUNT),
    ),
    last=(AnyOf(("amount", "extended", "normal")),),
)

DOSING_DECISION = datum(
    required("reason", NAME),
    Field("originalFood", _FOOD),
    Field("food", _FOOD),
    Field("smbg", _GLUCOSE),
    Field("carbsOnBoard", _on_board(Range(0, 1000))),
    Field("insulinOnBoard", _on_board(Range(-1000, 1000))),
    Field("bgTargetSchedule", glucose_target_schedule(_BG_UNITS)),
    Field("bgHistorical", ObjectList(_GLUCOSE, max_items=_MAX_GLUCOSE_VALUES)),
    Field("bgForecast", ObjectList(_FORECAST, max_items=_MAX_GLUCOSE_VALUES)),
    Field(
        "recommendedBasal",
        Object((required("rate", Number(Range(0, 100))), Field("duration", Integer(Range(0, DAY_MS))))),
    ),
    Field("recommendedBolus", _BOLUS),
    Field("requestedBolus", _BOLUS),
    Field("warnings", _REMARKS),
    Field("errors", _REMARKS),
    Field("scheduleTimeZoneOffset", Integer(Range(-10_080, 10_080))),
    required(
        "units",
        Object(
            (
                required("bg", GLUCOSE_UNITS),
                required("carb", Choice(("exchanges", "grams"))),
                required("insulin", Choice(("Units",))),
            )
        ),
    ),
)
