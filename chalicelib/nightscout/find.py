"""Queries of the Nightscout API's v1: `find[field][$operator]=value`, `count` and `sort`. Source: nightscout-api 4, 16.

Values of typed fields are cut to integers, as Nightscout does, and all others are compared as text: a text never equals
a number. Nothing of a query reaches an interpreter: operators are those of a list, and a regular expression is a
literal prefix, suffix or part.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from chalicelib import json_text
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.model.json_values import is_number
from chalicelib.nightscout.times import MAX_MS, iso_time, read_iso

MAX_COUNT = 10_000
MAX_CONDITIONS = 100
MAX_VALUE_LENGTH = 2_000
Found = TypeVar("Found")
_SORT = re.compile(r"sort\[([^\[\]]{1,200})\]")
_DESCENDING = "-1"
_NAME = re.compile(r"find((?:\[[^\[\]]*\])+)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_LEADING_INTEGER = re.compile(r"\s*([+-]?\d{1,18})", re.ASCII)
_EXPRESSION = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
_ANYTHING = ".*"
_LIST_OPERATORS = frozenset({"$in", "$nin"})
_GROUPS = frozenset({"$or", "$and"})

Parameters = Mapping[str, Sequence[str]]


class Comparison(NamedTuple):
    """A condition on one field."""

    field: str
    operator: str
    value: Any


@frozen
class Group:
    """Conditions of which one or all must hold; `alternatives` are each a conjunction."""

    operator: str
    alternatives: tuple[tuple[Comparison, ...], ...]


@frozen
class Fields:
    """The fields of a collection that a query treats in their own way."""

    date: str
    """The field by which documents are ordered, and which limits a search."""
    is_date_number: bool = False
    integers: frozenset[str] = frozenset()
    expressions: frozenset[str] = frozenset()
    """The fields in which `/…/` is a regular expression."""
    text_dates: frozenset[str] = frozenset()
    """Other fields that limit a search in time: times as texts, which may differ from the date by their offset."""


class Sort(NamedTuple):
    """The member by which documents are ordered, and whether the smallest value comes first."""

    field: str
    is_ascending: bool

    def ordered(self, newest_first: Sequence[Found], body_of: Callable[[Found], Mapping[str, Any]]) -> list[Found]:
        """The documents in this order. Equal ones come oldest first if it is ascending, else newest first."""

        def place_of(document: Found) -> tuple[int, Any]:
            return place(body_of(document).get(self.field))

        documents = newest_first[::-1] if self.is_ascending else newest_first
        return sorted(documents, key=place_of, reverse=not self.is_ascending)


@frozen
class Find:
    """The conditions of a query, and how many documents it wants."""

    comparisons: tuple[Comparison, ...] = ()
    groups: tuple[Group, ...] = ()
    count: int | None = None
    """None for the default of the collection."""
    sort: "Sort | None" = None
    """Another order than newest first."""

    @property
    def is_conditional(self) -> bool:
        """Whether there is any condition."""
        return bool(self.comparisons or self.groups)

    def values_of(self, field: str, operator: str) -> list[Any]:
        """The values with which a field is compared by an operator, outside groups."""
        return [value for name, compared, value in self.comparisons if (name, compared) == (field, operator)]

    def has(self, *fields: str) -> bool:
        """Whether there is a condition on one of these fields, outside groups."""
        return any(comparison.field in fields for comparison in self.comparisons)

    def matches(self, body: Mapping[str, Any]) -> bool:
        """Whether a document meets all conditions."""
        return all(_holds(comparison, body) for comparison in self.comparisons) and all(
            _any_holds(group, body) for group in self.groups
        )


def parse_find(parameters: Parameters, fields: Fields) -> Find:
    """The query of these parameters; others are ignored.

    Raises:
        InvalidRequestError: an operator is unknown, or a value is unreadable.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for name, values in parameters.items():
        if match := _NAME.fullmatch(name):
            found.setdefault(_path(match[1]), []).extend(values)
    if sum(map(len, found.values())) > MAX_CONDITIONS:
        raise InvalidRequestError(f"a query may have at most {MAX_CONDITIONS} conditions")
    comparisons: list[Comparison] = []
    groups: dict[str, dict[str, list[Comparison]]] = {}
    for path, values in found.items():
        if len(path) >= 3 and path[0] in _GROUPS:
            of_group = groups.setdefault(path[0], {})
            of_group.setdefault(path[1], []).extend(_comparisons(path[2:], values, fields))
        else:
            comparisons += _comparisons(path, values, fields)
    return Find(
        comparisons=tuple(comparisons),
        groups=tuple(Group(name, tuple(map(tuple, of_group.values()))) for name, of_group in groups.items()),
        count=parse_count(parameters),
        sort=_sort(parameters, fields),
    )


