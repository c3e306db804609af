"""Checking posted data: all faults of all of them, or the data as they are stored.

Source: data-model.md, sections 1 and 2; data-api.md, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.model.errors import InvalidBodyError, type_not
from chalicelib.model.normalising import Datum, NewId, normalise_datum
from chalicelib.model.parsing import Picked, pick_datum
from chalicelib.model.reports import Report
from chalicelib.model.validation import validate_datum

__all__ = ["Datum", "check_data"]


def check_data(items: Sequence[object], new_id: NewId) -> list[Datum]:
    """The data of a posted array as they are stored: those posted in order, then those split off embedded ones.

    Null elements are skipped. `new_id` makes an id for each datum sent without one.

    Raises: InvalidBodyError with every fault of every element; while there are faults of parsing, only those.
    """
    parsed = _parse_items(items)
    report = Report()
    for index, picked in parsed:
        report.meta = picked.discriminators
        validate_datum(picked, f"/{index}", report)
    if report.errors:
        raise InvalidBodyError(report.errors)
    split: list[Datum] = []
    data = [normalise_datum(picked, new_id, split) for _, picked in parsed]
    return data + split


def _parse_items(items: Sequence[object]) -> list[tuple[int, Picked]]:
    parsed = []
    report = Report()
    for index, item in enumerate(items):
        report.meta = None
        if item is None:
            continue
        if not isinstance(item, dict):
            report.add(type_not("object", item), f"/{index}")
        elif picked := pick_datum(item, f"/{index}", report):
            parsed.append((index, picked))
    if report.errors:
        raise InvalidBodyError(report.errors)
    return parsed
