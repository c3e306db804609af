"""Tests compaction on the packaged application: replies do not depend on the state of tiles, archive and log."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.tiles.compact import CompactionResult, compact, rebuild
from tests.e2e.client import Client, Reply, User, sample
from tests.e2e.clients import loop_year
from tests.e2e.read_model import Stored, Tasks
from tools.project import ROOT

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.conftest import Platform
    from tests.e2e.storage import Storage

COMPACT, REBUILD, VERIFY, PURGE = (f"strandline.data.{name}" for name in ("compact", "rebuild", "verify", "purge"))
WEEKS_DAYS = 28
LIVE_HOURS = 8
"""Of the last day: what is sent each five minutes, as a phone does."""
STEPS = 48
HOLD_MS = 120_000
QUERIES = (
    "",
    "?type=cbg",
    "?type=bolus,wizard,food",
    "?type=upload",
    "?type=basal&startDate=2025-01-20T00:00:00Z",
    "?subType=manual",
    "?startDate=2025-01-10T00:00:00Z&endDate=2025-01-10T23:59:59.999Z",
    "?startDate=2025-01-05T12:00:00Z&endDate=2025-01-19T12:00:00Z",
    "?endDate=2025-01-02T00:00:00Z",
    "?latest=true",
    "?latest=true&type=cbg,pumpSettings,upload",
    "?latest=true&endDate=2025-01-15T00:00:00Z",
    "?deviceId=Synthetic%20Meter",
    "?carelink=true&medtronic=true",
)


@pytest.fixture
def tasks(server: Client, storage: "Storage") -> Tasks:
    """The worker."""
    return Tasks(server, storage)


@pytest.fixture
def stored(storage: "Storage") -> Stored:
    """Tables and objects."""
    return Stored(storage)


@pytest.fixture
def user(platform: "Platform") -> User:
    """Somebody without any data."""
    return User(platform.base_url)


def open_loop(user: User) -> str:
    """A continuous data set as Loop opens it."""
    return user.open_data_set(sample("loop/01_create_data_set.json"))


def send_weeks(user: User, data_set_id: str) -> int:
    """Sends weeks as Loop does that catches up, and the last hours as they come; how many requests that took."""
    sent = loop_year.records(WEEKS_DAYS)
    live_from = f"2025-01-{WEEKS_DAYS:02d}T{24 - LIVE_HOURS:02d}"
    bodies = list(loop_year.requests_of([record for record in sent if record["time"] < live_from]))
    live = [record for record in sent if record["time"] >= live_from]
    bodies += [list(of_minutes) for _, of_minutes in groupby(live, key=_five_minutes)]
    for body in bodies:
        user.add(f"/v1/data_sets/{data_set_id}/data", body)
    return len(bodies)


def _five_minutes(record: dict[str, Any]) -> tuple[str, int]:
    time_text: str = record["time"]
    return time_text[:13], int(time_text[14:16]) // 5


def upload(user: User, *, is_closed: bool = True) -> str:
    """Upload a device's data as the Uploader does; return the id of the upload."""
    upload_id = user.open_data_set(sample("uploader/01_create_data_set.json"))
    for file in ("uploader/02_data_all_types.json", "uploader/03_block_1000.json"):
        user.add(f"/v1/data_sets/{upload_id}/data", sample(file))
    if is_closed:
        close(user, upload_id)
    return upload_id


def close(user: User, upload_id: str) -> None:
    """Close an upload as the Uploader does."""
    reply = user.request("PUT", f"/v1/datasets/{upload_id}", sample("uploader/04_finish.json"))
    assert reply.status == 200, reply.body


