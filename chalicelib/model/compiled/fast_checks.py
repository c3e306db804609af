"""Functions that compiled code calls for the kinds of values whose checks it does not write out.

Each takes a value as sent and returns it as stored, or raises `FastPathMiss`.
"""

from __future__ import annotations

from typing import Any

from chalicelib.model.datum import FastPathMiss
from chalicelib.model.free_form import is_plain_and_small, is_too_deep, size_bytes
from chalicelib.model.glucose_target import MAXIMUMS, target_faults
from chalicelib.model.json_values import whole_number, without_nulls
from chalicelib.model.times import parse_local_time, parse_time


def whole(value: object) -> int:
    """A whole number, which may be sent as 60.0."""
    number = whole_number(value)
    if number is None:
        raise FastPathMiss
    return number


def free_form(value: object, max_bytes: int) -> dict[str, Any]:
    """A free-form object without its null members."""
    if type(value) is not dict:
        raise FastPathMiss
    if None in value.values():
        value = without_nulls(value)
    if not value:
        raise FastPathMiss
    if not is_plain_and_small(value, max_bytes) and (is_too_deep(value) or size_bytes(value) > max_bytes):
        raise FastPathMiss
    return value


def require_shallow(value: object) -> None:
    """Raise unless objects and arrays nest within the allowed depth."""
    if is_too_deep(value):
        raise FastPathMiss


def stored_local_time(text: object) -> str:
    """A time without zone, interpreted as UTC."""
    moment = parse_local_time(text) if type(text) is str else None
    if moment is None or moment.is_zero:
        raise FastPathMiss
    return moment.stored


def require_not_before(later: str, earlier: str) -> None:
    """Raise unless the first of two times, as sent, is at or after the second."""
    end, start = parse_time(later), parse_time(earlier)
    if end is None or start is None or end[:2] < start[:2]:
        raise FastPathMiss


def require_target(values: dict[str, Any], units: str | None) -> None:
    """Raise unless a glucose target, whose parts are known to be numbers, has a valid shape and keeps its limits."""
    target, low, high = values.get("target"), values.get("low"), values.get("high")
    if values.get("range") is None:  # most targets are two bounds, or one value
        maximum = MAXIMUMS.get(units or "")
        if target is None and low is not None and high is not None:
            if maximum is None or 0 <= low <= high <= maximum:
                return
        elif target is not None and low is high is None and (maximum is None or 0 <= target <= maximum):
            return
    for _ in target_faults(values, units):
        raise FastPathMiss


def require_schedule(elements: list[dict[str, Any]]) -> None:
    """Raise unless the first element starts at 0 and each later one after the one before it."""
    earliest_ms = 0
    for element in elements:
        start_ms = element["start"]
        if start_ms < earliest_ms or (start_ms and not earliest_ms):
            raise FastPathMiss
        earliest_ms = start_ms + 1


def units_in(values: dict[str, Any], *path: str) -> str | None:
    """The string at a path of names; None if there is none."""
    value: Any = values
    for name in path:
        value = value.get(name) if type(value) is dict else None
    return value if type(value) is str else None
