"""Tests that the JSON Schemas accept what the checker accepts, and refuse what JSON Schema can express of its rules."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from chalicelib.errors import FieldError
from chalicelib.model.json_schema import schema_for, schema_for_data_set_update
from chalicelib.model.tables.registry import TYPES
from tests.golden.datum_vectors import FILES, vectors

_BEYOND_WORDS = {
    "size-out-of-range": "the size of a free-form object",
    "value-not-after": "the order of two times",
    "value-not-valid": "URLs, time zone names, the calendar",
    "value-not-parsable": "the calendar",
    "value-empty": "the time zero",
    "value-not-allowed": "numbers by the units of the record",
    "value-out-of-range": "limits by the units of the record, by a sibling, by the element before",
}


@cache
def _validator(type_name: str) -> Any:
    schema = schema_for(type_name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _is_valid(item: Any) -> bool:
    if item is None:
        return True
    type_name = item.get("type") if isinstance(item, dict) else None
    return isinstance(type_name, str) and type_name in TYPES and _validator(type_name).is_valid(item)


@pytest.mark.parametrize("file", FILES)
def test_a_schema_accepts_what_the_checker_accepts(file: str) -> None:
    refused = [vector.case for vector in vectors(file) if not vector.errors and not all(map(_is_valid, vector.items))]
    assert refused == []


def test_a_schema_refuses_what_the_checker_refuses() -> None:
    refused, accepted = 0, []
    for file in FILES:
        for vector in vectors(file):
            if vector.errors and all(map(_is_valid, vector.items)):
                accepted += vector.errors
            elif vector.errors:
                refused += 1
    assert [error for error in accepted if not _is_beyond_words(error)] == []
    assert refused == 3338


def _is_beyond_words(error: FieldError) -> bool:
    return error.code in _BEYOND_WORDS


@pytest.mark.parametrize("schema", [schema_for("upload"), schema_for_data_set_update()], ids=["creation", "update"])
def test_the_schemas_of_a_data_set_name_every_member(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"deviceId": "d", "time": "2024-01-01T00:00:00Z", "timezone": None})
    assert not validator.is_valid({"deviceId": ""})
    assert not validator.is_valid({"colour": "red"})