def get(user: User, query: str, **headers: str) -> Reply:
    """The reply to a query."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return user.request("GET", f"/data/{user.id}{query}", headers=sent)


def everything_read(user: User, *data_set_ids: str) -> dict[str, tuple[bytes, str]]:
    """The body and the ETag of the reply to each query, checked to be the same with and without gzip."""
    found = {}
    for query in (*QUERIES, *(f"?uploadId={data_set_id}" for data_set_id in data_set_ids)):
        plain, packed = get(user, query), get(user, query, Accept_Encoding="gzip")
        assert (plain.status, packed.status) == (200, 200)
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json() == plain.json()
        assert packed.headers["etag"] == plain.headers["etag"]
        assert get(user, query, If_None_Match=plain.headers["etag"]).status == 304
        found[query] = plain.body, plain.headers["etag"]
    return found


@contextmanager
def no_compaction(services: "Services", user: User) -> Iterator[None]:
    """Another one is at work on the user's tiles."""
    now_ms = services.now_ms()
    attempt = services.tiles.tiles.acquire(services.data.data_sets.owner(user.id), "a test", now_ms, now_ms + HOLD_MS)
    assert attempt is not None
    yield
    services.tiles.tiles.release(attempt)


def test_compaction_and_rebuilding_do_not_change_what_is_read(
    user: User, services: "Services", tasks: Tasks, stored: Stored, figure: Callable[[str], None]
) -> None:
    took: list[str] = []

    def timed(what: str, function: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = function()
        took.append(f"{what} {time.monotonic() - started:.1f} s")
        return result

    def all_read() -> dict[str, tuple[bytes, str]]:
        return everything_read(user, loop_id, upload_id)

    with no_compaction(services, user):
        loop_id = open_loop(user)
        requests = timed("sending", lambda: send_weeks(user, loop_id))
        upload_id = upload(user)
        before = timed("reading the log", all_read)
        assert all(json.loads(body) for body, _ in before.values())
        assert tasks.run(COMPACT)["data"]["held"] >= 1
        assert stored.entries(user, upload_id) == requests + 2
        assert services.tiles.tiles.current(user.id)[1].version == 0

    compacted = timed("compacting", lambda: tasks.run(COMPACT))
    assert compacted["data"]["failed"] == []
    assert compacted["data"]["entries"] >= requests + 2
    manifest = services.tiles.tiles.current(user.id)[1]
    assert manifest.positions() == {loop_id: requests, upload_id: 2}
    assert timed("reading tiles", all_read) == before
    assert tasks.run(VERIFY, userId=user.id)["data"]["wrong"] == []
    assert tasks.run(REBUILD, userId=user.id)["data"]["entries"] == requests + 2
    assert all_read() == before

    assert stored.let_requests_be_due(user) >= 3  # two that were committed, and the one in the beginning that was not
    assert timed("sweeping", lambda: tasks.run(PURGE))["data"]["swept"] >= requests + 2
    assert (stored.entries(user, upload_id), stored.parts(loop_id, upload_id)) == (0, 0)
    assert {key.split("/")[3] for key in stored.archive(user)} == {loop_id, upload_id}
    current = services.tiles.tiles.current(user.id)[1]
    assert {int(key.split("#")[0]) for key in stored.tiles(user)} == {ref.version for ref in current.tile_refs()}
    assert all_read() == before
    assert not any(f"#{user.id}#" in key for key in stored.keys(user.id) if key.startswith("SWEEP/"))

    assert timed("rebuilding", lambda: tasks.run(REBUILD, userId=user.id))["data"]["entries"] == requests + 2
    assert all_read() == before
    verified = timed("verifying", lambda: tasks.run(VERIFY, userId=user.id))
    assert verified["data"]["wrong"] == []
    assert verified["data"]["tiles"] == len(list(manifest.tile_refs()))
    figure(f"{requests} requests of Loop, {verified['data']['tiles']} tiles: {', '.join(took)}")


class Compactions(threading.Thread):
    """Compacts and rebuilds the tiles of a user, one after the other, until it is told to stop."""

    def __init__(self, services: "Services", user: User) -> None:
        super().__init__()
        self._ports, self._user_id = services.tiles, user.id
        self._is_over = threading.Event()
        self.done: list[CompactionResult] = []
        self.failed: Exception | None = None

    def run(self) -> None:
        """Compact and rebuild in turn until the test ends."""
        try:
            while not self._is_over.is_set():
                step = rebuild if len(self.done) % 4 == 3 else compact
                self.done.append(step(self._user_id, self._ports, lambda: None))
        except Exception as error:  # noqa: BLE001  the test has to hear of it
            self.failed = error

    def finish(self) -> list[CompactionResult]:
        """Stops it; what it did."""
        self._is_over.set()
        self.join()
        if self.failed is not None:
            raise self.failed
        return self.done


def test_confirmed_records_are_visible_at_once_during_compaction(
    user: User, services: "Services", tasks: Tasks, figure: Callable[[str], None]
) -> None:
    loop_id, upload_id = open_loop(user), upload(user, is_closed=False)
    path = f"/v1/data_sets/{loop_id}/data"
    uploaded = 0
    shown: dict[str, float] = {}
    compactions = Compactions(services, user)
    compactions.start()
    for step in range(STEPS):
        if step % 6 == 5:
            origin_id = sorted(shown)[step % len(shown)]
            del shown[origin_id]
            assert user.request("DELETE", path, [{"origin": {"id": origin_id}}]).status == 200
        elif step == STEPS // 3:
            close(user, upload_id)
            uploaded = 1
        elif step == 2 * STEPS // 3:
            assert user.request("DELETE", f"/v1/datasets/{upload_id}").status == 200
            uploaded = 0
        else:  # new ones, and some of those before with another value
            readings = {f"reading-{place}": 5.0 + step / 100 for place in range(3 * step, 3 * step + 8)}
            user.add(path, [_reading(origin_id, value) for origin_id, value in readings.items()])
            shown |= readings
        seen = get(user, "?type=cbg,smbg", Accept_Encoding="gzip").json()
        of_loop = [record for record in seen if record["uploadId"] == loop_id]
        assert {record["origin"]["id"]: record["value"] for record in of_loop} == shown
        assert len(of_loop) == len(shown)
        assert (len(seen) > len(of_loop)) is bool(uploaded)
    done = compactions.finish()
    with_entries = [compaction for compaction in done if compaction.entries]
    assert len(with_entries) >= 3
    assert tasks.run(VERIFY, userId=user.id)["data"]["wrong"] == []
    figure(
        f"{STEPS} changes, each read at once, during {len(done)} compactions, {len(with_entries)} of them with entries"
    )


def _reading(origin_id: str, value: float) -> dict[str, Any]:
    """A reading that stands on another of three days with each number."""
    number = int(origin_id.rpartition("-")[2])
    at = f"2026-01-0{1 + number % 3}T{number // 12 % 24:02d}:{number % 12 * 5:02d}:00Z"
    return {"type": "cbg", "units": "mmol/L", "value": value, "time": at, "origin": {"id": origin_id}}


def test_deleted_records_are_removed_from_tiles_and_archive(
    user: User, services: "Services", tasks: Tasks, stored: Stored
) -> None:
    loop_id, first_id, second_id = open_loop(user), upload(user), upload(user)
    user.add(f"/v1/data_sets/{loop_id}/data", sample("loop/04_doses.json"))
    assert tasks.run(COMPACT)["data"]["failed"] == []
    assert ids_in_tiles(services, user) == {loop_id, first_id, second_id}  # the first is hidden, and may come back
    assert all(stored.archive(user, data_set_id) for data_set_id in (loop_id, first_id, second_id))

    for deleted in (loop_id, second_id):
        assert user.request("DELETE", f"/v1/datasets/{deleted}").status == 200
    shown = user.records()
    assert {record["uploadId"] for record in shown} == {first_id}
    assert tasks.run(COMPACT)["data"]["failed"] == []
    assert user.records() == shown
    assert ids_in_tiles(services, user) == {first_id}
    stored.let_requests_be_due(user)
    assert "error" not in tasks.run(PURGE)
    assert not stored.archive(user, loop_id) + stored.archive(user, second_id)
    assert stored.entries(user, first_id, second_id) == stored.parts(loop_id, first_id, second_id) == 0
    current = services.tiles.tiles.current(user.id)[1]
    assert {int(key.split("#")[0]) for key in stored.tiles(user)} == {ref.version for ref in current.tile_refs()}
    assert user.records() == shown
    assert tasks.run(VERIFY, userId=user.id)["data"]["wrong"] == []


def ids_in_tiles(services: "Services", user: User) -> set[str]:
    """Of which data sets there are records in tiles, whether they are seen or not."""
    owner, manifest = services.tiles.tiles.current(user.id)
    places = list(manifest.tile_refs())
    read = services.tiles.tiles.tiles(owner, places, {place.key for place in places})
    return {data_set_id for tile in read.values() for data_set_id in tile.slices()}


def test_erasing_removes_tiles_origin_index_and_archive(
    user: User, platform: "Platform", tasks: Tasks, stored: Stored
) -> None:
    loop_id, upload_id = open_loop(user), upload(user)
    user.add(f"/v1/data_sets/{loop_id}/data", sample("loop/04_doses.json"))
    assert tasks.run(COMPACT)["data"]["failed"] == []
    assert all((stored.tiles(user), stored.origin_segments(user), stored.archive(user)))
    headers = {"X-Tidepool-Server-Secret": str(platform.server_secret)}
    reply = Client(platform.base_url).request("DELETE", f"/v1/users/{user.id}/data", headers=headers)
    assert reply.status == 200
    assert get(user, "").body == b"[]"
    stored.let_requests_be_due(user)
    assert "error" not in tasks.run(PURGE)
    assert stored.archive(user) == []
    # What stays are numbers: the epoch of the user's data, and the version of the last compaction.
    assert stored.keys(user.id, loop_id, upload_id) == {f"USER#{user.id}/DATA", f"USER#{user.id}/COMPACTION"}


def test_a_damaged_tile_is_reported_and_rebuilt(user: User, tasks: Tasks, stored: Stored) -> None:
    upload(user)
    before = get(user, "").body
    assert tasks.run(COMPACT)["data"]["failed"] == []
    wrong = damage(user, stored)
    verified = tasks.run(VERIFY, userId=user.id)
    assert verified["error"]["code"] == "tiles-wrong"
    assert verified["data"]["wrong"] == [f"{user.id}/{name}" for name in wrong]
    assert "error" not in tasks.run(REBUILD, userId=user.id)
    assert tasks.run(VERIFY, userId=user.id)["data"]["wrong"] == []
    assert get(user, "").body == before


def test_the_command_of_an_operator_reports_and_rebuilds_a_damaged_tile(
    cloud: "Platform", user: User, tasks: Tasks, stored: Stored
) -> None:
    upload(user)
    before = get(user, "").body
    assert tasks.run(COMPACT)["data"]["failed"] == []
    assert tool(cloud, "verify", user).returncode == 0
    wrong = damage(user, stored)
    found = tool(cloud, "verify", user)
    assert found.returncode == 1
    assert all(f"wrong: {name}" in found.stdout for name in wrong)
    rebuilt = tool(cloud, "rebuild", user)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert tool(cloud, "verify", user).returncode == 0
    assert get(user, "").body == before


def damage(user: User, stored: Stored) -> list[str]:
    """Change one of a user's tiles and remove another; return the names of both."""
    # Hour sums may be missing, so they are left alone.
    first, second, *_ = (item for key, item in sorted(stored.tiles(user).items()) if not key.endswith("#S"))
    stored.put(first | {"body": first["body"][:-1] + b"?"})
    stored.delete(second)
    return ["/".join(item["sk"].split("#")[1:3]) for item in (first, second)]


def tool(cloud: "Platform", verb: str, user: User) -> "subprocess.CompletedProcess[str]":
    """Run the command of an operator."""
    command = [sys.executable, "-m", "tools.tiles", verb, "local", "--user", user.id, "--data-dir", str(cloud.data_dir)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
