"""Checking posted data: all faults of all of them, or the data as they are stored.

Source: data-model.md, sections 1 and 2; data-api.md, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import InvalidFieldsError
from chalicelib.model.checks.report import Report
from chalicelib.model.compiled.compiler import read_datum
from chalicelib.model.datum import Datum, FastPathMiss, NewId

__all__ = ["Datum", "NewId", "check_data"]


def check_data(items: Sequence[object], new_id: NewId) -> list[Datum]:
    """The data of a posted array as they are stored: those posted in order, then those split off embedded ones.

    Null elements are skipped. `new_id` makes an id for each datum sent without one.

    Raises:
        InvalidFieldsError: elements have faults. While there are faults of parsing, only those are named.
    """
    parsing, validation = Report(), Report()
    data: list[Datum] = []
    split: list[Datum] = []
    for index, item in enumerate(items):
        if item is None:
            continue
        try:
            data.append(read_datum(item, new_id, split))
        except FastPathMiss:
            # Most functions never meet such a datum: what reads it is imported with the first.
            from chalicelib.model.checks.interpreter import interpret_datum

            datum = interpret_datum(item, f"/{index}", parsing, validation, new_id, split)
            if datum is not None:
                data.append(datum)
    if faults := parsing.errors or validation.errors:
        raise InvalidFieldsError(faults)
    return data + split
