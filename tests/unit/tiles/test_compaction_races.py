"""Tests compaction and reading that are interrupted, or meet another process, at each of their calls in turn."""

import copy
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.reading.query import DataQuery
from chalicelib.tiles import tail_steps
from chalicelib.tiles.compact import LEASE_MS, compact, rebuild
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.purge import WAIT_MS
from tests.fakes.compaction_scene import ANNA_ID, CompactionScene, on
from tests.fakes.data_scene import ANNA, cbg, food
from tests.fakes.engine import go_on
from tests.fakes.processes import DiedError, Process, watched

Work = Callable[[str, TilePorts, Callable[[], None]], object]
MOST_CALLS = 80


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compact about two entries in each step, and write one item with each call, so that a batch may be cut short."""
    monkeypatch.setattr(tail_steps, "STEP_BYTES", 700)
    monkeypatch.setattr("chalicelib.engine.embedded.sqlite.MAX_BATCH_WRITES", 1)


class Scene(CompactionScene):
    """Records of each kind: in tiles, in the tail, moved, deleted, shadowed and truncated."""

    def __init__(self) -> None:
        super().__init__()
        self.phone = self.open("dataset.delete.origin")
        self.meter = self.open("device.deactivate.hash", "normal", deviceId="meter")
        self.again = self.open("device.deactivate.hash", "normal", deviceId="meter")
        self.pump = self.open("device.truncate.dataset", "normal", deviceId="pump")
        for upload in (self.meter, self.again):
            self.add(upload, cbg(1, deviceId="meter"))
        self.add(self.phone, on(0, 2, "moves"), on(1, 3, "stays"), on(2, 4, "goes"), on(2, 8, deviceId="pump"))
        self.close(self.meter)
        super().compact()
        self.add(self.phone, on(3, 5, "moves"))
        self.delete_data(self.phone, {"origin": {"id": "goes"}})
        self.add(self.pump, on(1, 6))
        self.close(self.again)
        self.close(self.pump)
        self.add(self.phone, on(4, 7))
        self.app = self.open("dataset.delete.origin.older")
        self.add(self.app, food("first", "meal", "02:00", deviceId="pump"))
        self.other_pump = self.open("device.truncate.dataset", "normal", deviceId="pump")

    def truncate_and_add(self) -> None:
        """Add an older meal after the newer one was truncated, so that it is visible."""
        self.close(self.other_pump)
        self.add(self.app, food("second", "meal", "01:00", deviceId="pump"))

    def add_and_truncate(self) -> None:
        """Add an older meal before the newer one is truncated, so that it is not visible."""
        self.add(self.app, food("second", "meal", "01:00", deviceId="meter"))
        self.close(self.other_pump)

    def seen(self) -> list[Any]:
        """The value, or else the name, of each visible record."""
        return [record.get("value") or record["name"] for record in self.read(ANNA) if record["type"] != "upload"]

    def run(self, work: Work, process: Process) -> None:
        """Run the work until it ends, dies or conflicts with another."""
        with watched(self.fakes.calls, process.before), suppress(DiedError, WriteConflictError):
            work(ANNA_ID, self.ports(), lambda: None)

    def uncounted(self, act: Callable[[], object]) -> Callable[[], None]:
        """The act, carried out without counting its calls."""

        def happen() -> None:
            with watched(self.fakes.calls, go_on):
                act()

        return happen

    def state(self) -> bytes:
        """A digest of all that is stored, with the time and the ids to come: what comes next depends on that alone."""
        digest = hashlib.sha256(f"{self.now_ms} {self.fakes.ids_made}".encode())
        with self.fakes.engine.database.reading() as connection:
            for columns in (
                "table_name, pk, sk, body FROM items",
                "queue, body FROM messages",
                "key, md5 FROM objects",
            ):
                digest.update(repr(connection.execute(f"SELECT {columns} ORDER BY 1, 2").fetchall()).encode())
        return digest.digest()

    def settle(self) -> None:
        """Complete interrupted work by a compaction, a sweep and a rebuild, and fail if anything obsolete is left."""
        visible = self.read()
        self.now_ms += LEASE_MS
        self.compact()
        assert self.read() == visible
        self.sweep()
        assert self.read() == visible
        assert self.stored_tiles == {(ref.version, ref.key) for ref in self.manifest.tile_refs()}
        compacted = self.contents()
        self.rebuild()
        assert self.contents() == compacted
        assert self.read() == visible


VISIBLE = [1, 3, 6, 5, 7, "first"]


@cache
def _template() -> Scene:
    return Scene()


def new_scene() -> Scene:
    """A scene of its own, copied from one that is made once: making one takes longer than most that is done with it."""
    template = _template()
    scene = copy.copy(template)
    CompactionScene.__init__(scene)
    scene.take_over(template)
    return scene


def calls_of(work: Work) -> int:
    """The number of calls of the work when nothing interrupts it."""
    process = Process()
    new_scene().run(work, process)
    assert 20 < process.calls < MOST_CALLS
    return process.calls


def is_new(scene: Scene, states: set[bytes]) -> bool:
    """Whether a scene is in none of these states; its state is added. A state is settled once: it would settle in the
    same way again, and calls that only read leave the same state."""
    state, before = scene.state(), len(states)
    states.add(state)
    return len(states) > before


WORKS = {"compact": compact, "rebuild": rebuild}


def test_the_scene_shows_its_visible_records() -> None:
    scene = new_scene()
    assert scene.seen() == VISIBLE
    scene.settle()
    assert scene.seen() == VISIBLE


@pytest.mark.parametrize("name", WORKS)
def test_compaction_may_be_interrupted_at_any_call(name: str) -> None:
    left: set[bytes] = set()
    for call in range(calls_of(WORKS[name]) + 1):
        scene = new_scene()
        scene.run(WORKS[name], Process(dies_after=call))
        assert scene.seen() == VISIBLE, call
        if is_new(scene, left):
            scene.settle()
            assert scene.seen() == VISIBLE, call
    assert len(left) > 10


@pytest.mark.parametrize("name", WORKS)
def test_another_worker_may_take_over_at_any_call_after_the_lease(name: str) -> None:
    for other in (compact, rebuild):
        left: set[bytes] = set()
        for call in range(calls_of(WORKS[name]) + 1):
            scene = new_scene()

            def take_over(scene: Scene = scene, other: Work = other) -> None:
                scene.now_ms += LEASE_MS
                other(ANNA_ID, scene.ports(), lambda: None)

            scene.run(WORKS[name], Process(meets_after=call, meeting=scene.uncounted(take_over)))
            assert scene.seen() == VISIBLE, call
            if is_new(scene, left):
                scene.settle()
                assert scene.seen() == VISIBLE, call
        assert len(left) > 2


def test_another_worker_waits_while_the_lease_is_held() -> None:
    scene, held = new_scene(), []
    meeting = scene.uncounted(lambda: held.append(compact(ANNA_ID, scene.ports(), lambda: None).is_held))
    scene.run(compact, Process(meets_after=5, meeting=meeting))
    assert held == [True]


CHANGES: dict[str, Callable[[Scene], object]] = {
    "add": lambda scene: scene.add(scene.phone, on(9, 9, "stays")),
    "delete by origin": lambda scene: scene.delete_data(scene.phone, {"origin": {"id": "stays"}}),
    "delete by id": lambda scene: scene.delete_data(scene.phone, {"id": scene.read()[1]["id"]}),
    "delete": lambda scene: scene.delete(scene.phone),
    "delete the shadowing upload": lambda scene: scene.delete(scene.again),
    "close": lambda scene: scene.close(scene.phone),
    "truncate and add": lambda scene: scene.truncate_and_add(),
    "add and truncate": lambda scene: scene.add_and_truncate(),
    "erase": lambda scene: scene.erase(),
}


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("change", CHANGES)
def test_data_may_change_at_any_call_of_a_compaction(name: str, change: str) -> None:
    without_work = new_scene()
    CHANGES[change](without_work)
    expected = without_work.seen()
    left: set[bytes] = set()
    for call in range(calls_of(WORKS[name])):
        scene = new_scene()
        meeting = scene.uncounted(partial(CHANGES[change], scene))
        scene.run(WORKS[name], Process(meets_after=call, meeting=meeting))
        assert scene.seen() == expected, call
        if is_new(scene, left):
            scene.settle()
            assert scene.seen() == expected, call
    assert len(left) > 2


class TestRule1:
    """A reader with a manifest can finish its read, whatever other processes do."""

    def read(self, scene: Scene, process: Process, asked: DataQuery) -> list[Any]:
        with watched(scene.fakes.calls, process.before):
            records = scene.answer(asked)
        return [record.get("value") for record in json.loads(records.plain())]

    @pytest.mark.parametrize("work", WORKS.values(), ids=WORKS.keys())
    @pytest.mark.parametrize("asked", [DataQuery(types=("cbg",)), DataQuery(types=("cbg",), is_latest=True)])
    def test_a_reader_finishes_while_others_compact(self, work: Work, asked: DataQuery) -> None:
        for call in range(8):
            scene = new_scene()
            expected = self.read(scene, Process(), asked)
            meeting = partial(scene.run, work, Process())
            assert self.read(scene, Process(meets_after=call, meeting=meeting), asked) == expected, call

    @pytest.mark.parametrize("asked", [DataQuery(types=("cbg",)), DataQuery(types=("cbg",), is_latest=True)])
    @pytest.mark.parametrize("calls_before", [1, 2, 3])
    def test_a_reader_whose_tiles_were_swept_starts_again(self, calls_before: int, asked: DataQuery) -> None:
        """Tiles are read without waiting for data sets and tail, so a sweep may come between any two of these."""
        scene = new_scene()

        def compact_and_sweep() -> None:
            scene.compact()
            scene.now_ms += WAIT_MS
            scene.sweep()

        process = Process(meets_after=calls_before, meeting=compact_and_sweep)
        expected = VISIBLE[4:5] if asked.is_latest else VISIBLE[:-1]
        assert self.read(scene, process, asked) == expected
        assert process.calls > 6, "it did not start again"
