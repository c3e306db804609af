"""The shapes of a glucose target, and the limits of its parts. Source: data-model 4, bgTarget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.model.errors import VALUE_EXISTS, VALUE_NOT_EXISTS, Fault, between, value_out_of_range

MAXIMUMS = {"mg/dL": 1000, "mg/dl": 1000, "mmol/L": 55, "mmol/l": 55}
"""The highest glucose in a target, by units."""
_PARTS = ("target", "range", "high", "low")


def target_faults(values: Mapping[str, Any], units: str | None) -> Iterator[tuple[Fault, str]]:
    """Each fault of a target, with the name of the faulty part. Unknown units set no limits."""
    shape: tuple[str, ...]
    has_target, has_range, has_high, has_low = (values.get(part) is not None for part in _PARTS)
    if has_target and has_range:
        shape = ("target", "range")
    elif has_target and has_high:
        shape = ("target", "high")
    elif has_target:
        shape = ("target",)
    elif has_high and has_low:
        shape = ("low", "high")
    else:
        yield VALUE_NOT_EXISTS, "high" if has_low else "target"
        return
    yield from _range_faults(values, shape, MAXIMUMS.get(units or ""))
    for part in _PARTS:
        if part not in shape and values.get(part) is not None:
            yield VALUE_EXISTS, part


def _range_faults(
    values: Mapping[str, Any], shape: tuple[str, ...], maximum: float | None
) -> Iterator[tuple[Fault, str]]:
    if maximum is None:
        return
    base = values[shape[0]]
    if not 0 <= base <= maximum:
        yield value_out_of_range(base, between(0, maximum)), shape[0]
        return
    for part in shape[1:]:
        low, high = (0, min(base, maximum - base)) if part == "range" else (base, maximum)
        if not low <= values[part] <= high:
            yield value_out_of_range(values[part], between(low, high)), part
