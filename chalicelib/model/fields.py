"""The vocabulary in which the data model's tables are written.

A table is a tree of these values and holds no code. `parsing`, `validation` and `normalizing` read it step by step,
`compiler` turns it into straight-line Python, `json_schema` into JSON Schema. The order of `Object.fields` is the
order of checking. Source: data-model.md.

(ObjectMap tuples, because a data class takes eight times as long to make when the module is imported.)

A path to a units field is a sibling's name (`units`) or, with a leading slash, starts at the datum (`/units/bg`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

# --- limits -----------------------------------------------------------------------------------------------------------


class Range(NamedTuple):
    """Inclusive limits; None is an open end. `at_least` and `at_most` name sibling fields whose value, where it is
    present and within its own range, narrows this one."""

    low: float | None = None
    high: float | None = None
    at_least: str | None = None
    at_most: str | None = None


ANY = Range()


class ByUnits(NamedTuple):
    """Limits that depend on a units field. Without known units there is no limit."""

    units: str
    ranges: Mapping[str, Range]


class OneOfByUnits(NamedTuple):
    """Allowed numbers that depend on a units field. Without known units any number is allowed."""

    units: str
    allowed: Mapping[str, tuple[float, ...]]


# --- kinds of values --------------------------------------------------------------------------------------------------


class TextFormat(NamedTuple):
    """What a text must look like. `wording` completes the error "is not valid …"; `accepts` answers something true
    for a text of the form. `is_empty` tells which texts are `value-empty`; None: no text is."""

    wording: str
    accepts: Callable[[str], object]
    is_empty: Callable[[str], bool] | None = operator.not_
    json_schema: Mapping[str, object] = {}


class Text(NamedTuple):
    """A string of `min_length` to `max_length` code points.

    The empty string is `value-empty` unless `may_be_empty` (then it counts as a length of 0) or the form says
    otherwise. A text of the right form may still have to be one that is `known`.
    """

    max_length: int | None = None
    min_length: int | None = None
    format: TextFormat | None = None
    known: tuple[str, ...] = ()
    may_be_empty: bool = False


class Choice(NamedTuple):
    """One of a few words. `stored` says which of them are spelled otherwise when stored."""

    values: tuple[str, ...]
    stored: Mapping[str, str] = {}


class Constant(NamedTuple):
    """One word only; another is `value-out-of-range`."""

    value: str


class Boolean:
    """True or false."""

    __slots__ = ()


class Integer(NamedTuple):
    """A whole number, written as 60 or 60.0."""

    limits: Range = ANY
    allowed: tuple[int, ...] = ()


class Start(NamedTuple):
    """From when on an element of a schedule holds, in milliseconds from midnight: 0 in the first element, later than
    the element before in the others."""

    latest_ms: int


class Number(NamedTuple):
    """`converted_by` is the path of the units field: in mg/dL the stored value is mmol/L."""

    limits: Range | ByUnits | OneOfByUnits = ANY
    converted_by: str | None = None


class Time(NamedTuple):
    """An instant, stored in UTC with milliseconds. `is_local`: sent without zone and taken as UTC.
    `not_before` names a sibling that it must not precede."""

    is_local: bool = False
    may_be_zero: bool = True
    not_before: str | None = None


class FreeForm(NamedTuple):
    """An object of any members, not empty, of at most `max_bytes` as compact JSON; null members do not count."""

    max_bytes: int = 4096


class TextList(NamedTuple):
    """An array of strings; a null element counts as the empty string."""

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
    """An object used as a map from names to values; null for a name is `value-not-exists`."""

    item: Object | ObjectList


class Object(NamedTuple):
    """Fields in the order of checking; other members are dropped. `first` rules run before the fields, `last` after."""

    fields: tuple[Field, ...]
    first: tuple[Rule, ...] = ()
    last: tuple[Rule, ...] = ()


class Recursive(NamedTuple):
    """A reference to an object that is being defined: the formulation of a compound of a formulation."""

    name: str
    object: Callable[[], Object]


def resolved(model: Object | Recursive) -> Object:
    """The object that a reference stands for."""
    return model.object() if isinstance(model, Recursive) else model


class Variant(NamedTuple):
    """An object whose model is picked by its `type` and a second discriminator, while it is parsed. Discriminators
    are stored as sent. `variants` is in the order in which an error lists the allowed names."""

    type: str
    discriminator: str
    variants: Mapping[str, Object]


class Embedded(NamedTuple):
    """A complete datum inside another one: stored as a datum of its own, the field then holds its id.
    A sub type in `unlinked` is stored, but the field is dropped."""

    type: str
    sub_types: tuple[str, ...]
    unlinked: frozenset[str] = frozenset()


Scalar = Text | Choice | Constant | Boolean | Integer | Start | Number | Time
Kind = Scalar | FreeForm | TextList | ObjectList | ObjectMap | Object | Recursive | Variant | Embedded

# --- fields and what ties them together -------------------------------------------------------------------------------


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
    """`required` and `forbidden` may depend on siblings; where a field is forbidden nothing else is asked of it.
    `stored_as` is the name of the stored member where it differs."""

    name: str
    kind: Kind
    required: bool | Condition = False
    forbidden: Condition | None = None
    stored_as: str | None = None


def required(name: str, kind: Kind) -> Field:
    """A field that must be present."""
    return Field(name, kind, required=True)


def only_with(name: str, kind: Kind, condition: Has | Is, *, is_required: bool = True) -> Field:
    """A field that must be absent unless the condition holds, and present (unless `is_required` is off) if it does."""
    return Field(name, kind, required=condition if is_required else False, forbidden=Not(condition))


class AnyOf(NamedTuple):
    """At least one of the fields is present: else `values-not-exist-for-any` on the object."""

    names: tuple[str, ...]


class OneOf(NamedTuple):
    """One of `names` is present, unless one of `unless` is: else `values-not-exist-for-one` on the object."""

    names: tuple[str, ...]
    unless: tuple[str, ...] = ()


class GlucoseTarget(NamedTuple):
    """Exactly one of {target, range}, {target, high}, {target}, {low, high}, within the units' limits."""

    units: str


Rule = AnyOf | OneOf | GlucoseTarget
