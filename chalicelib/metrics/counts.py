"""Reads the daily counts. Source: docs/metrics.md."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from chalicelib.access.call import Call
from chalicelib.errors import FieldError, InvalidFieldsError, TooLargeError
from chalicelib.frozen import frozen
from chalicelib.metrics.ports import DailyCount, MetricsPorts
from chalicelib.model.errors import NOT_PARSED, VALUE_NOT_EXISTS, value_not_after, value_not_valid

PARAMETERS = ("from", "to", "prefix")
MAX_RANGE = timedelta(days=92)
"""A quarter. Clients ask for a longer range in parts."""
MAX_REPLY_BYTES = 4_000_000
BYTES_BESIDE_NAME = 60
"""The size of a count in the reply without the name of its event."""


@frozen
class CountsQuery:
    """Selects counts by UTC days, both ends included, and by a prefix of the event name."""

    first: date
    last: date
    prefix: str = ""


def read_counts(call: Call, parameters: Mapping[str, Sequence[str]], ports: MetricsPorts) -> list[DailyCount]:
    """The counts that the parameters select, by date, then by name.

    Raises:
        UnauthorizedError: the caller may not read counts.
        InvalidFieldsError: a parameter is missing, unknown, given twice or wrong, or the range is too long.
        TooLargeError: there are more counts than a reply can hold.
        UnavailableError: the store does not answer.
    """
    call.require()
    query = parse_counts_query(parameters)
    counts = ports.counts.between(query.first, query.last, query.prefix, call.now_ms)
    if sum(BYTES_BESIDE_NAME + len(count.event_name.encode()) for count in counts) > MAX_REPLY_BYTES:
        raise TooLargeError(MAX_REPLY_BYTES, "there are too many counts: ask for fewer days, or for a prefix")
    return sorted(counts, key=lambda count: (count.day, count.event_name))


def parse_counts_query(parameters: Mapping[str, Sequence[str]]) -> CountsQuery:
    """The query of the parameters `from`, `to` and, optionally, `prefix`.

    Raises:
        InvalidFieldsError: a parameter breaks a rule; each fault names its parameter.
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
