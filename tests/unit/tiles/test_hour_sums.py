"""Tests that tiles of before there were hour sums get theirs from the next compaction that writes glucose."""

from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.glucose.reading import GLUCOSE_TYPES
from chalicelib.tiles.compact import compact
from chalicelib.tiles.hour_sums import FILLED_DAYS
from chalicelib.tiles.tile import TileKey
from chalicelib.tiles.verify import check_tiles
from tests.fakes.compaction_scene import ANNA_ID, FIRST_DAY, on
from tests.fakes.data_scene import cbg
from tests.fakes.glucose_scene import GlucoseScene

DAYS = range(-5, 6)


class Scene(GlucoseScene):
    """Readings of some days in tiles without sums, as if an earlier version had written them."""

    def __init__(self) -> None:
        super().__init__()
        self.data_set_id = self.open("none")
        self.add(self.data_set_id, *(on(day) for day in DAYS), smbg(DAYS[0]), {"type": "food", **at(DAYS[0])})
        self.compact()
        self.lose_hour_sums()

    @property
    def glucose_tiles(self) -> set[tuple[int, TileKey]]:
        """Version and key of the live tiles of glucose."""
        return {(ref.version, ref.key) for ref in self.manifest.tile_refs() if ref.key.type in GLUCOSE_TYPES}

    @property
    def live_sums(self) -> set[tuple[int, TileKey]]:
        """Version and key of the live tiles that have sums."""
        return self.stored_hour_sums & self.glucose_tiles


def at(day: int) -> dict[str, Any]:
    """The time and device of a record of a day."""
    return {member: on(day)[member] for member in ("time", "deviceId") if member in on(day)}


def smbg(day: int) -> dict[str, Any]:
    """A meter's reading of a day."""
    return on(day) | {"type": "smbg"}


@pytest.fixture
def scene() -> Scene:
    """Tiles without sums."""
    return Scene()


@pytest.mark.parametrize("day", [DAYS[0], DAYS[-1], DAYS[-1] + 1], ids=["an old day", "the newest day", "a new day"])
def test_the_next_compaction_of_glucose_fills_what_is_missing(scene: Scene, day: int) -> None:
    scene.add(scene.data_set_id, on(day, 6))
    before = {name: scene.body(name)["periods"] for name in ("cgm", "bgm")}  # type: ignore[index]  # there is data
    scene.compact()
    assert scene.live_sums == scene.glucose_tiles
    assert {name: scene.body(name)["periods"] for name in ("cgm", "bgm")} == before  # type: ignore[index]
    assert check_tiles(ANNA_ID, scene.ports()).wrong == ()


def test_a_compaction_without_glucose_fills_nothing(scene: Scene) -> None:
    scene.add(scene.data_set_id, {"type": "food", **at(DAYS[-1])})
    scene.compact()
    assert scene.live_sums == set()


def test_only_the_newest_days_of_each_type_are_filled() -> None:
    scene = GlucoseScene()
    data_set_id = scene.open("none")
    days = [f"2025-{month:02d}-{day:02d}T12:00:00Z" for month in (9, 10, 11) for day in range(1, 28)]
    scene.add(data_set_id, *(cbg(5, time=time) for time in days))
    scene.compact()
    scene.lose_hour_sums()
    scene.add(data_set_id, cbg(6, time="2025-12-01T12:00:00Z"))
    scene.compact()
    newest = sorted(key.day for _, key in scene.stored_hour_sums)
    assert len(days) > len(newest) == FILLED_DAYS + 1
    assert newest == sorted(ref.key.day for ref in scene.manifest.tile_refs())[-FILLED_DAYS - 1 :]


def test_a_lost_tile_does_not_keep_the_others_from_being_compacted(scene: Scene) -> None:
    lost = next(item for item in scene.fakes.items(DATA, partition="TILE#") if f"#cbg#{FIRST_DAY}" in item["sk"])
    scene.fakes.engine.data.delete({"pk": lost["pk"], "sk": lost["sk"]})
    scene.add(scene.data_set_id, on(DAYS[-1], 6))
    assert compact(ANNA_ID, scene.fakes.services.tiles, lambda: None).tiles == 1
    assert check_tiles(ANNA_ID, scene.ports()).wrong == (TileKey("cbg", FIRST_DAY),)
