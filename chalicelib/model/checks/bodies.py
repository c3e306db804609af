"""Checks bodies that are one object without unknown members.

Source: errors 2.5 and 3; data-api 7 and 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.errors import FieldError, InvalidFieldsError, MalformedJsonError, MissingJsonError
from chalicelib.model.checks.normalize import normalize_object
from chalicelib.model.checks.parse import parse_fields
from chalicelib.model.checks.report import Report
from chalicelib.model.checks.validate import validate_object
from chalicelib.model.errors import NOT_PARSED
from chalicelib.model.fields import Object
from chalicelib.model.json_values import member
from chalicelib.model.tables import data_sets, data_sources

OBJECT_MISSING = FieldError("", "", "object is missing")
"""The fault of a body that is the JSON null."""
_JSON_MISSING = FieldError("json-not-found", "json not found", "json not found")
_JSON_MALFORMED = FieldError("json-malformed", "json is malformed", "json is malformed")


def check_body(body: object, model: Object, ignored: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of a body as stored. Members in `ignored` are allowed and have no effect.

    Raises:
        MalformedJsonError: the body is neither an object nor null.
        InvalidFieldsError: it is null; or it has faults of parsing, unknown members last and sorted by name; or, if
            there are none, faults of validation.
    """
    if body is None:
        raise InvalidFieldsError((OBJECT_MISSING,))
    if not isinstance(body, dict):
        raise MalformedJsonError
    report = Report()
    values = parse_fields(model, body, "", report)
    known = {field.name for field in model.fields} | ignored
    for name in sorted(body.keys() - known):
        report.add(NOT_PARSED, member("", name))
    if not report.errors:
        validate_object(model, values, "", report)
    if report.errors:
        raise InvalidFieldsError(report.errors)
    return normalize_object(model, values)


def check_data_set(body: object) -> dict[str, Any]:
    """The fields that a client sets for a new data set: times in UTC, arrays sorted, without `type` and the fields of
    the service. `deduplicator` is `{"name": …}` with the name as sent (see `deduplicators.choose`).

    None, the JSON null, stands for an empty body.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: it has faults.
    """
    values = check_body({} if body is None else body, data_sets.CREATION, data_sets.SERVICE_FIELDS)
    values.pop("type", None)
    return values


def check_data_set_update(read_body: Callable[[], object]) -> dict[str, Any]:
    """The changes to a continuous data set: any of deviceId, deviceModel, deviceSerialNumber, state (`open` or
    `closed`), time (UTC), timezone, timezoneOffset.

    A body that is no JSON is told as its fields are, without the envelope of the route's other errors (data-api 5).

    Args:
        read_body: returns the JSON value of the body.

    Raises:
        InvalidFieldsError: the body is not a JSON object, or it has faults.
    """
    try:
        return check_body(read_body(), data_sets.UPDATE)
    except MissingJsonError as error:
        raise InvalidFieldsError((_JSON_MISSING,)) from error
    except MalformedJsonError as error:
        raise InvalidFieldsError((_JSON_MALFORMED,)) from error


def check_data_source(body: object) -> dict[str, Any]:
    """The fields of a new data source.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: it has faults.
    """
    return check_body(body, data_sources.CREATION)


def check_data_source_update(body: object) -> dict[str, Any]:
    """The changes to a data source, `dataSetIds` in the form of `dataSetId`; times in UTC.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidFieldsError: it has faults.
    """
    changes = check_body(body, data_sources.UPDATE)
    data_set_ids = changes.pop("dataSetIds", None)
    if data_set_ids:
        changes.setdefault("dataSetId", data_set_ids[0])
    return changes
