"""Measures the latency that clients see on a local cloud of its own: the packaged application, over HTTP.

Times depend on this machine and its load, so each kind of request is shown beside the F of its own bytes.
"""

import gzip
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench import memory, metrics, records
from bench.application import forget_what_ran_before
from bench.compacting import compact_and_sweep
from bench.figures import Figure
from bench.floors import floor_s
from bench.latency import Connection, Sent, at_once, percentiles
from tests.e2e.client import User, sample
from tools.local_cloud.launcher import REGION, ROOT_KEY, local_cloud
from tools.packaging.application import LOCAL_STAGE

CLIENTS_AT_ONCE = 4
FLOOR_ROUNDS = 9
WORKER = "APIHandler"
GZIP = {"Accept-Encoding": "gzip"}


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


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """The figures of the local cloud."""
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder), port=0) as cloud:
        people = [Person(cloud.base_url) for _ in range(CLIENTS_AT_ONCE)]
        # A worker serves one request at a time: start as many as needed before timing begins.
        at_once([(person.connection, [person.adding(records.mixed(1))] * 3) for person in people])
        yield from _cheapest(cloud.base_url, is_quick=is_quick)
        yield from _adding(people, requests=8 if is_quick else 30)
        os.environ |= {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_KEY, "AWS_REGION": REGION}
        os.environ |= {"AWS_ENDPOINT_URL": cloud.gateway_url, "STRANDLINE_STAGE": LOCAL_STAGE}
        forget_what_ran_before()
        yield from _reading(cloud.base_url, repeats=5 if is_quick else 20)
        peaks = memory.peaks_mb(memory.running(), WORKER, str(cloud.data_dir))
    if peaks:
        yield Figure("memory of the function: peak of the largest worker", peaks[0], "MB")


def _cheapest(base_url: str, *, is_quick: bool) -> Iterator[Figure]:
    for row in metrics.routes(base_url, rounds=50 if is_quick else metrics.ROUNDS):
        yield Figure(row.name, row.p50_ms, "ms", p95=row.p95_ms)


def _adding(people: list[Person], requests: int) -> Iterator[Figure]:
    person, *_ = people
    count = records.REQUEST_RECORDS
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


def _reading(base_url: str, repeats: int) -> Iterator[Figure]:
    person = Person(base_url)
    for request in records.cbg_requests(90):
        person.connection.send(person.adding(request))
    compact_and_sweep(person.id)  # as the job does, without waiting for it
    for days in (1, 14, 90):
        end = records.CGM_START + timedelta(days=90)
        start = (end - timedelta(days=days)).isoformat().replace("+", "%2B")
        asked = person.reading(f"type=cbg&startDate={start}")
        floor_ms = _floor_ms(gzip.decompress(person.connection.send(asked)))
        times_ms = person.connection.times_ms([asked] * (repeats if days < 90 else max(5, repeats // 2)))
        yield percentiles(f"read {days} {'day' if days == 1 else 'days'} of cbg, gzip", times_ms, floor_ms)
    yield percentiles(
        "read the latest of each type", person.connection.times_ms([person.reading("latest=true")] * repeats)
    )


def _floor_ms(body: bytes) -> float:
    return median(floor_s(body) for _ in range(FLOOR_ROUNDS)) * 1000
