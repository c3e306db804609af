"""Measures the use of each service by one person, on the function itself with a stub that counts."""

import gzip
import statistics
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

import orjson

from bench.application import Answer, Application, Event, Person, add_event, new_person, read_event, running
from bench.compacting import compact_and_sweep
from bench.costs import loop_user
from bench.costs.assumptions import LONG_READ_DAYS, SHORT_READ_DAYS, UPLOADS_A_DAY, WEB_APP_FILTERS, WEB_APP_LATEST
from bench.floors import cpu_s
from bench.records import Record, as_body
from bench.stubs.aws_requests import Requests

ROUNDS = 3
READ_STATUSES = (200, 303)
"""The status that redirects to a reply too large for Lambda."""


@dataclass(frozen=True, slots=True)
class Work:
    """The resources that some requests take."""

    requests: float = 0
    cpu_s: float = 0
    dynamodb_calls: float = 0
    read_units: float = 0
    write_units: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    answer_bytes: float = 0
    logged_bytes: float = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Work)))

    def __mul__(self, times: float) -> "Work":
        return Work(*(getattr(self, field.name) * times for field in fields(Work)))


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one person: the work of a day's uploads, of each read, of a poll, and of compacting a day.

    The short read is the first one of the web application, with its question for the newest data.
    """

    uploads: Work
    short_read: Work
    long_read: Work
    poll: Work
    compaction: Work
    tables_bytes_a_day: float
    bucket_bytes_a_day: float


def measured() -> Usage:
    """Measure the use of a person whose data cover the days of the long read, in the middle of a day."""
    with running() as application:
        person = new_person(1)
        kept = application.stub.kept()
        for request in loop_user.backlog(range(LONG_READ_DAYS)):
            application.answer(add_event(person, as_body(request)))
        compact_and_sweep(person.id)
        grown = application.stub.kept()
        today = [add_event(person, as_body(upload)) for upload in loop_user.uploads(LONG_READ_DAYS)]
        noon = UPLOADS_A_DAY // 2
        morning = work_of_all(application, today[:noon])
        now = loop_user.start_of(LONG_READ_DAYS) + timedelta(days=0.5)
        short_read, long_read = (_work_of_reading(application, person, now, days) for days in _READS)
        poll = work_of_one(application, _poll(application, person, now), (304,))
        evening = work_of_all(application, today[noon:])
        compaction = _work_of_compaction(application, person)
        return Usage(
            uploads=morning + evening,
            short_read=work_of_one(application, read_event(person, WEB_APP_LATEST)) + short_read,
            long_read=long_read,
            poll=poll,
            compaction=compaction,
            tables_bytes_a_day=(grown.tables_bytes - kept.tables_bytes) / LONG_READ_DAYS,
            bucket_bytes_a_day=(grown.bucket_bytes - kept.bucket_bytes) / LONG_READ_DAYS,
        )


_READS = (SHORT_READ_DAYS, LONG_READ_DAYS)


def work_of_all(application: Application, events: Iterable[Event], statuses: Collection[int] = (200,)) -> Work:
    """Measure the work of some requests, each sent once."""
    total = Work()
    for event in events:
        total += _work(application, partial(application.answer, event, statuses))
    return total


def work_of_one(application: Application, event: Event, statuses: Collection[int] = READ_STATUSES) -> Work:
    """Measure the work of a request that changes nothing: the CPU time is the median of several rounds."""
    works = [_work(application, lambda: application.answer(event, statuses)) for _ in range(ROUNDS)]
    return Work(*(statistics.median(getattr(work, field.name) for work in works) for field in fields(Work)))


def _work(application: Application, send: Callable[[], Answer]) -> Work:
    answers: list[Answer] = []
    with application.stub.counted() as asked:
        took_s = cpu_s(lambda: answers.append(send()))
        (answer,) = answers
        body = application.stub.fetched(answer.headers["location"]) if answer.status == 303 else answer.body
    return _as_work(asked, took_s) + Work(1, answer_bytes=len(body), logged_bytes=answer.logged_bytes)


def _work_of_compaction(application: Application, person: Person) -> Work:
    with application.stub.counted() as asked:
        took_s = cpu_s(lambda: compact_and_sweep(person.id))
    return _as_work(asked, took_s) + Work(requests=1)


def _as_work(asked: Requests, took_s: float) -> Work:
    return Work(
        cpu_s=took_s,
        dynamodb_calls=asked.round_trips,
        read_units=asked.read_units,
        write_units=asked.write_units,
        s3_puts=asked.s3_puts,
        s3_gets=asked.s3_gets,
    )


def _work_of_reading(application: Application, person: Person, until: datetime, days: int) -> Work:
    event = read_event(person, WEB_APP_FILTERS | _since(until, days))
    answer = application.answer(event, READ_STATUSES)
    body = application.stub.fetched(answer.headers["location"]) if answer.status == 303 else answer.body
    found = sum(record["type"] != "upload" for record in orjson.loads(gzip.decompress(body)))
    if found != days * sum(map(_is_read, chain.from_iterable(loop_user.uploads(0)))):
        raise SystemExit(f"error: {days} days came back with {found} records")
    return work_of_one(application, event)


def _is_read(record: Record) -> bool:
    """Whether the web application reads a record of Loop, none of which has a sample interval."""
    reasons = WEB_APP_FILTERS["dosingDecision.reason"].split(",")
    return record["type"] in WEB_APP_FILTERS["type"].split(",") and record.get("reason", reasons[0]) in reasons


def _poll(application: Application, person: Person, until: datetime) -> Event:
    """A poll for the readings of the day by a client that has them already."""
    query = {"type": "cbg"} | _since(until, days=1)
    tag = application.answer(read_event(person, query)).headers["etag"]
    return read_event(person, query, {"If-None-Match": tag})


def _since(until: datetime, days: int) -> dict[str, str]:
    return {"startDate": (until - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")}
