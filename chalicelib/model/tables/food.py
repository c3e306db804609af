"""Events that a person records: food, water, insulin, reportedState.

Source: data-model 5.
"""

from __future__ import annotations

from chalicelib.model.fields import (
    Choice,
    Field,
    Integer,
    Is,
    Number,
    Object,
    ObjectList,
    Range,
    only_with,
    required,
)
from chalicelib.model.tables.common import NAME, amount_in, datum
from chalicelib.model.tables.nutrition import AMOUNT, INGREDIENT, INSULIN_FORMULATION, NUTRITION

FOOD = datum(
    Field("amount", AMOUNT),
    Field("brand", NAME),
    Field("code", NAME),
    Field("ingredients", ObjectList(INGREDIENT, max_items=100)),
    Field("meal", Choice(("breakfast", "dinner", "lunch", "other", "snack"))),
    only_with("mealOther", NAME, Is("meal", ("other",))),
    Field("name", NAME),
    Field("nutrition", NUTRITION),
)

WATER = datum(
    required(
        "amount",
        amount_in(
            {
                "gallons": Range(0, 10),
                "liters": Range(0, 37.854118),
                "milliliters": Range(0, 37_854.118),
                "ounces": Range(0, 1280),
            }
        ),
    )
)

_UNITS_OF_INSULIN = Number(Range(0, 250))
_DOSE = Object(
    (
        Field("active", _UNITS_OF_INSULIN),
        Field("correction", Number(Range(-250, 250))),
        Field("food", _UNITS_OF_INSULIN),
        required("total", _UNITS_OF_INSULIN),
        required("units", Choice(("Units",))),
    )
)
INSULIN = datum(Field("dose", _DOSE), Field("formulation", INSULIN_FORMULATION), Field("site", NAME))

_STATES = ("alcohol", "cycle", "hyperglycemiaSymptoms", "hypoglycemiaSymptoms", "illness", "other", "stress")
REPORTED_STATE = datum(
    Field(
        "states",
        ObjectList(
            Object(
                (
                    Field("severity", Integer(Range(0, 10))),
                    required("state", Choice(_STATES)),
                    only_with("stateOther", NAME, Is("state", ("other",))),
                )
            ),
            may_be_empty=True,
        ),
    )
)
