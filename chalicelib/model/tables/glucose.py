"""Blood glucose and ketones: cbg, smbg, bloodKetone, and the value of a calibration.

Source: data-model 5.
"""

from __future__ import annotations

from chalicelib.durations import DAY_MS
from chalicelib.model.fields import (
    Boolean,
    ByUnits,
    Choice,
    Field,
    Has,
    Integer,
    Number,
    Range,
    only_with,
    required,
)
from chalicelib.model.tables.common import (
    GLUCOSE_UNITS,
    MMOL_L,
    STORED_RATE_UNITS,
    STORED_UNITS,
    datum,
    glucose,
)

GLUCOSE_VALUE = (required("units", GLUCOSE_UNITS), required("value", glucose("units")))

_TRENDS = ("constant", "slowFall", "slowRise", "moderateFall", "moderateRise", "rapidFall", "rapidRise")

CBG = datum(
    *GLUCOSE_VALUE,
    Field("trend", Choice(_TRENDS)),
    only_with(
        "trendRateUnits",
        Choice(("mmol/L/minute", "mg/dL/minute"), stored=STORED_RATE_UNITS),
        Has(("trendRate",)),
        is_required=False,
    ),
    Field(
        "trendRate",
        Number(
            ByUnits("trendRateUnits", {"mg/dL/minute": Range(-100, 100), "mmol/L/minute": Range(-5.5, 5.5)}),
            converted_by="trendRateUnits",
        ),
    ),
    Field("sampleInterval", Integer(Range(0, DAY_MS))),
    Field("backfilled", Boolean()),
)

SMBG = datum(*GLUCOSE_VALUE, Field("subType", Choice(("linked", "manual", "scanned"))))

BLOOD_KETONE = datum(
    required("units", Choice(MMOL_L, stored=STORED_UNITS)),
    required("value", Number(ByUnits("units", dict.fromkeys(MMOL_L, Range(0, 10))))),
)
