"""Checking a body that is one object, of which every member has to be known. Source: errors.md, sections 2.5 and 3."""

from __future__ import annotations

from typing import Any

from chalicelib.model.checks.normalize import normalize_object
from chalicelib.model.checks.parse import parse_fields
from chalicelib.model.checks.report import Report
from chalicelib.model.checks.validate import validate_object
from chalicelib.model.errors import NOT_PARSED, InvalidBodyError, NotAnObjectError
from chalicelib.model.fields import Object
from chalicelib.model.json_values import member


def check_body(body: object, model: Object, ignored: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of a body, normalized. Members in `ignored` may be there and have no effect.

    Raises: NotAnObjectError for any other JSON than an object; InvalidBodyError with every fault: those of parsing,
    unknown members included and sorted by name, and only without any those of validation.
    """
    if not isinstance(body, dict):
        raise NotAnObjectError
    report = Report()
    values = parse_fields(model, body, "", report)
    known = {field.name for field in model.fields} | ignored
    for name in sorted(body.keys() - known):
        report.add(NOT_PARSED, member("", name))
    if not report.errors:
        validate_object(model, values, "", values, report)
    if report.errors:
        raise InvalidBodyError(report.errors)
    return normalize_object(model, values)
