"""The vocabulary of the data model's tables.

A table is a tree of these values and contains no code. `checks` interprets it, `compiled` turns it into straight-line
Python, and `json_schema` into JSON Schema. Fields are checked in the order of `Object.fields`. Source: data-model.

A path to a units field is a sibling's name (`units`) or, with a leading slash, starts at the datum (`/units/bg`).

The classes are named tuples, which are cheap to define when the module is imported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

# --- limits -----------------------------------------------------------------------------------------------------------


class Range(NamedTuple):
    """Inclusive limits; None is an open end. `at_least` and `at_most` name sibling fields: the value of a sibling that
    is present and within its own range narrows this range."""

    low: float | None = None
    high: float | None = None
    at_least: str | None = None
    at_most: str | None = None


ANY = Range()


class ByUnits(NamedTuple):
    """Limits that depend on a units field. With unknown units there are no limits."""

    units: str
    ranges: Mapping[str, Range]


class OneOfByUnits(NamedTuple):
    """Allowed numbers that depend on a units field. With unknown units any number is allowed."""

    units: str
    allowed: Mapping[str, tuple[float, ...]]


# --- kinds of values --------------------------------------------------------------------------------------------------


class TextFormat(NamedTuple):
    """The format of a string. `wording` completes the error "is not valid …"; `accepts` returns something true for a
    string of the format. `is_empty` tells which strings are `value-empty`; None means that none is."""

    wording: str
    accepts: Callable[[str], object]
    is_empty: Callable[[str], bool] | None = operator.not_
    json_schema: Mapping[str, object] = {}


class Text(NamedTuple):
    """A string of `min_length` to `max_length` code points.

    The empty string is `value-empty`, unless `may_be_empty` is set (then its length is 0) or the format decides
    otherwise. If `known` is not empty, it lists the only values allowed. `max_bytes` limits the string in UTF-8 and is
    checked after the format. With `is_told_exclusively` an error about `min_length` 2 says "not greater than 1".
    """

    max_length: int | None = None
    min_length: int | None = None
    format: TextFormat | None = None
    known: tuple[str, ...] = ()
    may_be_empty: bool = False
    max_bytes: int | None = None
    is_told_exclusively: bool = False


class Choice(NamedTuple):
    """One of a few words. `stored` maps the words whose stored spelling differs."""

    values: tuple[str, ...]
    stored: Mapping[str, str] = {}


class Constant(NamedTuple):
    """A single allowed word; any other is `value-out-of-range`."""

    value: str


class Boolean:
    """True or false."""

    __slots__ = ()


class Integer(NamedTuple):
    """A whole number, sent as 60 or 60.0."""

    limits: Range = ANY
    allowed: tuple[int, ...] = ()


class Start(NamedTuple):
    """The time at which an element of a schedule starts, in milliseconds from midnight: 0 in the first element, then
    later in each element than in the one before."""

    latest_ms: int


class Number(NamedTuple):
    """A number. `converted_by` is the path to a units field: a value in mg/dL is stored in mmol/L."""

    limits: Range | ByUnits | OneOfByUnits = ANY
    converted_by: str | None = None


class Time(NamedTuple):
    """An instant, stored in UTC with milliseconds. `is_local`: sent without zone and interpreted as UTC.
    `not_before` names a sibling that it must not precede."""

    is_local: bool = False
    may_be_zero: bool = True
    not_before: str | None = None


class FreeForm(NamedTuple):
    """An object with any members, at most `max_bytes` as compact JSON. An empty one is `value-empty`, unless
    `may_be_empty` is set. Null members are removed first, unless `keeps_nulls` is set."""

    max_bytes: int = 4096
    keeps_nulls: bool = False
    may_be_empty: bool = False


class TextList(NamedTuple):
    """An array of strings; a null element is read as the empty string."""

    item: Text | Choice
    max_items: int | None = None
    may_be_empty: bool = False
    is_unique: bool = False
    is_sorted: bool = False
    empty_is_absent: bool = False


class ObjectList(NamedTuple):
    """An array of objects; a null element is `value-not-exists`. The elements of a schedule have a `Start` field
    named `start`."""

    item: Object | FreeForm | Recursive
    max_items: int | None = None
    may_be_empty: bool = False
    is_schedule: bool = False


class ObjectMap(NamedTuple):
    """An object that maps names to objects or lists; a null value is `value-not-exists`."""

    item: Object | ObjectList


class Object(NamedTuple):
    """An object: its fields in the order of checking; other members are dropped. `first` rules are checked before the
    fields, `last` rules after them."""

    fields: tuple[Field, ...]
    first: tuple[Rule, ...] = ()
    last: tuple[Rule, ...] = ()


class Recursive(NamedTuple):
    """A reference to an object that contains itself: a compound of an insulin formulation has a formulation."""

    name: str
    object: Callable[[], Object]


def resolved(model: Object | Recursive) -> Object:
    """The object that a reference stands for; an object stands for itself."""
    return model.object() if isinstance(model, Recursive) else model


class Variant(NamedTuple):
    """An object whose `type` and second discriminator pick its model during parsing. Discriminators are stored as sent.
    `variants` has the order in which an error lists the allowed names."""

    type: str
    discriminator: str
    variants: Mapping[str, Object]


class Embedded(NamedTuple):
    """A complete datum inside another one. It is stored as a datum of its own, and the field holds its id. A datum of a
    sub type in `unlinked` is stored too, but the field is dropped."""

    type: str
    sub_types: tuple[str, ...]
    unlinked: frozenset[str] = frozenset()


Scalar = Text | Choice | Constant | Boolean | Integer | Start | Number | Time
Kind = Scalar | FreeForm | TextList | ObjectList | ObjectMap | Object | Recursive | Variant | Embedded

# --- fields, conditions and rules -------------------------------------------------------------------------------------


class Has(NamedTuple):
    """One of the sibling fields is present."""

    names: tuple[str, ...]


class Is(NamedTuple):
    """The sibling field holds one of the values."""

    name: str
    values: tuple[str, ...]


class IsZero(NamedTuple):
    """The sibling field holds the number 0."""

    name: str


class Not(NamedTuple):
    """The condition does not hold."""

    condition: Has | Is | IsZero


class Either(NamedTuple):
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]


Condition = Has | Is | IsZero | Not | Either


class Field(NamedTuple):
    """A member of an object. `required` and `forbidden` may depend on siblings; the value of a forbidden field is not
    checked. `stored_as` is the name of the stored member if it differs.

    Two settings shape the report of an object that has a fault anyway. Without the condition `checked_if` the value is
    not checked: what an id has to look like is unknown while the type is. `checked_after` names the sibling after which
    the value is checked, instead of in the field's own place.
    """

    name: str
    kind: Kind
    required: bool | Condition = False
    forbidden: Condition | None = None
    stored_as: str | None = None
    checked_if: Condition | None = None
    checked_after: str | None = None


def required(name: str, kind: Kind) -> Field:
    """A field that must be present."""
    return Field(name, kind, required=True)


def only_with(name: str, kind: Kind, condition: Has | Is, *, is_required: bool = True) -> Field:
    """A field that is forbidden unless the condition holds and, if `is_required`, required if it does."""
    return Field(name, kind, required=condition if is_required else False, forbidden=Not(condition))


class AnyOf(NamedTuple):
    """At least one of the fields is present; otherwise the object has the fault `values-not-exist-for-any`."""

    names: tuple[str, ...]


class OneOf(NamedTuple):
    """One of `names` or of `unless` is present; otherwise the object has the fault `values-not-exist-for-one`, which
    lists `names` alone."""

    names: tuple[str, ...]
    unless: tuple[str, ...] = ()


class GlucoseTarget(NamedTuple):
    """The object has exactly the parts {target, range}, {target, high}, {target} or {low, high}, within the limits of
    the units at the path `units`."""

    units: str


Rule = AnyOf | OneOf | GlucoseTarget
