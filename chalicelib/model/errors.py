"""The faults of a body or a query, in the words of the wire. A fault with its pointer is a `FieldError`.

Source: errors 2; data-api 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chalicelib.errors import FieldError
from chalicelib.model.rendering import render, render_list


class Fault(NamedTuple):
    """A fault without its position: `at` makes it a `FieldError`."""

    code: str
    title: str
    detail: str

    def at(
        self, pointer: str | None = None, *, parameter: str | None = None, meta: Mapping[str, str] | None = None
    ) -> FieldError:
        return FieldError(self.code, self.title, self.detail, pointer, parameter, meta)


def _plain(code: str, title: str) -> Fault:
    return Fault(code, title, title)


NOT_PARSED = _plain("not-parsed", "not parsed")
VALUE_NOT_EXISTS = _plain("value-not-exists", "value does not exist")
VALUE_EXISTS = _plain("value-exists", "value exists")
VALUE_EMPTY = _plain("value-empty", "value is empty")
VALUE_DUPLICATE = _plain("value-duplicate", "value is a duplicate")
# The reference accepts any depth; here a value that could not be serialized is refused.
NESTED_TOO_DEEPLY = Fault("value-not-valid", "value is not valid", "value is nested too deeply")


def type_not(expected: str, value: object) -> Fault:
    """The value has another JSON type; `expected` is bool, float64, int, string, time, object or array."""
    return Fault(f"type-not-{expected}", f"type is not {expected}", f"type is not {expected}, but {json_type(value)}")


def json_type(value: object) -> str:
    """The wire's name of the type of a JSON value."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list):
        return "[]interface {}"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "float64"


def value_not_parsable(value: str, layout: str) -> Fault:
    return Fault(
        "value-not-parsable",
        "value is not a parsable time",
        f"value {render(value)} is not a parsable time of format {render(layout)}",
    )


def value_not_allowed(value: str | float, allowed: Sequence[str | float]) -> Fault:
    return Fault(
        "value-not-allowed",
        "value is not one of the allowed values",
        f"value {render(value)} is not one of {render_list(allowed)}",
    )


def value_out_of_range(value: str | float, relation: str) -> Fault:
    """`relation` completes "value 5 is not …": see `between` and `equal_to`."""
    return Fault("value-out-of-range", "value is out of range", f"value {render(value)} is not {relation}")


def length_out_of_range(length: int, relation: str) -> Fault:
    return Fault("length-out-of-range", "length is out of range", f"length {length} is not {relation}")


def size_out_of_range(size_bytes: int, relation: str) -> Fault:
    return Fault("size-out-of-range", "size is out of range", f"size {size_bytes} is not {relation}")


def between(low: float | None, high: float | None) -> str:
    """A range in the words of the wire; None is an open end."""
    if high is None:
        return f"greater than or equal to {render(low or 0)}"
    if low is None:
        return f"less than or equal to {render(high)}"
    return f"between {render(low)} and {render(high)}"


def greater_than(limit: float) -> str:
    return f"greater than {render(limit)}"


def equal_to(value: str | float) -> str:
    return f"equal to {render(value)}"


def value_not_valid(value: str, wording: str) -> Fault:
    """`wording` completes "is not valid …", for example "as data id" or "time zone name"."""
    return Fault("value-not-valid", "value is not valid", f"value {render(value)} is not valid {wording}")


def value_not_after(value: str, limit: str) -> Fault:
    return Fault(
        "value-not-after",
        "value is not after the specified time",
        f"value {render(value)} is not after {render(limit)}",
    )


def value_not_before(value: str) -> Fault:
    """The time is in the future."""
    return Fault(
        "value-not-before", "value is not before the specified time", f"value {render(value)} is not before now"
    )


def values_not_exist_for_any(names: Sequence[str]) -> Fault:
    title = "values do not exist for any"
    return Fault("values-not-exist-for-any", title, f"{title} of {render_list(names)}")


def values_not_exist_for_one(names: Sequence[str]) -> Fault:
    title = "values do not exist for one"
    return Fault("values-not-exist-for-one", title, f"{title} of {render_list(names)}")