def _path(brackets: str) -> tuple[str, ...]:
    """The names in the brackets of a parameter, without the index or the empty brackets of a value in a list."""
    *path, last = _PART.findall(brackets)
    is_in_list = last == "" or (bool(path) and path[-1] in _LIST_OPERATORS and last.isdigit())
    return (*path,) if is_in_list else (*path, last)


def _sort(parameters: Parameters, fields: Fields) -> Sort | None:
    for name, values in parameters.items():
        if match := _SORT.fullmatch(name):
            sort = Sort(match[1], values[-1] != _DESCENDING)
            return None if sort == (fields.date, False) else sort
    return None


def parse_count(parameters: Parameters) -> int | None:
    """The number of documents that a query wants; None for the default of the collection.

    Raises:
        InvalidRequestError: it is not a number, below 1, or too large.
    """
    sent = parameters.get("count", ("",))[-1]
    if not sent:
        return None
    count = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    if not 1 <= count <= MAX_COUNT:
        raise InvalidRequestError(f"count has to be between 1 and {MAX_COUNT}")
    return count


def _comparisons(path: Sequence[str], values: Sequence[str], fields: Fields) -> Iterator[Comparison]:
    field, *operators = path or ("",)
    if len(operators) > 1 or not field or field.startswith("$"):
        raise InvalidRequestError(f"the condition {''.join(f'[{part}]' for part in path)} is not supported")
    operator = operators[0] if operators else "$eq"
    if operator not in _OPERATORS:
        raise InvalidRequestError(f"the operator {operator} is not supported")
    if max(map(len, values), default=0) > MAX_VALUE_LENGTH:
        raise InvalidRequestError(f"a value of {field} is too long")
    if operator in _LIST_OPERATORS:
        yield Comparison(field, operator, one_of([_listed(field, value, fields) for value in values]))
        return
    for value in values:
        yield _comparison(field, operator, value, fields)


def _comparison(field: str, operator: str, value: str, fields: Fields) -> Comparison:
    if operator == "$exists":
        return Comparison(field, operator, bool(value))
    if operator == "$regex":
        return Comparison(field, operator, literal(value, ""))
    expression = _EXPRESSION.fullmatch(value) if field in fields.expressions and operator == "$eq" else None
    if expression is not None:
        return Comparison(field, "$regex", literal(*expression.groups()))
    return Comparison(field, operator, _value(field, value, fields))


def _listed(field: str, value: str, fields: Fields) -> Any:
    """A value of a list, which may be a regular expression."""
    expression = _EXPRESSION.fullmatch(value) if field in fields.expressions else None
    return _value(field, value, fields) if expression is None else literal(*expression.groups())


def _value(field: str, value: str, fields: Fields) -> Any:
    if field == fields.date:
        return _date_ms(value) if fields.is_date_number else _date_text(field, value)
    if field in fields.integers:
        number = _LEADING_INTEGER.match(value)
        return None if number is None else int(number[1])
    return value


def _date_ms(value: str) -> int:
    """A date as a number: of an ISO text its year alone, as in Nightscout, so that it is smaller than any date."""
    number = _LEADING_INTEGER.match(value)
    if number is None:
        raise InvalidRequestError("date has to be in milliseconds since the epoch")
    return max(-1, min(int(number[1]), MAX_MS))


def _date_text(field: str, value: str) -> str:
    """A date as it is stored. A bare number stays a text, as in Nightscout: it is smaller than any date."""
    if value.isascii() and value.isdigit():
        return value
    moment = read_iso(value)
    if moment is not None:
        return iso_time(moment.time_ms)
    raise InvalidRequestError(f"{field} has to be a time in ISO 8601")


