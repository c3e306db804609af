"""Queries of v3: filters, order, page and members. Source: nightscout-api 9.

A filter is `field=value` or `field$operator=value`. Numbers, true and false are what they look like; everything else,
and what stands in apostrophes, is text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.nightscout.find import MAX_CONDITIONS, MAX_VALUE_LENGTH, Comparison, Find, literal, one_of
from chalicelib.nightscout.search import Span
from chalicelib.nightscout.times import iso_time
from chalicelib.nightscout.v3.members import number_in, read_date

MAX_LIMIT = 1000
MAX_SKIP = 10_000
DATES_IN_MS = frozenset({"date", "srvModified", "srvCreated"})
CREATED_AT = "created_at"
_RESERVED = frozenset({"token", "sort", "sort$desc", "limit", "skip", "fields", "now"})
_OPERATORS = frozenset({"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "re"})
_LISTS = frozenset({"in", "nin"})
_BETWEEN = "|"
_ALL = "_all"
_QUOTED = re.compile("'(.*)'", re.DOTALL)

Parameters = Mapping[str, Sequence[str]]


@frozen
class Search:
    """The documents that a request asks for."""

    find: Find
    sort: str
    """The member that orders them; empty for newest first."""
    is_descending: bool
    limit: int
    skip: int
    fields: Sequence[str]
    """The members to show; none for all."""

    @property
    def span(self) -> Span:
        """The time in which documents can match."""
        from_ms = [value for operator in ("$gt", "$gte", "$eq") for value in self._dates(operator)]
        to_ms = [value for operator in ("$lt", "$lte", "$eq") for value in self._dates(operator)]
        return Span(max(from_ms, default=None), min(to_ms, default=None))

    def _dates(self, operator: str) -> list[int]:
        """The times with which the dates are compared."""
        zoned = map(read_date, self.find.values_of("date", operator))
        return [moment.time_ms for moment in zoned if moment is not None]


def parse_search(parameters: Parameters) -> Search:
    """The search that the parameters ask for.

    Raises:
        InvalidRequestError: a number is out of tolerance, an operator is unknown, or there are too many filters.
    """
    ascending, descending = _last(parameters, "sort"), _last(parameters, "sort$desc")
    if ascending and descending:
        raise InvalidRequestError("Parameters sort and sort_desc cannot be combined")
    names = [name for name in parameters if name not in _RESERVED]
    if sum(len(parameters[name]) for name in names) > MAX_CONDITIONS:
        raise InvalidRequestError(f"a query may have at most {MAX_CONDITIONS} filters")
    comparisons = [_comparison(name, value) for name in names for value in parameters[name]]
    return Search(
        find=Find(comparisons=tuple(comparisons)),
        sort=ascending or descending,
        is_descending=not ascending,
        limit=parse_limit(parameters),
        skip=_number(parameters, "skip", 0, (0, MAX_SKIP)),
        fields=parse_fields(parameters),
    )


def parse_limit(parameters: Parameters) -> int:
    """The number of documents that are asked for.

    Raises:
        InvalidRequestError: it is out of tolerance.
    """
    return _number(parameters, "limit", MAX_LIMIT, (1, MAX_LIMIT))


def parse_fields(parameters: Parameters) -> Sequence[str]:
    """The members that are asked for; none for all."""
    sent = _last(parameters, "fields")
    return () if sent in ("", _ALL) else tuple(name.strip() for name in sent.split(","))


def _number(parameters: Parameters, name: str, default: int, bounds: tuple[int, int]) -> int:
    sent = _last(parameters, name)
    if not sent:
        return default
    number = number_in(sent)
    if number is None or not bounds[0] <= number <= bounds[1]:
        raise InvalidRequestError(f"Parameter {name} out of tolerance")
    return int(number)


def _last(parameters: Parameters, name: str) -> str:
    return parameters.get(name, ("",))[-1]


def _comparison(name: str, sent: str) -> Comparison:
    field, dollar, operator = name.partition("$")
    if dollar and operator not in _OPERATORS:
        raise InvalidRequestError(f"Unsupported filter operator {operator[:20]}")
    if len(sent) > MAX_VALUE_LENGTH:
        raise InvalidRequestError(f"a value of {field[:20]} is too long")
    if operator in _LISTS:
        return Comparison(field, f"${operator}", one_of(sent.split(_BETWEEN)))
    if operator == "re":
        return Comparison(field, "$regex", literal(sent))
    return Comparison(field, f"${operator or 'eq'}", _value(field, sent))


def _value(field: str, sent: str) -> Any:
    quoted = _QUOTED.fullmatch(sent)
    text = sent if quoted is None else quoted[1]
    moment = read_date(text) if field in (*DATES_IN_MS, CREATED_AT) else None
    if moment is not None:
        return iso_time(moment.time_ms) if field == CREATED_AT else moment.time_ms
    if quoted is not None:
        return text
    number = number_in(text)
    return {"true": True, "false": False}.get(text, text) if number is None else number
