"""A year of a person with a CGM and Loop on a home server: 380,000 records go in and come out, in little memory."""

import json
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import orjson
import pytest

from bench.costs import loop_user
from strandline.home.launching import HomeServer, home_server
from tests.e2e import storage
from tests.e2e.client import User, sample
from tests.e2e.conftest import Platform, server_client
from tests.e2e.read_model import Tasks
from tools.demo.comparison import as_shown, mmol_l
from tools.demo.generator import Record

DAYS = 365
RECORDS = 379_000
"""A lower bound."""
MAX_MEMORY_MB = 250
"""Of the server with the processes of its tasks."""
SAMPLED_EACH_S = 0.2
READ_BYTES = 256 * 1024
READ_WITHIN_S = 300
COMPACTED_WITHIN_S = 300
COMPACT = "strandline.data.compact"

Address = tuple[str, str, str]
"""Type, origin id and time."""


class Memory(Thread):
    """The memory of a server, alone and with the processes of its tasks, sampled until the end of a block.

    It is the sum of resident sets, so what processes share counts for each of them.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.peak_with_tasks_mb = 0.0
        self._pid = pid
        self._is_over = Event()

    def __enter__(self) -> "Memory":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Take samples."""
        while not self._is_over.wait(SAMPLED_EACH_S):
            alone_mb, with_tasks_mb = _resident_mb(self._pid)
            self.peak_mb = max(self.peak_mb, alone_mb)
            self.peak_with_tasks_mb = max(self.peak_with_tasks_mb, with_tasks_mb)


def _resident_mb(pid: int) -> tuple[float, float]:
    """The memory of a process, and of it and its descendants."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    family = {pid}
    while more := {child for child, parent, _ in rows if parent in family} - family:
        family |= more
    sizes_mb = {member: size_kb / 1024 for member, _, size_kb in rows if member in family}
    return sizes_mb.get(pid, 0), sum(sizes_mb.values())


class Expected:
    """The records that a server has to return for those that it was sent.

    The records of a year have few shapes: they differ in time and origin id. Each shape is converted once.
    """

    def __init__(self) -> None:
        self._sent: dict[bytes, int] = {}
        self._returned: dict[bytes, int] = {}
        self._records: dict[Address, int] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Record) -> None:
        """Expect a record."""
        address, shape = _split(record)
        key = orjson.dumps(shape)
        if key not in self._sent:
            self._sent[key] = _fingerprint(_split(_as_shown(record))[1])
        self._records[address] = self._sent[key]

    def take(self, record: Record) -> None:
        """Fail unless the record is expected as it is, and was not taken before."""
        record.pop("id")
        record.pop("uploadId")
        address, shape = _split(record)
        key = orjson.dumps(shape)
        if key not in self._returned:
            self._returned[key] = _fingerprint(shape)
        assert self._records.pop(address) == self._returned[key], record


def _split(record: Record) -> tuple[Address, Record]:
    """The place of a record, and the rest of it."""
    origin = record["origin"]
    address = (record["type"], origin["id"], record["time"].removesuffix("Z").removesuffix(".000"))
    rest = {name: value for name, value in record.items() if name not in ("time", "origin")}
    return address, rest | {"origin": {name: value for name, value in origin.items() if name != "id"}}


def _fingerprint(shape: Record) -> int:
    """Of what a record says, whatever the order of its members; 5 and 5.0 are the same."""
    return hash(json.dumps(json.loads(json.dumps(shape), parse_int=float), sort_keys=True))


def _as_shown(record: Record) -> Record:
    """A record of Loop as the platform returns it, by its published rules (`tools/demo/comparison.py`)."""
    (shown,) = as_shown(record)
    if shown["type"] == "dosingDecision":
        for name in ("bgForecast", "bgHistorical"):
            for point in shown.get(name, ()):
                point["value"] = mmol_l(point["value"])
        for target in shown.get("bgTargetSchedule", ()):
            target |= {name: mmol_l(target[name]) for name in ("low", "high") if name in target}
        if "smbg" in shown:
            shown["smbg"]["value"] = mmol_l(shown["smbg"]["value"])
        shown["units"]["bg"] = "mmol/L"
    return shown


def records_of(user: User) -> Iterator[Record]:
    """All that a user has, as it comes over the wire: each record in a line of its own."""
    address = urlsplit(user.base_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=READ_WITHIN_S)
    headers = {"X-Tidepool-Session-Token": str(user.token), "Accept-Encoding": "gzip"}
    connection.request("GET", f"/data/{user.id}", headers=headers)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Encoding"]) == (200, "gzip")
    inflating, left = zlib.decompressobj(wbits=31), b""
    while part := response.read(READ_BYTES):
        *lines, left = (left + inflating.decompress(part)).split(b"\n")
        yield from (orjson.loads(line.removesuffix(b",")) for line in lines if line != b"[")
    assert (left, inflating.eof) == (b"]", True)
    connection.close()


@pytest.mark.slow
def test_a_year_of_loop_goes_in_and_comes_out_in_little_memory(tmp_path: Path, figure: Callable[[str], None]) -> None:
    data_dir = tmp_path / "data"
    with home_server(data_dir) as server, Memory(server.process.pid) as memory:
        user = User(server.base_url)
        data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
        expected, requests, adding_s = Expected(), 0, 0.0
        for request in loop_user.backlog(range(DAYS)):
            began = time.monotonic()
            user.add(f"/v1/data_sets/{data_set_id}/data", request)
            adding_s += time.monotonic() - began
            requests += 1
            for record in request:
                expected.add(record)
        count, adding_mb = len(expected), memory.peak_mb
        assert count >= RECORDS

        began = time.monotonic()
        compact(server)
        compacting_s = time.monotonic() - began

        began = time.monotonic()
        data_sets = [record for record in records_of(user) if not taken(expected, record)]
        reading_s = time.monotonic() - began
    assert len(expected) == 0
    assert [record["uploadId"] for record in data_sets] == [data_set_id]
    disk_mb = sum(path.stat().st_size for path in data_dir.rglob("*") if path.is_file()) / 1e6
    figure(
        f"a year of Loop at home, {count:,} records: added in {adding_s:,.0f} s ({requests} requests), compacted in "
        f"{compacting_s:,.0f} s, read and compared in {reading_s:,.0f} s; {disk_mb:,.0f} MB on the disk; "
        f"memory of the server {adding_mb:,.0f} MB when added, at most {memory.peak_mb:,.0f} MB; "
        f"with the processes of tasks {memory.peak_with_tasks_mb:,.0f} MB"
    )
    assert memory.peak_with_tasks_mb < MAX_MEMORY_MB


def taken(expected: Expected, record: Record) -> bool:
    """Compare a record; False for a data set."""
    if record["type"] == "upload":
        return False
    expected.take(record)
    return True


def compact(server: HomeServer) -> None:
    """Compact all that waits."""
    platform = Platform(server.base_url, server.server_secret, server.data_dir)
    with storage.of_home(platform) as opened:
        tasks = Tasks(server_client(platform), opened)
        while tasks.run(COMPACT, within_s=COMPACTED_WITHIN_S)["data"].get("entries"):
            continue