class Literal(NamedTuple):
    """A regular expression without special characters, but for its ends."""

    text: str
    is_prefix: bool
    is_suffix: bool
    ignores_case: bool

    def matches(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        value = value.lower() if self.ignores_case else value
        if self.is_prefix and self.is_suffix:
            return bool(value == self.text)
        if self.is_prefix:
            return bool(value.startswith(self.text))
        return value.endswith(self.text) if self.is_suffix else self.text in value


def literal(expression: str, flags: str = "") -> Literal:
    """The literal that a regular expression stands for.

    Raises:
        InvalidRequestError: it is more than a literal prefix, suffix or part.
    """
    text, is_prefix, is_suffix = expression, expression.startswith("^"), expression.endswith("$")
    text = text[1:] if is_prefix else text
    text = text[:-1] if is_suffix else text
    if text.startswith(_ANYTHING):
        text, is_prefix = text.removeprefix(_ANYTHING), False
    if text.endswith(_ANYTHING):
        text, is_suffix = text.removesuffix(_ANYTHING), False
    if _SPECIAL.search(text) or not set(flags) <= {"i"}:
        raise InvalidRequestError("of regular expressions, only literal beginnings, ends and parts are supported")
    return Literal(text.lower() if flags else text, is_prefix, is_suffix, bool(flags))


class OneOf(NamedTuple):
    """The values of a list, one of which a stored value has to equal. Texts are looked up: a query has room for
    thousands, and a search compares them with thousands of documents."""

    texts: frozenset[str]
    others: tuple[Any, ...]

    def has(self, stored: Any) -> bool:
        return (isinstance(stored, str) and stored in self.texts) or any(
            _is_equal(stored, value) for value in self.others
        )


def one_of(values: Sequence[Any]) -> OneOf:
    """The values of a list."""
    texts = frozenset(value for value in values if isinstance(value, str))
    return OneOf(texts, tuple(value for value in values if not isinstance(value, str)))


def place(value: Any) -> tuple[int, Any]:
    """The place of a value among others of any kind: nothing, numbers, texts, and then the rest."""
    if value is None:
        return 0, 0
    if is_number(value):
        return 1, value
    if isinstance(value, str):
        return 2, value
    return 3, json_text.encode(value)


def _is_comparable(stored: Any, value: Any) -> bool:
    """Whether two values have an order: both are texts, or both are numbers."""
    if isinstance(stored, str):
        return isinstance(value, str)
    return is_number(stored) and is_number(value)


def _is_equal(stored: Any, value: Any) -> bool:
    if isinstance(value, Literal):
        return value.matches(stored)
    if isinstance(stored, bool) and isinstance(value, bool):
        return stored is value
    return _is_comparable(stored, value) and bool(stored == value)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": _is_equal,
    "$ne": lambda stored, value: not _is_equal(stored, value),
    "$gt": lambda stored, value: _is_comparable(stored, value) and bool(stored > value),
    "$gte": lambda stored, value: _is_comparable(stored, value) and bool(stored >= value),
    "$lt": lambda stored, value: _is_comparable(stored, value) and bool(stored < value),
    "$lte": lambda stored, value: _is_comparable(stored, value) and bool(stored <= value),
    "$in": lambda stored, value: value.has(stored),
    "$nin": lambda stored, value: not value.has(stored),
    "$regex": lambda stored, value: value.matches(stored),
    "$exists": lambda stored, value: (stored is not None) == value,
}


def _holds(comparison: Comparison, body: Mapping[str, Any]) -> bool:
    stored: Any = body
    for name in _steps(comparison.field):
        if not isinstance(stored, dict):
            stored = None
            break
        stored = stored.get(name)
    return _OPERATORS[comparison.operator](stored, comparison.value)


@lru_cache(maxsize=256)
def _steps(field: str) -> tuple[str, ...]:
    """The members that lead to a field, one within the other."""
    return tuple(field.split("."))


def _any_holds(group: Group, body: Mapping[str, Any]) -> bool:
    held = (all(_holds(comparison, body) for comparison in conditions) for conditions in group.alternatives)
    return any(held) if group.operator == "$or" else all(held)
