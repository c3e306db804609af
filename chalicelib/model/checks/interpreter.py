"""Reading a datum by its table, step by step: what it is, what is wrong with it, and how it is stored.

This is the definition of the model's checks; `compiler` makes a quick way through it for data without faults.
"""

from __future__ import annotations

from chalicelib.model.checks.normalize import normalize_datum
from chalicelib.model.checks.parse import parse_datum
from chalicelib.model.checks.report import Report
from chalicelib.model.checks.validate import validate_datum
from chalicelib.model.datum import Datum, NewId
from chalicelib.model.errors import type_not


def interpret_datum(
    item: object, pointer: str, parsing: Report, validation: Report, new_id: NewId, split: list[Datum]
) -> Datum | None:
    """One element of a posted array as stored, data embedded in it appended to `split`; or None, and its faults in
    one of the reports."""
    parsing.meta = None
    if not isinstance(item, dict):
        parsing.add(type_not("object", item), pointer)
        return None
    before = len(parsing.errors), len(validation.errors)
    picked = parse_datum(item, pointer, parsing)
    if picked is None or len(parsing.errors) > before[0]:
        return None
    validation.meta = picked.discriminators
    validate_datum(picked, pointer, validation)
    return None if len(validation.errors) > before[1] else normalize_datum(picked, new_id, split)
