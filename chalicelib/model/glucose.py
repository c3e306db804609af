"""Glucose values in mmol/L. Source: data-model 2, Glucose units."""

from __future__ import annotations

MG_DL_PER_MMOL_L = 18.01559
PRECISION = 100_000
"""The steps of a mmol/L to which converted values are rounded."""
_MAX_ROUNDED = 2**53
"""Doubles from here on have no fraction."""

CONVERTED_UNITS = frozenset({"mg/dL", "mg/dl", "mg/dL/minute"})
"""The units whose values are converted to mmol/L."""


def to_mmol_l(value_mg_dl: float) -> float:
    """The value in mmol/L, rounded to five decimals, halves away from zero; also for rates per minute."""
    scaled = value_mg_dl / MG_DL_PER_MMOL_L * PRECISION
    if not -_MAX_ROUNDED < scaled < _MAX_ROUNDED:
        return value_mg_dl / MG_DL_PER_MMOL_L
    return int(scaled + (0.5 if value_mg_dl >= 0 else -0.5)) / PRECISION
