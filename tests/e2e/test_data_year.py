"""A year of data: sent as a phone sends it, read in parts and whole by several clients, erased, and purged for good."""

import gzip
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib.engine.definitions import DATA
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.compact import LEASE_MS
from chalicelib.tiles.purge import WAIT_MS, purge
from tests.e2e.client import TIMEOUT_S, Client, User, sample
from tests.e2e.clients import javascript, loop_year
from tools.demo.generator import Record

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.conftest import Platform
    from tests.e2e.storage import Storage

Show = Callable[[str], None]

RANGES = (
    ("a day", "2025-06-10T00:00:00Z", "2025-06-10T23:59:59.999Z"),
    ("90 days", "2025-03-01T00:00:00Z", "2025-05-29T23:59:59.999Z"),
)


@dataclass(frozen=True, slots=True)
class Year:
    """A user with a year of data, and what has to be seen of it."""

    user: User
    data_set_id: str
    shown: list[Record] = field(repr=False)


@contextmanager
def timed(show: Show, what: str) -> Iterator[None]:
    """Show how long something took."""
    started = time.monotonic()
    yield
    show(f"{what}: {(time.monotonic() - started) * 1000:,.0f} ms")


@pytest.fixture(scope="module")
def year(platform: "Platform", figure: Show) -> Year:
    """The year, sent one request after the other."""
    user = User(platform.base_url)
    sent = loop_year.records()
    assert len(sent) >= 100_000
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    bodies = [json.dumps(request).encode() for request in loop_year.requests_of(sent)]
    started = time.monotonic()
    for body in bodies:
        user.add(f"/v1/data_sets/{data_set_id}/data", body)
    elapsed_s = time.monotonic() - started
    figure(f"sent {len(sent):,} records in {len(bodies)} requests: {len(sent) / elapsed_s:,.0f} records/s")
    return Year(user, data_set_id, list(loop_year.shown(sent, data_set_id)))


@pytest.fixture(scope="module")
def node() -> javascript.JavaScript:
    """JavaScript clients."""
    return javascript.installed()


def check(got: list[Record], wanted: list[Record]) -> None:
    """Fail unless both are the same records."""
    assert Counter(record["type"] for record in got) == Counter(record["type"] for record in wanted)
    assert loop_year.checksum(got) == loop_year.checksum(wanted)


def check_order(got: list[Record]) -> None:
    """Fail unless each type is in one piece, by time."""
    assert len([name for name, _ in groupby(got, key=itemgetter("type"))]) == len({record["type"] for record in got})
    for _, of_type in groupby(got, key=itemgetter("type")):
        times = [record["time"].removesuffix("Z") for record in of_type]
        assert times == sorted(times)


@pytest.mark.parametrize("types", ["cbg", "smbg", "basal", "bolus,wizard,food", "pumpSettings"])
def test_a_type_comes_back_as_it_went_in(year: Year, figure: Show, types: str) -> None:
    with timed(figure, f"read {types} of the year"):
        got = read(year.user, f"?type={types}")
    check(got, [record for record in year.shown if record["type"] in types.split(",")])
    check_order(got)


@pytest.mark.parametrize(("name", "start", "end"), RANGES, ids=[name for name, _, _ in RANGES])
def test_a_range_comes_back_as_it_went_in(year: Year, figure: Show, name: str, start: str, end: str) -> None:
    with timed(figure, f"read {name}"):
        got = read(year.user, f"?startDate={start}&endDate={end}")
    first, last = start.removesuffix("Z"), end.removesuffix("Z")
    check(got, [record for record in year.shown if first <= record["time"].removesuffix("Z") <= last])
    check_order(got)


def test_the_latest_record_of_each_type_is_read(year: Year, figure: Show) -> None:
    with timed(figure, "read the latest of each type"):
        got = read(year.user, "?latest=true")
    newest: dict[str, str] = {}
    for record in year.shown:
        newest[record["type"]] = max(newest.get(record["type"], ""), record["time"])
    assert {record["type"]: record["time"] for record in got} == newest


def read(user: User, query: str) -> list[Record]:
    """The records of a reply, wherever it comes from, without the upload record."""
    reply = get(user, query)
    assert reply.status_code == 200, reply.text
    return [record for record in reply.json() if record["type"] != "upload"]


