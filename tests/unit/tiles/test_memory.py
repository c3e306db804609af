"""Tests that checking and rebuilding take no more memory for a long log than for a short one."""

import tracemalloc
from collections.abc import Callable

import pytest

from chalicelib.log.stores import record_log
from chalicelib.tiles import fold_into_tiles, tail_steps
from chalicelib.tiles.verify import check_tiles
from tests.fakes.compaction_scene import ANNA_ID, CompactionScene
from tests.fakes.data_scene import cbg

DAYS, TIMES = 8, 4
RECORDS_A_DAY = 100
SLACK = 1.4
"""The manifest and the keys of tiles grow with the days, at some hundred bytes a tile."""


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps and groups that are small beside the whole log."""
    monkeypatch.setattr(tail_steps, "STEP_BYTES", 10_000)
    monkeypatch.setattr(record_log, "READ_AHEAD_BYTES", 10_000)
    monkeypatch.setattr(fold_into_tiles, "READ_AT_ONCE_BYTES", 10_000)


def scene_of(days: int) -> CompactionScene:
    """Days of readings in tiles, the log swept: each reading has a note of its own, which hardly deflates."""
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin")
    for day in range(days):
        for start in range(0, RECORDS_A_DAY, 25):
            numbers = range(day * RECORDS_A_DAY + start, day * RECORDS_A_DAY + start + 25)
            time = f"2026-01-{1 + day % 28:02d}T00:00:00Z" if day < 28 else f"2026-02-{day - 27:02d}T00:00:00Z"
            scene.add(
                data_set, *(cbg(5, origin=f"{number * 0x9E3779B97F4A7C15:x}" * 4, time=time) for number in numbers)
            )
    scene.compact()
    scene.sweep()
    assert len(list(scene.manifest.tile_refs())) == days
    return scene


def peak_bytes(act: Callable[[], object]) -> int:
    """The most memory that Python objects take while a function runs, beyond what they took before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        act()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def check(scene: CompactionScene) -> None:
    checked = check_tiles(ANNA_ID, scene.ports())
    assert (checked.wrong, checked.is_behind) == ((), False)


def check_a_sample(scene: CompactionScene) -> None:
    checked = check_tiles(ANNA_ID, scene.ports(), at_most=1)
    assert (checked.tiles, checked.wrong, checked.is_behind) == (1, (), False)


def rebuild(scene: CompactionScene) -> None:
    assert scene.rebuild().entries > 0


@pytest.mark.parametrize("act", [check, check_a_sample, rebuild])
def test_memory_does_not_grow_with_the_log(act: Callable[[CompactionScene], None]) -> None:
    short, long = scene_of(DAYS), scene_of(TIMES * DAYS)
    act(scene_of(1))  # what is imported and compiled late counts for nobody
    of_short, of_long = peak_bytes(lambda: act(short)), peak_bytes(lambda: act(long))
    assert of_long < SLACK * of_short
