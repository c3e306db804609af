"""Measures what the function itself costs for each request: CPU over the floor, round trips, units, pages."""

import statistics
from collections.abc import Callable, Iterator

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
from bench.figures import Figure
from bench.floors import in_turns, times_floor, times_other

READ_DAYS = 90
READINGS_A_DAY = 288


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """The figures of adding and reading."""
    with running() as application:
        yield from _adding(application, rounds=15 if is_quick else 41)
        yield from _reading(application, rounds=3 if is_quick else 9)


def _adding(application: Application, rounds: int) -> Iterator[Figure]:
    person = new_person(1)
    count = records.REQUEST_RECORDS
    again = records.as_body(records.mixed(count))
    batches = iter(range(1, 2**16))
    new_events = [add_event(person, records.as_body(records.mixed(count, next(batches)))) for _ in range(rounds + 2)]
    event = add_event(person, records.as_body(records.mixed(1)))
    application.answer(add_event(person, again))
    with application.stub.counted() as requests:
        application.answer(add_event(person, again))
    new = iter(new_events)
    again_event = add_event(person, again)
    cases = (lambda: application.answer(next(new)), lambda: application.answer(again_event))
    first, repeated = in_turns(again, cases, rounds)
    yield times_floor("add 1,000 mixed records: handler CPU", first, target=6)
    yield times_other("the same again, over the first time", repeated, first, target=1.1)
    yield Figure("  round trips to DynamoDB", requests.round_trips, "calls", target=3)
    yield Figure("  write units a record", requests.write_units / count, "units", target=0.2)
    (of_one,) = in_turns(again, [lambda: application.answer(event)], rounds)
    yield times_floor("add one record: handler CPU, over the F of 1,000", of_one)
    with application.stub.counted() as requests:
        application.answer(event)
    yield Figure("  round trips to DynamoDB", requests.round_trips, "calls", target=2)


def _reading(application: Application, rounds: int) -> Iterator[Figure]:
    person = new_person(2)
    for request in records.cbg_requests(READ_DAYS):
        application.answer(add_event(person, records.as_body(request)))
    compact_and_sweep(person.id)
    event = read_event(person, {"type": "cbg"})
    with application.stub.counted() as requests:
        plain = application.answer(event).content
    (pairs,) = in_turns(plain, [lambda: application.answer(event)], rounds)
    yield times_floor(f"{READ_DAYS} days of cbg to a gzip answer: handler CPU", pairs, target=0.5)
    yield Figure("  pages of DynamoDB", requests.pages, "calls", target=4)
    yield from _statistics(application, person, rounds)


def _statistics(application: Application, person: Person, rounds: int) -> Iterator[Figure]:
    """Summaries and profiles of people with 90 days of readings: all in tiles, or the last day in the tail."""
    other = _with_a_day_in_the_tail(application)
    cases = {
        "summary of 30 days": (summary_event(person, "cgm"), 10, 4),
        "summary of 30 days, the last one in the tail": (summary_event(other, "cgm"), 10, 4),
        "profile of 14 days": (profile_event(person, 14), None, 4),
        "profile of 90 days": (profile_event(person, READ_DAYS), None, 5),
    }
    for name, (event, target_ms, target_calls) in cases.items():
        with application.stub.counted() as requests:
            plain = application.answer(event).content
        (pairs,) = in_turns(plain, [_case(application, event)], 3 * rounds)
        cpu_ms = [1000 * pair.case_s for pair in pairs]
        yield Figure(f"{name}: handler CPU", statistics.median(cpu_ms), "ms", target_ms, minimum=min(cpu_ms))
        yield Figure("  round trips to DynamoDB", requests.round_trips, "calls", target_calls)


def _with_a_day_in_the_tail(application: Application) -> Person:
    """A person with 90 days of readings, the last day of which came reading by reading and is not compacted."""
    person = new_person(3)
    readings = [record for request in records.cbg_requests(READ_DAYS) for record in request]
    compacted, tail = readings[:-READINGS_A_DAY], readings[-READINGS_A_DAY:]
    for start in range(0, len(compacted), records.REQUEST_RECORDS):
        application.answer(add_event(person, records.as_body(compacted[start : start + records.REQUEST_RECORDS])))
    compact_and_sweep(person.id)
    for record in tail:
        application.answer(add_event(person, records.as_body([record])))
    return person


def _case(application: Application, event: Event) -> Callable[[], object]:
    return lambda: application.answer(event)
