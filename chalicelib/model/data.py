"""Checks posted data: returns them as stored, or reports what is wrong with them.

Source: data-model 1 and 2; data-api 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import InvalidFieldsError, more_errors
from chalicelib.model.checks.report import DataReport
from chalicelib.model.compiled.compiler import read_datum
from chalicelib.model.datum import Datum, FastPathMiss, NewId

__all__ = ["Datum", "FastPathMiss", "NewId", "check_data", "check_element", "read_datum"]


def check_data(items: Sequence[object], new_id: NewId) -> list[Datum]:
    """The data of a posted array as stored: the posted ones in order, then those that were embedded in them.

    Null elements are skipped. `new_id` makes the id of each datum that was sent without one. Checking stops at the
    first fault that a report has no room for.

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
            datum = _interpreted(items, index, report, new_id, embedded)
            if datum is not None:
                data.append(datum)
    if report.errors:
        raise InvalidFieldsError(report.errors)
    return data + embedded


def check_element(items: Sequence[object], index: int, new_id: NewId, embedded: list[Datum]) -> Datum:
    """One element of a posted array as stored; data embedded in it are appended to `embedded`.

    Raises:
        InvalidFieldsError: it has faults.
    """
    report = DataReport()
    datum = _interpreted(items, index, report, new_id, embedded)
    if datum is None:
        raise InvalidFieldsError(report.errors)
    return datum


def _interpreted(
    items: Sequence[object], index: int, report: DataReport, new_id: NewId, embedded: list[Datum]
) -> Datum | None:
    """An element as the interpreter reads it; None if it has faults, which are added to the report.

    Raises:
        InvalidFieldsError: the report has no room for all of them.
    """
    # Imported late: most functions never miss the fast path.
    from chalicelib.model.checks.interpreter import interpret_datum

    try:
        return interpret_datum(items[index], f"/{index}", report, new_id, embedded)
    except InvalidFieldsError as full:
        unchecked = len(items) - index - 1
        more = f"there are more errors: {unchecked} more elements were not checked"
        raise InvalidFieldsError([*report.errors, more_errors(more)]) from full
