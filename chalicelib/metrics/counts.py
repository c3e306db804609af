"""Reading the daily counts: what may be asked, and the order of the answer. Source: docs/metrics.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.access.call import Caller
from chalicelib.errors import FieldError, InvalidFieldsError, TooLargeError, UnauthorizedError
from chalicelib.metrics.ports import DailyCount, EventCounts
from chalicelib.model.errors import NOT_PARSED, VALUE_NOT_EXISTS, value_not_after, value_not_valid

PARAMETERS = ("from", "to", "prefix")
MAX_RANGE = timedelta(days=92)
"""A quarter: more is asked for in parts."""
MAX_REPLY_BYTES = 4_000_000
BYTES_BESIDE_NAME = 60
"""What a count takes in the answer beside the name of its event."""


@dataclass(frozen=True, slots=True)
class CountsQuery:
    """Which counts: of the UTC days from first to last, both included, and of names with this prefix."""

    first: date
    last: date
    prefix: str = ""


def read_counts(
    caller: Caller, parameters: Mapping[str, Sequence[str]], counts: EventCounts, now_ms: int
) -> list[DailyCount]:
    """The counts that are asked for, by date, then by name.

    Raises:
        UnauthorizedError: the caller is no server.
        InvalidFieldsError: a parameter is missing, unknown, given twice or wrong, or the range is too long.
        TooLargeError: there are more counts than an answer can hold.
        UnavailableError: the store does not answer.
    """
    if not caller.is_server:
        raise UnauthorizedError
    query = counts_query(parameters)
    found = sorted(
        counts.between(query.first, query.last, query.prefix, now_ms), key=lambda one: (one.day, one.event_name)
    )
    if sum(BYTES_BESIDE_NAME + len(one.event_name.encode()) for one in found) > MAX_REPLY_BYTES:
        raise TooLargeError(MAX_REPLY_BYTES, "there are too many counts: ask for fewer days, or for a prefix")
    return found


def counts_query(parameters: Mapping[str, Sequence[str]]) -> CountsQuery:
    """The query that `from`, `to` and `prefix` make; the dates are needed, the prefix is not.

    Raises:
        InvalidFieldsError: every fault, each with the name of its parameter.
    """
    errors: list[FieldError] = []
    first, last = (_day(name, parameters, errors) for name in ("from", "to"))
    errors += [
        NOT_PARSED.at(parameter=name)
        for name in sorted(parameters)
        if name not in PARAMETERS or len(parameters[name]) > 1
    ]
    if first and last:
        if last < first:
            errors.append(value_not_after(last.isoformat(), first.isoformat()).at(parameter="to"))
        elif last - first > MAX_RANGE:
            wording = f"as a day within {MAX_RANGE.days} days of {first.isoformat()}"
            errors.append(value_not_valid(last.isoformat(), wording).at(parameter="to"))
    if errors or first is None or last is None:
        raise InvalidFieldsError(errors)
    return CountsQuery(first, last, next(iter(parameters.get("prefix", ())), ""))


def _day(name: str, parameters: Mapping[str, Sequence[str]], errors: list[FieldError]) -> date | None:
    values = parameters.get(name, ())
    if not values:
        errors.append(VALUE_NOT_EXISTS.at(parameter=name))
        return None
    try:
        day = date.fromisoformat(values[0])
    except ValueError:
        day = None
    if day is None or day.isoformat() != values[0]:
        errors.append(value_not_valid(values[0], 'as a date with layout "2006-01-02"').at(parameter=name))
        return None
    return day
