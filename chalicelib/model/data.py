"""Checks posted data: returns them as stored, or reports every fault of all of them.

Source: data-model 1 and 2; data-api 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import InvalidFieldsError
from chalicelib.model.checks.report import DataReport
from chalicelib.model.compiled.compiler import read_datum
from chalicelib.model.datum import Datum, FastPathMiss, NewId

__all__ = ["Datum", "NewId", "check_data"]


def check_data(items: Sequence[object], new_id: NewId) -> list[Datum]:
    """The data of a posted array as stored: the posted ones in order, then those that were embedded in them.

    Null elements are skipped. `new_id` makes the id of each datum that was sent without one.

    Raises:
        InvalidFieldsError: elements have faults; lists those of parsing or, if there are none, those of validation.
    """
    report = DataReport()
    data: list[Datum] = []
    embedded: list[Datum] = []
    for index, item in enumerate(items):
        if item is None:
            continue
        try:
            data.append(read_datum(item, new_id, embedded))
        except FastPathMiss:
            # Imported late: most functions never miss.
            from chalicelib.model.checks.interpreter import interpret_datum

            datum = interpret_datum(item, f"/{index}", report, new_id, embedded)
            if datum is not None:
                data.append(datum)
    if report.errors:
        raise InvalidFieldsError(report.errors)
    return data + embedded
