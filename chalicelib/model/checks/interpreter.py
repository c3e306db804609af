"""Reads a datum by its table in three steps: parses it, validates it and converts it to its stored form.

The interpreter defines the model's checks. The fast path (`compiled.compiler`) accepts a valid datum in their place.
"""

from __future__ import annotations

from chalicelib.model.checks.normalize import normalize_datum
from chalicelib.model.checks.parse import parse_datum
from chalicelib.model.checks.report import DataReport
from chalicelib.model.checks.validate import validate_datum
from chalicelib.model.datum import Datum, NewId
from chalicelib.model.errors import type_not


def interpret_datum(
    item: object, pointer: str, report: DataReport, new_id: NewId, embedded: list[Datum]
) -> Datum | None:
    """An element of a posted array as stored; None if it has faults, which are added to the report.

    Data embedded in it are appended to `embedded`.
    """
    parsing, validation = report.parsing, report.validation
    parsing.meta = None
    if not isinstance(item, dict):
        parsing.add(type_not("object", item), pointer)
        return None
    before = len(parsing.errors), len(validation.errors)
    typed = parse_datum(item, pointer, parsing)
    if typed is None or len(parsing.errors) > before[0]:
        return None
    validation.meta = typed.discriminators
    validate_datum(typed, pointer, validation)
    return None if len(validation.errors) > before[1] else normalize_datum(typed, new_id, embedded)
