"""Checking posted data: all faults of all of them, or the data as they are stored.

Source: data-model.md, sections 1 and 2; data-api.md, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.model.compiler import read_datum
from chalicelib.model.doubt import Doubt
from chalicelib.model.errors import InvalidBodyError, type_not
from chalicelib.model.normalising import Datum, NewId, normalise_datum
from chalicelib.model.parsing import pick_datum
from chalicelib.model.reports import Report
from chalicelib.model.validation import validate_datum

__all__ = ["Datum", "NewId", "check_data"]


def check_data(items: Sequence[object], new_id: NewId) -> list[Datum]:
    """The data of a posted array as they are stored: those posted in order, then those split off embedded ones.

    Null elements are skipped. `new_id` makes an id for each datum sent without one.

    Raises: InvalidBodyError with every fault of every element; while there are faults of parsing, only those.
    """
    parsing, validation = Report(), Report()
    data: list[Datum] = []
    split: list[Datum] = []
    for index, item in enumerate(items):
        if item is None:
            continue
        try:
            data.append(read_datum(item, new_id, split))
        except Doubt:
            datum = read_by_table(item, f"/{index}", parsing, validation, new_id, split)
            if datum is not None:
                data.append(datum)
    if faults := parsing.errors or validation.errors:
        raise InvalidBodyError(faults)
    return data + split


def read_by_table(
    item: object, pointer: str, parsing: Report, validation: Report, new_id: NewId, split: list[Datum]
) -> Datum | None:
    """What the tables make of one element: the datum, or None and its faults in one of the reports."""
    parsing.meta = None
    if not isinstance(item, dict):
        parsing.add(type_not("object", item), pointer)
        return None
    before = len(parsing.errors), len(validation.errors)
    picked = pick_datum(item, pointer, parsing)
    if picked is None or len(parsing.errors) > before[0]:
        return None
    validation.meta = picked.discriminators
    validate_datum(picked, pointer, validation)
    return None if len(validation.errors) > before[1] else normalise_datum(picked, new_id, split)
