"""Checks query parameters. Source: data-api 6; errors 4."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import FieldError, InvalidFieldsError
from chalicelib.frozen import frozen
from chalicelib.model.errors import (
    NOT_PARSED,
    VALUE_DUPLICATE,
    VALUE_EMPTY,
    Fault,
    between,
    length_out_of_range,
    type_not,
    value_not_allowed,
    value_not_parsable,
    value_not_valid,
    value_out_of_range,
)
from chalicelib.model.fields import TextFormat
from chalicelib.model.times import RFC3339_LAYOUT, parse_time

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INTEGER = re.compile(r"([+-]?)(?=[0-9])0*([0-9]*)", re.ASCII)
_INT64_LIMIT = 2**63
_INT64_DIGITS = 19


@frozen
class IntegerField:
    """A whole number within inclusive limits; None is an open end."""

    low: int | None = None
    high: int | None = None
    default: int | None = None


@frozen
class BooleanField:
    """True or false, in any of the spellings that the reference accepts."""

    default: bool | None = None


@frozen
class TextField:
    """A string that is not empty. `allowed` lists the only values allowed. `is_list`: the parameter may be repeated and
    may hold several values, separated by commas; the result is a tuple of all of them. `is_unique`: no value occurs
    twice."""

    max_length: int | None = None
    allowed: tuple[str, ...] = ()
    is_list: bool = False
    is_unique: bool = False
    format: TextFormat | None = None


@frozen
class TimeField:
    """An RFC 3339 time; the result is a Moment."""


QueryField = IntegerField | BooleanField | TextField | TimeField

PAGING: Mapping[str, QueryField] = {
    "page": IntegerField(low=0, default=0),
    "size": IntegerField(low=1, high=1000, default=100),
}
"""The parameters of every paged list."""


def check_query(parameters: Mapping[str, Sequence[str]], fields: Mapping[str, QueryField]) -> dict[str, Any]:
    """The value of each parameter that was given or has a default.

    Raises:
        InvalidFieldsError: its errors name the `parameter`: the faults of parsing (wrong type, unknown, repeated) or,
            if there are none, the others.
    """
    faults: list[tuple[Fault, str]] = []
    values: dict[str, Any] = {}
    for name, field in fields.items():
        texts = parameters.get(name) or ()
        if texts:
            value = _parse(field, texts)
            if isinstance(value, Fault):
                faults.append((value, name))
            else:
                values[name] = value
        elif isinstance(field, IntegerField | BooleanField) and field.default is not None:
            values[name] = field.default
    faults += [(NOT_PARSED, name) for name in sorted(parameters) if _is_unexpected(fields.get(name), parameters[name])]
    if not faults:
        faults = [(fault, name) for name, value in values.items() for fault in _faults(fields[name], value)]
    if faults:
        raise InvalidFieldsError([_error(fault, name) for fault, name in faults])
    return values


def _error(fault: Fault, parameter: str) -> FieldError:
    return fault.at(parameter=parameter)


def _is_unexpected(field: QueryField | None, texts: Sequence[str]) -> bool:
    if field is None:
        return True
    return len(texts) > 1 and not (isinstance(field, TextField) and field.is_list)


def _parse(field: QueryField, texts: Sequence[str]) -> Any:
    text = texts[0]
    match field:
        case IntegerField():
            value = _integer(text)
            return type_not("int", text) if value is None else value
        case BooleanField():
            return text in _TRUE if text in _TRUE | _FALSE else type_not("bool", text)
        case TimeField():
            return parse_time(text) or value_not_parsable(text, RFC3339_LAYOUT)
        case TextField(is_list=True):
            return tuple(part for text in texts for part in text.split(","))
        case TextField():
            return text


def _integer(text: str) -> int | None:
    """The integer of 64 bits that a text denotes; None if there is none."""
    match = _INTEGER.fullmatch(text)
    if match is None or len(match[2]) > _INT64_DIGITS:  # Python refuses to read thousands of digits
        return None
    value = int(match[1] + (match[2] or "0"))
    return value if -_INT64_LIMIT <= value < _INT64_LIMIT else None


def _faults(field: QueryField, value: Any) -> Iterator[Fault]:
    match field:
        case IntegerField(low, high) if (low is not None and value < low) or (high is not None and value > high):
            yield value_out_of_range(value, between(low, high))
        case TextField():
            seen: set[str] = set()
            for text in value if field.is_list else (value,):
                fault = VALUE_DUPLICATE if field.is_unique and text in seen else _text_fault(field, text)
                seen.add(text)
                if fault is not None:
                    yield fault


def _text_fault(field: TextField, text: str) -> Fault | None:
    if field.allowed:
        return None if text in field.allowed else value_not_allowed(text, field.allowed)
    if not text:
        return VALUE_EMPTY
    if field.max_length is not None and len(text) > field.max_length:
        return length_out_of_range(len(text), between(None, field.max_length))
    if field.format is not None and not field.format.accepts(text):
        return value_not_valid(text, field.format.wording)
    return None
