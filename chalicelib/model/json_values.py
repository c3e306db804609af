"""Values that come out of JSON, and pointers (RFC 6901) to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

_INT64_LIMIT = 2**63


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number; a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_number(value: object) -> int | None:
    """The integer that a number stands for (60.0 is 60); None if it is not whole or exceeds 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_INT64_LIMIT <= value < _INT64_LIMIT:
        return None
    return int(value) if value == int(value) else None


def plain_number(value: float) -> float:
    """A number, as an integer if it is whole: JSON shows 60 then, and not 60.0."""
    return int(value) if value == int(value) else value


def without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an object that are not null."""
    return {name: value for name, value in body.items() if value is not None}


def member(pointer: str, name: str | int) -> str:
    """The pointer to a member or an element of the value at `pointer`."""
    if isinstance(name, str):
        name = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{name}"
