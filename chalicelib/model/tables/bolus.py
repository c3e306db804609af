"""Boluses, and the bolus calculator (wizard). Source: data-model 5."""

from __future__ import annotations

from chalicelib.durations import DAY_MS
from chalicelib.model.fields import (
    Choice,
    Embedded,
    Field,
    Has,
    Integer,
    IsZero,
    Number,
    Object,
    Range,
    only_with,
    required,
)
from chalicelib.model.tables.common import GLUCOSE_UNITS, datum, glucose, glucose_target
from chalicelib.model.tables.nutrition import INSULIN_FORMULATION

_DELIVERY = (
    Field(
        "deliveryContext",
        Choice(("algorithm", "device", "oneButton", "remote", "undetermined", "watch")),
    ),
    Field("insulinFormulation", INSULIN_FORMULATION),
)
_NORMAL = (
    required("normal", Number(Range(0, 100, at_most="expectedNormal"))),
    Field("expectedNormal", Number(Range(0, 100))),
)
_EXTENDED = (
    required("duration", Integer(Range(0, DAY_MS, at_most="expectedDuration"))),
    only_with("expectedDuration", Integer(Range(0, DAY_MS)), Has(("expectedExtended",))),
    required("extended", Number(Range(0, 100, at_most="expectedExtended"))),
    Field("expectedExtended", Number(Range(0, 100))),
)

BOLUS = {
    "dual/square": datum(*_DELIVERY, *_EXTENDED, *_NORMAL),
    "square": datum(*_DELIVERY, *_EXTENDED),
    "normal": datum(*_DELIVERY, *_NORMAL),
    "automated": datum(
        *_DELIVERY,
        required("normal", Number(Range(0, 100))),
        Field("expectedNormal", Number(Range(0, 100, at_least="normal")), required=IsZero("normal")),
    ),
}

WIZARD = datum(
    Field("bgInput", glucose("units")),
    Field("bgTarget", glucose_target("/units")),
    Field("carbInput", Number(Range(0, 1000))),
    Field("insulinCarbRatio", Number(Range(0, 250))),
    Field("insulinOnBoard", Number(Range(0, 250))),
    Field("insulinSensitivity", glucose("units")),
    Field(
        "recommended",
        Object(
            (
                Field("carb", Number(Range(0, 100))),
                Field("correction", Number(Range(-100, 100))),
                Field("net", Number(Range(-100, 100))),
            )
        ),
    ),
    required("units", GLUCOSE_UNITS),
    Field("bolus", Embedded("bolus", tuple(BOLUS), unlinked=frozenset({"automated"})), checked_after="bgTarget"),
    Field("carbUnits", Choice(("grams", "exchanges"))),
)
