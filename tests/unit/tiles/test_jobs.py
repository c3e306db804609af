"""Tests the tasks of the read model: compaction of due users, verification, and rebuilding."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.log.backlog import DUE_AFTER_MS, DUE_BYTES, Backlog
from chalicelib.tasks.task import State, Task
from chalicelib.tasks.types import Rerun, TaskFailedError, TaskRun
from chalicelib.tiles.compact import compact
from chalicelib.tiles.jobs import (
    COMPACTIONS_FAILED,
    TILES_WRONG,
    compact_marked,
    is_due,
    rebuild_tiles,
    verify_tiles,
)
from chalicelib.tiles.purge import WAIT_MS, purge
from tests.fakes.data_scene import ANNA, DataScene, cbg
from tests.fakes.engine import go_on, refuse

ANNA_ID = str(ANNA.user_id)


class Stage(DataScene):
    """Anna's data in a stage whose tasks can be run."""

    def run(self, function: Callable[..., Any], time_limit_s: int = 600, **data: Any) -> dict[str, Any]:
        """Run the task; return its counts, with `again` if it asks for another run."""
        return self.run_with(data, function, time_limit_s)

    def run_with(self, data: dict[str, Any], function: Callable[..., Any], time_limit_s: int = 600) -> dict[str, Any]:
        """Run the task with this data, which the test can inspect even if the run fails."""
        self.tick()
        task = Task("t", "strandline.data.compact", self.now_ms, state=State.RUNNING)
        run = TaskRun(task, data, self.now_ms + time_limit_s * 1000, lambda: self.now_ms, lambda: None)
        result = function(run, self.fakes.services)
        return run.data | ({"again": result.delay_s} if isinstance(result, Rerun) else {})


@pytest.fixture
def stage() -> Stage:
    """A stage without data."""
    return Stage()


@pytest.mark.parametrize(
    ("backlog_bytes", "age_ms", "expected"),
    [
        (DUE_BYTES, 0, True),
        (DUE_BYTES - 1, 0, False),
        (1, DUE_AFTER_MS, True),
        (1, DUE_AFTER_MS - 1, False),
    ],
)
def test_a_tail_waits_until_it_is_large_or_old(backlog_bytes: int, age_ms: int, expected: bool) -> None:
    assert is_due(Backlog(ANNA_ID, 1000, backlog_bytes), 1000 + age_ms) is expected


def test_the_job_compacts_due_users_and_clears_their_backlogs(stage: Stage) -> None:
    upload = stage.open("none", "normal")
    stage.add(upload, cbg(5), cbg(6, minute=5))
    assert stage.run(compact_marked) == {"users": 0, "entries": 0, "tiles": 0, "held": 0, "failed": []}
    stage.close(upload)
    assert stage.run(compact_marked) == {"users": 1, "entries": 1, "tiles": 1, "held": 0, "failed": []}
    assert stage.run(compact_marked)["users"] == 0
    assert stage.visible() == [5, 6]


def test_a_failed_compaction_is_counted_and_tried_again(stage: Stage) -> None:
    upload = stage.open("none", "normal")
    stage.add(upload, cbg(5))
    stage.close(upload)

    stage.fakes.calls.watch = refuse("TransactWriteItems")
    assert stage.run(compact_marked)["failed"] == [ANNA_ID]
    assert stage.fakes.counted[COMPACTIONS_FAILED] == 1
    stage.fakes.calls.watch = go_on
    assert stage.run(compact_marked)["users"] == 1


def test_a_user_who_cannot_be_compacted_does_not_delay_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = stage.open("none", "normal")
    stage.add(upload, cbg(5))
    stage.close(upload)
    marks, current = stage.fakes.backlogs.all, stage.tiles.current

    def unreadable(owner_id: str) -> Any:
        if owner_id == "broken":
            raise ValueError("tile of unknown version 63")
        return current(owner_id)

    monkeypatch.setattr(stage.fakes.backlogs, "all", lambda: iter([Backlog("broken", 0, DUE_BYTES), *marks()]))
    monkeypatch.setattr(stage.tiles, "current", unreadable)
    data: dict[str, Any] = {}
    with pytest.raises(ValueError, match="unknown version"):  # the log and the task show it
        stage.run_with(data, compact_marked)
    assert data["failed"] == ["broken"]
    assert stage.fakes.counted[COMPACTIONS_FAILED] == 1
    assert len(stage.fakes.items(DATA, partition="TILE#")) == 2  # a tile and its hour sums


