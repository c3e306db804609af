"""The composition of food and insulin, shared by food, dosingDecision, insulin, basal, bolus and pumpSettings.

Source: data-model 4.
"""

from __future__ import annotations

from chalicelib.durations import DAY_S
from chalicelib.model.fields import (
    Choice,
    Field,
    Has,
    Integer,
    Not,
    Number,
    Object,
    ObjectList,
    Range,
    Recursive,
    required,
)
from chalicelib.model.tables.common import NAME, amount_in

ENERGY = amount_in(
    {
        "calories": Range(0, 10_000_000),
        "joules": Range(0, 41_858_000),
        "kilocalories": Range(0, 10_000),
        "kilojoules": Range(0, 41_858),
    }
)

_GRAMS = Number(Range(0, 1000))
_TOTAL_IN_GRAMS = Object((required("total", _GRAMS), required("units", Choice(("grams",)))))

NUTRITION = Object(
    (
        Field("estimatedAbsorptionDuration", Integer(Range(0, DAY_S))),
        Field(
            "carbohydrate",
            Object(
                (
                    Field("dietaryFiber", _GRAMS),
                    required("net", _GRAMS),
                    Field("sugars", _GRAMS),
                    Field("total", _GRAMS),
                    required("units", Choice(("grams",))),
                )
            ),
        ),
        Field("energy", ENERGY),
        Field("fat", _TOTAL_IN_GRAMS),
        Field("protein", _TOTAL_IN_GRAMS),
    )
)

AMOUNT = Object((required("units", NAME), required("value", Number(Range(0)))))

INGREDIENT: Object = Object(
    (
        Field("amount", AMOUNT),
        Field("brand", NAME),
        Field("code", NAME),
        Field("ingredients", ObjectList(Recursive("ingredient", lambda: INGREDIENT), max_items=100)),
        Field("name", NAME),
        Field("nutrition", NUTRITION),
    )
)

_COMPOUND = Object(
    (
        required("amount", Number(Range(0))),
        required("formulation", Recursive("insulinFormulation", lambda: INSULIN_FORMULATION)),
    )
)

INSULIN_FORMULATION: Object = Object(
    (
        Field("compounds", ObjectList(_COMPOUND, max_items=100), forbidden=Has(("simple",))),
        Field("name", NAME),
        Field(
            "simple",
            Object(
                (
                    required("actingType", Choice(("intermediate", "long", "rapid", "short"))),
                    Field("brand", NAME),
                    Field("concentration", amount_in({"Units/mL": Range(0, 10_000)})),
                )
            ),
            required=Not(Has(("compounds", "name"))),
        ),
    )
)
