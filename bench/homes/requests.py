"""Measures the latency that clients see, over HTTP, and the CPU time behind it.

Times depend on this machine and its load, so each kind of request is shown beside the F of its own bytes.
"""

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from statistics import median

from bench import metrics, records
from bench.costs import loop_user
from bench.figures import Figure
from bench.floors import floor_s
from bench.homes.home import Target
from bench.homes.page import page
from bench.latency import Connection, Sent, at_once, percentiles
from tests.e2e.client import User, sample

CLIENTS_AT_ONCE = 4
FLOOR_ROUNDS = 9
GZIP = {"Accept-Encoding": "gzip"}
GZIP_START = b"\x1f\x8b"
DAYS_OF_A_YEAR = 365


class Person:
    """A new user with a data set and a connection."""

    def __init__(self, base_url: str) -> None:
        user = User(base_url)
        self.id = user.id
        self.data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
        self.connection = Connection(base_url, user.token)

    def adding(self, items: list[records.Record]) -> Sent:
        """A request to add records."""
        headers = {"Content-Type": "application/json"}
        return Sent("POST", f"/v1/data_sets/{self.data_set_id}/data", records.as_body(items), headers)

    def reading(self, query: str) -> Sent:
        """A request to read data."""
        return Sent("GET", f"/data/{self.id}?{query}", headers=GZIP)

    def knowing(self, query: str) -> Sent:
        """The same request by a client that has the answer already, which is 304."""
        etag = self.connection.etag(self.reading(query))
        return Sent("GET", f"/data/{self.id}?{query}", headers=GZIP | {"If-None-Match": etag})


def timed(target: Target, name: str, work: Callable[[], Sequence[float]], floor_ms: float | None = None) -> Figure:
    """The figure of some requests, whose times `work` returns, with the CPU time that the target took for each."""
    before_s = target.cpu_s() if target.cpu_s else None
    times_ms = work()
    figure = percentiles(name, times_ms, floor_ms)
    if target.cpu_s is None or before_s is None:
        return figure
    return replace(figure, cpu_ms=(target.cpu_s() - before_s) * 1000 / len(times_ms))


def cheapest(home: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of the cheapest route, and of an event."""
    for row in metrics.routes(home.base_url, rounds=50 if is_quick else metrics.ROUNDS):
        yield Figure(row.name, row.p50_ms, "ms", p95=row.p95_ms)


def adding(target: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of adding records."""
    count, requests = records.REQUEST_RECORDS, 8 if is_quick else 30
    people = [Person(target.base_url) for _ in range(CLIENTS_AT_ONCE)]
    # A worker of the local cloud serves one request at a time: start as many as needed before timing begins.
    at_once([(person.connection, [person.adding(records.mixed(1))] * 3) for person in people])
    person, *_ = people
    send = person.connection.times_ms
    batches = [person.adding(records.mixed(count, batch)) for batch in range(1, requests + 1)]
    floor_ms = _floor_ms(batches[0].body or b"")
    yield timed(target, "add 1,000 mixed records", lambda: send(batches), floor_ms)
    yield timed(target, "  the same again", lambda: send(batches), floor_ms)
    batches_by_client = [
        (client.connection, [client.adding(records.mixed(count, batch)) for batch in range(1, 1 + requests // 2)])
        for client in people
    ]
    yield timed(target, f"  {len(people)} clients at once", lambda: at_once(batches_by_client), floor_ms)
    ones = [person.adding(records.mixed(1, count * requests + batch)) for batch in range(requests * 4)]
    yield timed(target, "add one record", lambda: send(ones))


def reading(target: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of reading, from tiles."""
    repeats = 5 if is_quick else 20
    person = Person(target.base_url)
    for request in records.cbg_requests(90):
        person.connection.send(person.adding(request))
    target.compact(person.id)
    send = person.connection.times_ms
    for days in (1, 14, 90):
        asked = person.reading(f"type=cbg&startDate={_start(days)}")
        floor_ms = _floor_ms(plain(person.connection.send(asked)))
        asked_often = [asked] * (repeats if days < 90 else max(5, repeats // 2))
        name = f"read {days} {'day' if days == 1 else 'days'} of cbg, gzip"
        yield timed(target, name, partial(send, asked_often), floor_ms)
    for name, query in (("each type", "latest=true"), ("cbg", "latest=true&type=cbg")):
        yield timed(target, f"read the latest of {name}", partial(send, [person.reading(query)] * repeats))
    waiting = Person(target.base_url)
    for request in records.cbg_requests(14):
        waiting.connection.send(waiting.adding(request))
    asked = waiting.reading("type=cbg")
    floor_ms = _floor_ms(plain(waiting.connection.send(asked)))
    name = "read 14 days of cbg, gzip, all in the tail"
    yield timed(target, name, partial(waiting.connection.times_ms, [asked] * repeats), floor_ms)


def reading_long(target: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figure of reading all readings of a year, from tiles; of a month if it has to be quick.

    Such a reply of the local cloud is an object, and the time includes fetching it.
    """
    days, what = (30, "a month") if is_quick else (DAYS_OF_A_YEAR, "a year")
    person = Person(target.base_url)
    for request in records.cbg_requests(days):
        person.connection.send(person.adding(request))
    target.compact(person.id)
    asked = person.reading("type=cbg")
    floor_ms = _floor_ms(plain(person.connection.send(asked)))
    yield timed(target, f"read {what} of cbg, gzip", partial(person.connection.times_ms, [asked] * 5), floor_ms)


def polling(home: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figure of a client that knows the answer, by an ETag, which the reference does not have."""
    person = Person(home.base_url)
    for request in records.cbg_requests(14):
        person.connection.send(person.adding(request))
    home.compact(person.id)
    known = [person.knowing("type=cbg")] * (5 if is_quick else 20)
    yield timed(home, "read 14 days with a known ETag (304)", partial(person.connection.times_ms, known))


def a_year(home: Target, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of a year of Loop: some 380,000 records, sent as a backlog; of a month if it has to be quick."""
    days = 30 if is_quick else DAYS_OF_A_YEAR
    what = "a month" if is_quick else "a year"
    person = Person(home.base_url)
    send = person.connection.times_ms
    requests = [person.adding(request) for request in loop_user.backlog(range(days))]
    yield timed(home, f"add 1,000 records of {what} of Loop", lambda: send(requests))
    home.compact(person.id)
    for name, query in (("cbg of ", "type=cbg"), ("", "")):
        asked = person.reading(query)
        floor_ms = _floor_ms(plain(person.connection.send(asked)))
        yield timed(home, f"read {name}{what} of Loop, gzip", partial(send, [asked] * 3), floor_ms)


CASES: tuple[Callable[..., Iterator[Figure]], ...] = (adding, reading, reading_long)
"""Cases of each target."""
OF_HOMES: tuple[Callable[..., Iterator[Figure]], ...] = (cheapest, polling, page)
"""Cases of Strandline alone. A year of Loop is for homes that do not keep it in memory."""


def plain(body: bytes) -> bytes:
    """A reply without its compression; a peer may ignore that it was asked for."""
    return gzip.decompress(body) if body[:2] == GZIP_START else body


def _start(days: int) -> str:
    end = records.CGM_START + timedelta(days=90)
    return (end - timedelta(days=days)).isoformat().replace("+", "%2B")


def _floor_ms(body: bytes) -> float:
    return median(floor_s(body) for _ in range(FLOOR_ROUNDS)) * 1000