def test_a_user_whose_lease_is_held_is_not_compacted(stage: Stage) -> None:
    upload = stage.open("none", "normal")
    stage.add(upload, cbg(5))
    stage.close(upload)
    assert stage.tiles.acquire(stage.data_sets.owner(ANNA_ID), "other", stage.now_ms, stage.now_ms + 60_000)
    assert stage.run(compact_marked)["held"] == 1
    assert stage.run(rebuild_tiles, userId=ANNA_ID)["again"] > 0
    stage.now_ms += 60_000
    assert stage.run(compact_marked)["users"] == 1


def test_no_compaction_starts_with_little_time_left(stage: Stage) -> None:
    upload = stage.open("none", "normal")
    stage.add(upload, cbg(5))
    stage.close(upload)
    assert stage.run(compact_marked, time_limit_s=10)["users"] == 0
    assert stage.run(compact_marked)["users"] == 1


def compacted(stage: Stage) -> str:
    """A continuous data set of three days in tiles."""
    data_set_id = stage.open("dataset.delete.origin")
    for day in range(3):
        stage.add(data_set_id, cbg(5 + day, origin=str(day), time=f"2026-01-0{1 + day}T00:00:00Z"))
    stage.now_ms += DUE_AFTER_MS
    assert stage.run(compact_marked)["tiles"] == 3
    return data_set_id


def damage(stage: Stage) -> None:
    """Changes the checksum of a tile."""
    first = stage.fakes.items(DATA, partition="TILE#")[0]
    shown = first["body"]
    stage.fakes.engine.data.put(first | {"body": shown[:1] + bytes([shown[1] ^ 1]) + shown[2:]})


def test_correct_tiles_are_verified(stage: Stage) -> None:
    compacted(stage)
    assert stage.run(verify_tiles, userId=ANNA_ID) == {"userId": ANNA_ID, "users": 1, "tiles": 3, "wrong": []}
    assert stage.fakes.counted[TILES_WRONG] == 0


def test_the_daily_check_samples_users_who_send_data(stage: Stage) -> None:
    data_set_id = compacted(stage)
    assert stage.run(verify_tiles)["users"] == 0
    for _ in range(32):
        stage.add(data_set_id, cbg(9))
    assert stage.run(verify_tiles) == {"users": 1, "tiles": 3, "wrong": []}


def test_a_wrong_tile_is_reported_and_rebuilt(stage: Stage) -> None:
    compacted(stage)
    right = stage.visible()
    damage(stage)
    with pytest.raises(TaskFailedError, match="1 tiles are not what the log says"):
        stage.run(verify_tiles, userId=ANNA_ID)
    assert stage.fakes.counted[TILES_WRONG] == 1
    data: dict[str, Any] = {"userId": ANNA_ID}
    with pytest.raises(TaskFailedError, match="1 tiles"):
        stage.run_with(data, verify_tiles)
    assert data["wrong"] == [f"{ANNA_ID}/cbg/20454"]
    assert stage.run(rebuild_tiles, userId=ANNA_ID) == {"userId": ANNA_ID, "entries": 3, "tiles": 3}
    assert stage.visible() == right
    assert stage.run(verify_tiles, userId=ANNA_ID)["wrong"] == []


def test_a_pending_deletion_is_compacted_before_tiles_are_verified(stage: Stage) -> None:
    data_set_id = compacted(stage)
    stage.delete(data_set_id)
    assert stage.run(verify_tiles, userId=ANNA_ID) == {"userId": ANNA_ID, "users": 1, "tiles": 0, "wrong": []}


def test_tiles_are_not_replaced_when_archived_entries_are_missing(stage: Stage) -> None:
    data_set_id = compacted(stage)
    stage.now_ms += 3_600_000
    for request in list(stage.fakes.sweep_requests.older_than(stage.now_ms)):
        stage.fakes.sweep_requests.sweep(request)
    assert stage.entry_numbers == []
    right = stage.visible()
    stage.fakes.archive.remove_entries(stage.data_sets.owner(ANNA_ID), data_set_id, [2])
    for function in (verify_tiles, rebuild_tiles):
        with pytest.raises(TaskFailedError, match="are missing"):
            stage.run(function, userId=ANNA_ID)
    assert stage.visible() == right


def test_replaced_tiles_stay_while_a_reader_may_need_them(stage: Stage) -> None:
    data_set = stage.open("dataset.delete.origin")
    for value in (1, 2):
        stage.add(data_set, cbg(value, 0, "replaced"))
        compact(ANNA_ID, stage.fakes.services.tiles, lambda: None)
    assert stage.run(purge)["swept"] == 0
    stage.now_ms += WAIT_MS
    assert stage.run(purge)["swept"] == 3  # a tile and two entries


def test_a_rebuild_needs_a_user(stage: Stage) -> None:
    with pytest.raises(TaskFailedError, match=r"data\.userId is missing"):
        stage.run(rebuild_tiles)
