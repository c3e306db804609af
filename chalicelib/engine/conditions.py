"""Conditions on the attributes of one item: of a write, and of the items that a query returns.

They are values, so that they can be compared, combined and compiled: a store builds them with the functions of this
module, an engine reads the classes.

    any_of(absent(), less_than("until_ms", now_ms))
    all_of(exists(), equals("password_version", 1, or_absent=True))
"""

from typing import Any, Literal

from chalicelib.frozen import frozen

Operator = Literal["=", "<>", "<", "<=", ">"]


@frozen
class Presence:
    """An attribute is there, or is not; without a name, the item."""

    name: str | None
    is_there: bool


@frozen
class Comparison:
    """A comparison of an attribute with a value of the same type. An absent attribute is unequal to any value, and
    neither less nor greater."""

    name: str
    operator: Operator
    value: Any


@frozen
class StartsWith:
    """A text begins with a prefix."""

    name: str
    prefix: str


@frozen
class AllOf:
    """All parts hold."""

    parts: "tuple[Condition, ...]"


@frozen
class AnyOf:
    """At least one of the parts holds."""

    parts: "tuple[Condition, ...]"


Condition = Presence | Comparison | StartsWith | AllOf | AnyOf


def exists(name: str | None = None) -> Condition:
    """The attribute is there; without a name, the item is."""
    return Presence(name, is_there=True)


def absent(name: str | None = None) -> Condition:
    """The attribute is not there; without a name, the item is not."""
    return Presence(name, is_there=False)


def equals(name: str, value: str | int | bytes | bool, *, or_absent: bool = False) -> Condition:
    """The attribute has this value; with `or_absent`, it may also be absent."""
    comparison = Comparison(name, "=", value)
    return AnyOf((comparison, Presence(name, is_there=False))) if or_absent else comparison


def not_equals(name: str, value: str | int | bytes | bool) -> Condition:
    """The attribute has another value or none."""
    return Comparison(name, "<>", value)


def less_than(name: str, value: str | int) -> Condition:
    """The attribute is there and below the value."""
    return Comparison(name, "<", value)


def at_most(name: str, value: str | int) -> Condition:
    """The attribute is there and not above the value."""
    return Comparison(name, "<=", value)


def greater_than(name: str, value: str | int) -> Condition:
    """The attribute is there and above the value."""
    return Comparison(name, ">", value)


def starts_with(name: str, prefix: str) -> Condition:
    """The attribute is a text that begins with the prefix."""
    return StartsWith(name, prefix)


def all_of(*conditions: Condition) -> Condition:
    """All of these hold."""
    return conditions[0] if len(conditions) == 1 else AllOf(conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one of these holds."""
    return conditions[0] if len(conditions) == 1 else AnyOf(conditions)
