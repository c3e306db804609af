"""Measures the latency that clients see in a home, over HTTP.

Times depend on this machine and its load, so each kind of request is shown beside the F of its own bytes.
"""

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median

from bench import metrics, records
from bench.costs import loop_user
from bench.figures import Figure
from bench.floors import floor_s
from bench.homes.home import Home
from bench.latency import Connection, Sent, at_once, percentiles
from tests.e2e.client import User, sample

CLIENTS_AT_ONCE = 4
FLOOR_ROUNDS = 9
GZIP = {"Accept-Encoding": "gzip"}
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


def cheapest(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of the cheapest route, and of an event."""
    for row in metrics.routes(home.base_url, rounds=50 if is_quick else metrics.ROUNDS):
        yield Figure(row.name, row.p50_ms, "ms", p95=row.p95_ms)


def adding(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of adding records."""
    count, requests = records.REQUEST_RECORDS, 8 if is_quick else 30
    people = [Person(home.base_url) for _ in range(CLIENTS_AT_ONCE)]
    # A worker of the local cloud serves one request at a time: start as many as needed before timing begins.
    at_once([(person.connection, [person.adding(records.mixed(1))] * 3) for person in people])
    person, *_ = people
    batches = [person.adding(records.mixed(count, batch)) for batch in range(1, requests + 1)]
    floor_ms = _floor_ms(batches[0].body or b"")
    yield percentiles("add 1,000 mixed records", person.connection.times_ms(batches), floor_ms)
    yield percentiles("  the same again", person.connection.times_ms(batches), floor_ms)
    batches_by_client = [
        (client.connection, [client.adding(records.mixed(count, batch)) for batch in range(1, 1 + requests // 2)])
        for client in people
    ]
    yield percentiles(f"  {len(people)} clients at once", at_once(batches_by_client), floor_ms)
    ones = [person.adding(records.mixed(1, count * requests + batch)) for batch in range(requests * 4)]
    yield percentiles("add one record", person.connection.times_ms(ones))


def reading(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of reading, from tiles."""
    repeats = 5 if is_quick else 20
    person = Person(home.base_url)
    for request in records.cbg_requests(90):
        person.connection.send(person.adding(request))
    home.compact(person.id)
    for days in (1, 14, 90):
        asked = person.reading(f"type=cbg&startDate={_start(days)}")
        floor_ms = _floor_ms(gzip.decompress(person.connection.send(asked)))
        times_ms = person.connection.times_ms([asked] * (repeats if days < 90 else max(5, repeats // 2)))
        yield percentiles(f"read {days} {'day' if days == 1 else 'days'} of cbg, gzip", times_ms, floor_ms)
    for name, query in (("each type", "latest=true"), ("cbg", "latest=true&type=cbg")):
        times_ms = person.connection.times_ms([person.reading(query)] * repeats)
        yield percentiles(f"read the latest of {name}", times_ms)
    known = person.knowing(f"type=cbg&startDate={_start(14)}")
    yield percentiles("read 14 days with a known ETag (304)", person.connection.times_ms([known] * repeats))


def a_year(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    """The figures of a year of Loop: some 380,000 records, sent as a backlog; of a month if it has to be quick."""
    days = 30 if is_quick else DAYS_OF_A_YEAR
    what = "a month" if is_quick else "a year"
    person = Person(home.base_url)
    requests = [person.adding(request) for request in loop_user.backlog(range(days))]
    yield percentiles(f"add 1,000 records of {what} of Loop", person.connection.times_ms(requests))
    home.compact(person.id)
    for name, query in (("cbg of ", "type=cbg"), ("", "")):
        asked = person.reading(query)
        floor_ms = _floor_ms(gzip.decompress(person.connection.send(asked)))
        yield percentiles(f"read {name}{what} of Loop, gzip", person.connection.times_ms([asked] * 3), floor_ms)


CASES: tuple[Callable[..., Iterator[Figure]], ...] = (cheapest, adding, reading)
"""Cases of each home; a year is for homes that do not keep it in memory."""


def _start(days: int) -> str:
    end = records.CGM_START + timedelta(days=90)
    return (end - timedelta(days=days)).isoformat().replace("+", "%2B")


def _floor_ms(body: bytes) -> float:
    return median(floor_s(body) for _ in range(FLOOR_ROUNDS)) * 1000
