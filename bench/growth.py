"""Measures how the cost of a request grows with what is stored: the same requests after 1, 10 and 100 times the days.

    python -m bench.growth [--quick]

The last 90 days are the same for each user. The cost of adding, of reading a day, 90 days or the latest records, and of
a summary or a profile must not grow with the history. A second table has the same requests with the last 0, 1 and 14 of
90 days in the tail, as a phone sends them: a reading with each request.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from bench import records
from bench.application import (
    Application,
    Event,
    Person,
    add_event,
    new_person,
    profile_event,
    read_event,
    running,
    summary_event,
)
from bench.compacting import compact_and_sweep
from bench.figures import as_columns
from bench.floors import in_turns
from bench.stubs.aws_requests import Requests
from tools.project import run_tool

DAYS = 90
"""The number of stored days in the first column."""
TIMES, TIMES_QUICK = (1, 10, 100), (1, 10)
TAIL_DAYS = (0, 1, 14)
"""The days of the last 90 that wait for compaction, in the columns of the second table."""
ADDED = 0
"""The batch of records that no user has yet."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: one figure for each column, in the order of `TIMES`."""

    name: str
    unit: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class GrowthColumns:
    """The lines, and the number of days in each column: those that are stored, or that wait in the tail."""

    days: Sequence[int]
    lines: Sequence[Line]


def measured(*, is_quick: bool) -> GrowthColumns:
    """Measure the requests of each kind, for all users alternately."""
    times = TIMES_QUICK if is_quick else TIMES
    with running() as application:
        people = [_with_history(application, number, times_) for number, times_ in enumerate(times, 1)]
        lines = list(_lines(application, people, rounds=5 if is_quick else 15))
    return GrowthColumns([DAYS * times_ for times_ in times], lines)


def measured_tails(*, is_quick: bool) -> GrowthColumns:
    """Measure the requests of each kind for users with and without a tail, alternately."""
    with running() as application:
        people = [_with_tail(application, number, days) for number, days in enumerate(TAIL_DAYS, 1)]
        lines = list(_lines(application, people, rounds=5 if is_quick else 15))
    return GrowthColumns(TAIL_DAYS, lines)


def _with_tail(application: Application, number: int, days: int) -> Person:
    """A user with 90 days of readings, the last ones of which are not compacted."""
    person = new_person(number)
    readings = [record for request in records.cbg_requests(DAYS) for record in request]
    tail_start = records.CGM_START + timedelta(days=DAYS - days)
    compacted = [record for record in readings if datetime.fromisoformat(record["time"]) < tail_start]
    for start in range(0, len(compacted), records.REQUEST_RECORDS):
        request = compacted[start : start + records.REQUEST_RECORDS]
        application.answer(add_event(person, records.as_body(request)))
    compact_and_sweep(person.id)
    for record in readings[len(compacted) :]:
        application.answer(add_event(person, records.as_body([record])))
    return person


def _with_history(application: Application, number: int, times: int) -> Person:
    """A user with that many times the days of readings, sent oldest first and compacted every 90 days."""
    person = new_person(number)
    portion = [record for request in records.cbg_requests(DAYS) for record in request]
    for ago in range(times - 1, -1, -1):
        earlier = [_earlier(record, ago) for record in portion] if ago else portion
        for start in range(0, len(earlier), records.REQUEST_RECORDS):
            body = records.as_body(earlier[start : start + records.REQUEST_RECORDS])
            application.answer(add_event(person, body))
        compact_and_sweep(person.id)
    return person


def _earlier(record: records.Record, portions: int) -> records.Record:
    """The same reading, that many times 90 days earlier."""
    before = timedelta(days=DAYS * portions)
    times = {
        "time": (datetime.fromisoformat(record["time"]) - before).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "deviceTime": (datetime.fromisoformat(record["deviceTime"]) - before).isoformat(),
    }
    return record | times | {"origin": record["origin"] | {"id": f"{record['origin']['id']}-{portions}"}}


def _lines(application: Application, people: Sequence[Person], rounds: int) -> Iterator[Line]:
    floor = records.as_body(records.mixed(records.REQUEST_RECORDS))
    for name, event_of in _kinds().items():
        asked = [_asked(application, event_of(person)) for person in people]
        _check_answers(name, [application.answer(event_of(person)).content for person in people])
        cases = [_case(application, event_of(person)) for person in people]
        ratios = [
            statistics.median(pair.case_s / pair.floor_s for pair in pairs) for pairs in in_turns(floor, cases, rounds)
        ]
        yield Line(f"{name}: handler CPU, over the F of 1,000", "F", ratios)
        yield Line("  round trips to DynamoDB", "calls", [requests.round_trips for requests in asked])
        yield Line("  pages read", "calls", [requests.pages for requests in asked])
        yield Line("  read units", "units", [requests.read_units for requests in asked])
        yield Line("  write units", "units", [requests.write_units for requests in asked])


def _kinds() -> Mapping[str, Callable[[Person], Event]]:
    """The requests by name. Reads come first, so that all of them read the same data."""
    end = records.CGM_START + timedelta(days=DAYS)
    thousand = records.as_body(records.mixed(records.REQUEST_RECORDS, batch=ADDED))
    body = records.as_body(records.mixed(1, batch=ADDED))

    def reading(days: int) -> Callable[[Person], Event]:
        start = (end - timedelta(days=days)).isoformat()
        return lambda person: read_event(person, {"type": "cbg", "startDate": start})

    return {
        "read 1 day of cbg": reading(1),
        "read 90 days of cbg": reading(DAYS),
        "read the summary of 30 days": lambda person: summary_event(person, "cgm"),
        "read the profile of 14 days": lambda person: profile_event(person, 14),
        "read the latest of each type": lambda person: read_event(person, {"latest": "true"}),
        "add one": lambda person: add_event(person, body),
        "add 1,000": lambda person: add_event(person, thousand),
    }


def _asked(application: Application, event: Event) -> Requests:
    with application.stub.counted() as requests:
        application.answer(event)
    return requests


def _check_answers(name: str, bodies: Sequence[bytes]) -> None:
    """Exit unless all users get the same number of records, and more than none: a fast but wrong reply is not a
    result."""
    if not name.startswith("read"):
        return
    counts = {len(orjson.loads(body)) for body in bodies}
    if len(counts) != 1 or 0 in counts:
        raise SystemExit(f"error: {name}: replies have {sorted(counts)} records")


def _case(application: Application, event: Event) -> Callable[[], object]:
    return lambda: application.answer(event)


def as_document(grown: GrowthColumns) -> dict[str, Any]:
    """The figures as JSON values."""
    return asdict(grown)


def as_text(grown: GrowthColumns, of_column: str = "days of cbg stored") -> str:
    """The figures as a table with a column for each length of history, or of tail."""
    rows = [[of_column, *(f"{days:,}" for days in grown.days), "unit"]]
    rows += [[line.name, *map(_number, line.values), line.unit] for line in grown.lines]
    return as_columns(rows, words={0, len(rows[0]) - 1})


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def main() -> int:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description="Measure what depends on what is stored."
    )
    parser.add_argument("--quick", action="store_true", help="leave out the longest history")
    parser.add_argument("--tail", action="store_true", help="measure tails alone")
    options = parser.parse_args()
    if not options.tail:
        print(as_text(measured(is_quick=options.quick)), end="\n\n")
    print(as_text(measured_tails(is_quick=options.quick), "days in the tail"))
    return 0


if __name__ == "__main__":
    run_tool(main)