def get(user: User, query: str = "") -> requests.Response:
    """The response that `requests` gets, which follows redirects and accepts gzip."""
    headers = {"X-Tidepool-Session-Token": str(user.token)}
    return requests.get(f"{user.base_url}/data/{user.id}{query}", headers=headers, timeout=TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole year as bytes of JSON, and the records in it."""

    is_redirected: bool
    body: bytes = field(repr=False)
    records: list[Record] = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


@pytest.fixture(scope="module")
def whole(platform: "Platform", year: Year, figure: Show) -> Whole:
    """The year as `requests` gets it."""
    with timed(figure, "read the whole year by requests"):
        reply = get(year.user)
    figure(f"the whole year is {len(reply.content):,} bytes of JSON")
    assert (reply.status_code, {step.status_code for step in reply.history} <= {303}) == (200, True)
    if platform.data_dir is not None:
        assert len(reply.history) == (0 if platform.gateway_url is None else 1)  # Lambda has to redirect
    return Whole(bool(reply.history), reply.content, json.loads(reply.content))


def test_the_whole_year_comes_back_as_it_went_in(year: Year, whole: Whole) -> None:
    *data, upload = whole.records
    assert (upload["type"], upload["uploadId"]) == ("upload", year.data_set_id)
    check(data, year.shown)
    check_order(data)


@pytest.mark.only_on("cloud", reason="a home server sends a reply of any size itself")
@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_reply_too_large_for_lambda_is_redirected(year: Year, whole: Whole, encoding: str | None) -> None:
    reply = year.user.request(
        "GET", f"/data/{year.user.id}", headers={} if encoding is None else {"Accept-Encoding": encoding}
    )
    assert (reply.status, reply.headers["cache-control"]) == (303, "no-store")
    assert b"fetch it from the address in the header Location" in reply.body
    place = urlsplit(reply.headers["location"])
    found = Client(f"{place.scheme}://{place.netloc}").request("GET", f"{place.path}?{place.query}")
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    assert found.headers.get("content-encoding") == encoding
    assert (gzip.decompress(found.body) if encoding else found.body) == whole.body


def test_fetch_of_node_reads_the_whole_year(
    year: Year, whole: Whole, node: javascript.JavaScript, figure: Show
) -> None:
    with timed(figure, "read the whole year by Node's fetch"):
        got = node.fetch(f"{year.user.base_url}/data/{year.user.id}", year.user.token)
    assert (got.status, got.is_redirected) == (200, whole.is_redirected)
    assert (got.size_bytes, got.sha256) == (len(whole.body), whole.sha256)


def test_the_npm_client_reads_the_whole_year(
    year: Year, whole: Whole, node: javascript.JavaScript, figure: Show
) -> None:
    with timed(figure, "read the whole year by tidepool-platform-client"):
        (got,) = node.platform_client(year.user, ("getDeviceDataForUser", year.user.id, {}))
    assert got == whole.records


def test_erasing_leaves_only_the_counters_of_the_user(
    platform: "Platform", year: Year, storage: "Storage", services: "Services", figure: Show
) -> None:
    if platform.server_secret is None:
        pytest.skip("needs SERVER_SECRET")
    secret = {"X-Tidepool-Server-Secret": platform.server_secret}
    path = f"/v1/users/{year.user.id}/data"
    assert year.user.request("DELETE", path).status == 403
    with timed(figure, "erase the year"):
        assert Client(platform.base_url).request("DELETE", path, headers=secret).status == 200
    assert year.user.request("GET", f"/data/{year.user.id}").body == b"[]"
    assert year.user.request("GET", f"/v1/users/{year.user.id}/data_sets?deleted=true").json() == []
    assert year.user.request("GET", f"/v1/data_sets/{year.data_set_id}").status == 404
    assert year.user.request("POST", f"/v1/data_sets/{year.data_set_id}/data", []).status == 404

    assert len(keys_of(year, storage)) > len(year.shown) / loop_year.REQUEST_RECORDS
    with timed(figure, "purge the year"):
        purge_later(services)
    # The second one is there when the platform's own job has compacted meanwhile.
    counters = {(f"USER#{year.user.id}", name) for name in ("DATA", "COMPACTION")}
    left = keys_of(year, storage)
    assert (f"USER#{year.user.id}", "DATA") in left
    assert set(left) <= counters


def keys_of(year: Year, storage: "Storage") -> list[tuple[str, str]]:
    """The keys of all items that name the user or the data set of the year."""
    keys = [(item["pk"], item["sk"]) for item in storage.items(DATA)]
    return [key for key in keys if any(id_ in "/".join(key) for id_ in (year.user.id, year.data_set_id))]


def purge_later(services: "Services") -> None:
    """Run the purge task as if all requests were due."""
    now_ms = services.now_ms() + LEASE_MS + WAIT_MS + 1
    data: dict[str, Any] = {}
    task = Task(id="0" * 32, type="strandline.data.purge", created_time_ms=now_ms)
    purge(TaskRun(task, data, now_ms + 60_000, lambda: now_ms, lambda: None), services)
    assert data["dataSets"] >= 1
