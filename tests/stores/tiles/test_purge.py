"""Tests that exactly what was deleted, truncated or erased is purged, on each engine."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.access.call import SERVICE, Caller
from chalicelib.access.policy import DATA_SET_DELETERS, READERS, SERVERS, UPLOADERS
from chalicelib.config import Settings
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.engine.definitions import DATA
from chalicelib.engine.engine import Engine
from chalicelib.log.stores.keys import backlogs_partition
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.services import Services, build_services
from chalicelib.tasks.task import State, Task
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.ports import PurgeRequests
from chalicelib.tiles.purge import WAIT_MS, purge
from chalicelib.uploads import add as uploads
from tests.fakes.calls import NO_GRANTS, call_by
from tests.stores.items import stored_items

START_MS = 1_767_225_600_000
ANNA = "aaaaaaaaaa"
BELLA = "bbbbbbbbbb"
ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"
TRUNCATE = "org.tidepool.deduplicator.device.truncate.dataset"
LARGE = 40_000
"""The digits of a payload whose entry's body is stored in parts."""


@dataclass
class Scene:
    """Users' data in the stores of one engine; time goes on with each step."""

    services: Services
    count: Callable[[], int]
    """The number of stored items."""
    now_ms: int = START_MS
    ids_made: int = 0

    @property
    def purge_requests(self) -> PurgeRequests:
        return self.services.tiles.purge_requests

    def new_id(self) -> str:
        self.ids_made += 1
        return f"{self.ids_made:032x}"

    def open(self, user_id: str = ANNA, **members: Any) -> str:
        self.now_ms += 1
        body = {"dataSetType": "continuous", "deduplicator": {"name": ORIGIN}} | members
        created = data_sets.create(
            call_by(Caller(user_id), UPLOADERS, NO_GRANTS, self.now_ms, self.new_id),
            user_id,
            lambda: body,
            self.services.data,
        )
        return str(created["uploadId"])

    def add(
        self,
        data_set_id: str,
        *values: float,
        device_id: str | Sequence[str] = "Meter-1",
        digits: int = 1,
        **members: Any,
    ) -> None:
        """Add readings in one request, of one device or each of its own."""
        self.now_ms += 1
        device_ids = [device_id] * len(values) if isinstance(device_id, str) else device_id
        notes = [digits_of(self.new_id(), 1000) for _ in range(digits // 1000)]
        items = [
            {
                "type": "cbg",
                "time": "2025-12-31T00:00:00Z",
                "units": "mmol/L",
                "value": value,
                "deviceId": of_value,
                **members,
                **({"notes": notes} if notes else {}),
            }
            for value, of_value in zip(values, device_ids, strict=True)
        ]
        uploads.append_data(
            call_by(SERVICE, UPLOADERS, NO_GRANTS, self.now_ms, self.new_id),
            data_set_id,
            lambda: items,
            self.services.data,
        )

    def close(self, data_set_id: str) -> None:
        self.now_ms += 1
        data_sets.update(
            call_by(SERVICE, UPLOADERS, NO_GRANTS, self.now_ms),
            data_set_id,
            dict,
            self.services.data,
        )

    def delete(self, data_set_id: str) -> None:
        self.now_ms += 1
        data_sets.delete(
            call_by(SERVICE, DATA_SET_DELETERS, NO_GRANTS, self.now_ms),
            data_set_id,
            self.services.data,
        )

    def erase(self, user_id: str = ANNA) -> None:
        self.now_ms += 1
        data_sets.erase(call_by(SERVICE, SERVERS, NO_GRANTS, self.now_ms), user_id, self.services.data)

    def read(self, user_id: str = ANNA) -> list[float]:
        found = query.read_data(
            call_by(SERVICE, READERS, NO_GRANTS),
            user_id,
            DataQuery(),
            self.services.reading,
        )
        return [record["value"] for record in json.loads(found.records.plain()) if record["type"] == "cbg"]

    def sweep(self, wait_ms: int = WAIT_MS + 1) -> dict[str, Any]:
        """Run the task after a wait; return its counts."""
        self.now_ms += wait_ms
        task = Task("t", "strandline.data.purge", self.now_ms, state=State.RUNNING)
        run = TaskRun(task, {}, self.now_ms + 60_000, lambda: self.now_ms, lambda: None)
        purge(run, self.services)
        return run.data


def digits_of(seed: str, count: int) -> str:
    """Text that hardly compresses."""

    return "".join(hashlib.sha256(f"{seed}{i}".encode()).hexdigest() for i in range(count // 64 + 1))[:count]


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """Empty stores."""
    return Scene(build_services(Settings(stage="test"), engine), lambda: rows(engine))


def rows(engine: Engine) -> int:
    """The number of items in the table, except backlogs, which compaction removes."""
    return sum(not item["pk"].startswith(backlogs_partition("")) for item in stored_items(engine, DATA))


def test_a_purged_data_set_leaves_only_its_item(scene: Scene) -> None:
    kept, gone = scene.open(), scene.open()
    scene.add(kept, 1)
    rows = scene.count()
    scene.add(gone, 2)
    scene.add(gone, 3, digits=LARGE)
    scene.delete(gone)
    assert scene.count() > rows
    assert scene.sweep() == {"orders": 1, "entries": 2, "dataSets": 0, "swept": 0}
    assert scene.count() == rows
    assert scene.read() == [1]


def test_a_purge_request_waits_for_readers_under_way(scene: Scene) -> None:
    gone = scene.open()
    scene.add(gone, 1)
    scene.delete(gone)
    assert scene.sweep(WAIT_MS) == {"orders": 0, "entries": 0, "dataSets": 0, "swept": 0}
    assert scene.sweep(1) == {"orders": 1, "entries": 1, "dataSets": 0, "swept": 0}
    assert scene.sweep(1) == {"orders": 0, "entries": 0, "dataSets": 0, "swept": 0}


def test_records_added_after_the_deletion_of_an_open_data_set_stay(scene: Scene) -> None:
    data_set = scene.open()
    scene.add(data_set, 1, digits=LARGE)
    scene.delete(data_set)
    scene.add(data_set, 2, digits=LARGE)
    assert scene.read() == [2]
    assert scene.sweep()["entries"] == 1
    assert scene.read() == [2]


def test_an_erased_user_is_purged_and_others_stay(scene: Scene) -> None:
    other = scene.open(BELLA)
    scene.add(other, 9)
    before = scene.count()
    normal = scene.open(dataSetType="normal", deviceId="Meter-1")
    closed = scene.open(dataSetType="normal", deviceId="Meter-1")
    continuous = scene.open()
    for data_set in (normal, closed, continuous):
        scene.add(data_set, 1)
        scene.add(data_set, 2, digits=LARGE)
    scene.close(closed)
    scene.erase()
    assert scene.sweep() == {"orders": 1, "entries": 0, "dataSets": 3, "swept": 0}
    assert (scene.read(), scene.read(BELLA)) == ([], [9])
    # The row of counters stays, so that an epoch never comes twice.
    assert scene.count() - before == 1


def test_the_purge_of_an_epoch_leaves_the_next_one(scene: Scene) -> None:
    scene.add(scene.open(), 1)
    scene.erase()
    scene.add(scene.open(), 2)
    scene.sweep()
    assert scene.read() == [2]


def test_a_purge_request_of_a_data_set_erased_later_removes_all_of_it(scene: Scene) -> None:
    gone = scene.open()
    scene.add(gone, 1)
    scene.delete(gone)
    scene.erase()
    scene.sweep()
    assert scene.count() == 1


def test_an_id_can_be_used_again_after_its_purge(scene: Scene) -> None:
    scene.add(scene.open(uploadId="c" * 32), 1)
    scene.erase()
    scene.sweep()
    scene.add(scene.open(uploadId="c" * 32), 2)
    scene.sweep()
    assert scene.read() == [2]


def test_an_id_that_is_used_again_before_its_purge_keeps_its_new_data(scene: Scene) -> None:
    data_set_id = scene.open(uploadId="a" * 32)
    scene.add(data_set_id, 1, digits=LARGE)
    scene.erase()
    assert scene.open(BELLA, uploadId="a" * 32) == data_set_id
    scene.add(data_set_id, 2, digits=LARGE)
    before = scene.count()
    scene.sweep()
    assert scene.read() == []
    assert scene.read(BELLA) == [2]
    assert scene.count() < before
    scene.add(data_set_id, 3, digits=LARGE)
    assert scene.read(BELLA) == [2, 3]


def test_truncated_entries_are_purged_unless_they_hold_other_devices(scene: Scene) -> None:
    pump: dict[str, Any] = {
        "dataSetType": "normal",
        "deviceId": "Pump-1",
        "deduplicator": {"name": TRUNCATE},
    }
    first, other, second = scene.open(**pump), scene.open(), scene.open(**pump)
    scene.add(first, 1, device_id="Pump-1")
    scene.close(first)
    scene.add(other, 2, device_id="Pump-1", digits=LARGE)
    scene.add(other, 3, device_id="Meter-1")
    scene.add(second, 4, device_id="Pump-1")
    scene.close(second)
    scene.add(other, 5, device_id="Pump-1")
    visible = scene.read()
    assert sorted(visible) == [3, 4, 5]
    assert scene.sweep() == {"orders": 2, "entries": 2, "dataSets": 0, "swept": 0}
    assert scene.read() == visible


def test_a_truncated_entry_that_holds_another_device_too_stays(scene: Scene) -> None:
    pump: dict[str, Any] = {"dataSetType": "normal", "deviceId": "Pump-1", "deduplicator": {"name": TRUNCATE}}
    other, closing = scene.open(), scene.open(**pump)
    scene.add(other, 1, 2, device_id=["Pump-1", "Meter-1"])
    scene.close(closing)
    assert scene.read() == [2]
    assert scene.sweep() == {"orders": 1, "entries": 0, "dataSets": 0, "swept": 0}
    assert scene.read() == [2]


def test_a_truncated_entry_that_replaced_a_record_stays(scene: Scene) -> None:
    """Without the entry, the record it replaced would be visible again."""
    pump: dict[str, Any] = {"dataSetType": "normal", "deviceId": "Pump-1", "deduplicator": {"name": TRUNCATE}}
    other, closing = scene.open(), scene.open(**pump)
    scene.add(other, 1, device_id="Meter-1", origin={"id": "reading"})
    scene.add(other, 2, device_id="Pump-1", origin={"id": "reading"})
    scene.close(closing)
    assert scene.read() == []
    assert scene.sweep() == {"orders": 1, "entries": 0, "dataSets": 0, "swept": 0}
    assert scene.read() == []


def test_an_interrupted_purge_continues_where_it_stopped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        scene.add(scene.open(), 1)
    scene.erase()
    remove = scene.purge_requests.remove_data_set
    removed: list[Any] = []

    def dies(data_set: Any) -> None:
        if removed:
            raise RuntimeError("the worker dies")
        removed.append(data_set)
        remove(data_set)

    monkeypatch.setattr(scene.purge_requests, "remove_data_set", dies)
    with pytest.raises(RuntimeError):
        scene.sweep()
    monkeypatch.setattr(scene.purge_requests, "remove_data_set", remove)
    assert scene.sweep() == {"orders": 1, "entries": 0, "dataSets": 2, "swept": 0}
    assert scene.count() == 1
