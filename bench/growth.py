"""How what a request costs depends on what is stored: the same requests with 1, 10 and 100 times the days before.

    python -m bench.growth [--quick]

Each person has readings for so many days, the last 90 of them the same for all. What must not grow with the history:
adding, a day, 90 days, the latest.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from bench import records
from bench.application import Application, Event, Person, add_event, new_person, read_event, running
from bench.aws_requests import Requests
from bench.compacting import compact_and_sweep
from bench.figures import as_columns
from bench.floors import in_turns
from tools.project import run_tool

DAYS = 90
"""The stored days of the first column."""
TIMES, TIMES_QUICK = (1, 10, 100), (1, 10)
ADDED = 0
"""The batch of records that is new for everybody."""


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in each column, in the order of `TIMES`."""

    name: str
    unit: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Grown:
    """The lines, and how many days are stored in each column."""

    days: Sequence[int]
    lines: Sequence[Line]


def measured(*, is_quick: bool) -> Grown:
    """The requests of each kind, for everybody in turns."""
    times = TIMES_QUICK if is_quick else TIMES
    with running() as application:
        people = [_with_history(application, number, times_) for number, times_ in enumerate(times, 1)]
        lines = list(_lines(application, people, rounds=5 if is_quick else 15))
    return Grown([DAYS * times_ for times_ in times], lines)


def _with_history(application: Application, number: int, times: int) -> Person:
    """Someone with so many times the days of readings, sent oldest first, and compacted every 90 days."""
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
    """The same reading so many times 90 days ago."""
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
        yield Line("  round trips to DynamoDB", "calls", [each.round_trips for each in asked])
        yield Line("  pages read", "calls", [each.pages for each in asked])
        yield Line("  read units", "units", [each.read_units for each in asked])
        yield Line("  write units", "units", [each.write_units for each in asked])


def _kinds() -> Mapping[str, Callable[[Person], Event]]:
    """The requests, by name; those that read come first, so that all read the same."""
    end = records.CGM_START + timedelta(days=DAYS)
    thousand = records.as_body(records.mixed(records.REQUEST_RECORDS, batch=ADDED))
    one = records.as_body(records.mixed(1, batch=ADDED))

    def reading(days: int) -> Callable[[Person], Event]:
        start = (end - timedelta(days=days)).isoformat()
        return lambda person: read_event(person, {"type": "cbg", "startDate": start})

    return {
        "read 1 day of cbg": reading(1),
        "read 90 days of cbg": reading(DAYS),
        "read the latest of each type": lambda person: read_event(person, {"latest": "true"}),
        "add one": lambda person: add_event(person, one),
        "add 1,000": lambda person: add_event(person, thousand),
    }


def _asked(application: Application, event: Event) -> Requests:
    with application.stub.counted() as requests:
        application.answer(event)
    return requests


def _check_answers(name: str, bodies: Sequence[bytes]) -> None:
    """End unless everybody is answered as many records, and some where records are asked for: a fast answer that is
    wrong is no figure."""
    if not name.startswith("read"):
        return
    counts = {len(orjson.loads(body)) for body in bodies}
    if len(counts) != 1 or 0 in counts:
        raise SystemExit(f"error: {name}: answers have {sorted(counts)} records")


def _case(application: Application, event: Event) -> Callable[[], object]:
    return lambda: application.answer(event)


def as_document(grown: Grown) -> dict[str, Any]:
    """The figures as JSON values."""
    return asdict(grown)


def as_text(grown: Grown) -> str:
    """The figures as a table with a column for each history."""
    rows = [["days of cbg stored", *(f"{days:,}" for days in grown.days), "unit"]]
    rows += [[line.name, *map(_number, line.values), line.unit] for line in grown.lines]
    return as_columns(rows, words={0, len(rows[0]) - 1})


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def main() -> int:
    """Measure, then print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description="Measure what depends on what is stored."
    )
    parser.add_argument("--quick", action="store_true", help="without the longest history")
    print(as_text(measured(is_quick=parser.parse_args().quick)))
    return 0


if __name__ == "__main__":
    run_tool(main)
