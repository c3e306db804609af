"""Tests that the verification of tiles finds every kind of damage."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.engine.table import Item, Table
from chalicelib.glucose.tile_sums import WITHOUT_DAY, TileSums, encode_tile_sums
from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import Entry
from chalicelib.tiles import verify
from chalicelib.tiles.compact import compact
from chalicelib.tiles.fold_of_tiles import FoldedTiles, fold_of_tiles
from chalicelib.tiles.tile import TileKey, origin_key
from chalicelib.tiles.verify import check_tiles
from tests.fakes.data_scene import ANNA, DataScene, cbg

ANNA_ID = str(ANNA.user_id)
DAY = 20_454
"""2026-01-01."""


class Scene(DataScene):
    """Three days of Anna's in tiles."""

    def __init__(self) -> None:
        super().__init__()
        data_set_id = self.open("dataset.delete.origin")
        for day in range(3):
            self.add(data_set_id, cbg(5 + day, origin=str(day), time=f"2026-01-0{1 + day}T00:00:00Z"))
        self.ports = replace(self.fakes.services.tiles, now_ms=self.tick)
        assert compact(ANNA_ID, self.ports, lambda: None).tiles == 3

    @property
    def table(self) -> Table:
        """The table of the tiles."""
        return self.fakes.engine.data

    @property
    def stored_tiles(self) -> list[Item]:
        """The items of all tiles, by day."""
        return [item for item in self.fakes.items(DATA, partition="TILE#") if not item["sk"].endswith("#S")]

    @property
    def stored_sums(self) -> list[Item]:
        """The items of all hour sums, by day."""
        return [item for item in self.fakes.items(DATA, partition="TILE#") if item["sk"].endswith("#S")]

    def wrong_days(self) -> list[int]:
        """The days of the tiles that a check finds wrong."""
        checked = check_tiles(ANNA_ID, self.ports)
        assert not checked.is_behind
        return [key.day for key in checked.wrong]


@pytest.fixture
def scene() -> Scene:
    """Tiles as they should be."""
    return Scene()


def test_right_tiles_are_right(scene: Scene) -> None:
    assert scene.wrong_days() == []


def test_a_tile_that_is_not_there_is_wrong_and_the_others_are_compared(scene: Scene) -> None:
    first, second, _ = scene.stored_tiles
    scene.table.delete({"pk": first["pk"], "sk": first["sk"]})
    scene.table.put(second | {"body": second["body"][:-1] + b"?"})
    assert scene.wrong_days() == [DAY, DAY + 1]


def test_a_tile_that_cannot_be_read_is_wrong(scene: Scene) -> None:
    *_, last = scene.stored_tiles
    scene.table.put(last | {"body": b"?" * len(last["body"])})
    assert scene.wrong_days() == [DAY + 2]


def test_hour_sums_that_differ_or_cannot_be_read_make_their_tile_wrong(scene: Scene) -> None:
    first, second, third = scene.stored_sums
    scene.table.put(first | {"body": second["body"]})
    scene.table.put(second | {"body": second["body"][:20]})
    scene.table.put(third | {"body": b"?" * len(third["body"])})
    assert scene.wrong_days() == [DAY, DAY + 1, DAY + 2]


def test_hour_sums_that_say_another_time_of_storing_make_their_tile_wrong(scene: Scene) -> None:
    first, *_ = scene.stored_sums
    sums = TileSums(first["body"])
    later = {entry: time_ms + 1 for entry, time_ms in sums.stored_times.items()}
    scene.table.put(first | {"body": encode_tile_sums(sums.hours, [origin_key("0")], later)})
    assert scene.wrong_days() == [DAY]


def test_hour_sums_of_an_earlier_version_are_right(scene: Scene) -> None:
    first, *_ = scene.stored_sums
    sums = TileSums(first["body"])
    earlier = encode_tile_sums(sums.hours, [origin_key("0")], sums.stored_times, version=WITHOUT_DAY)
    assert len(earlier) < len(first["body"])
    scene.table.put(first | {"body": earlier})
    assert scene.wrong_days() == []


def test_hour_sums_may_be_missing(scene: Scene) -> None:
    for item in scene.stored_sums:
        scene.table.delete({"pk": item["pk"], "sk": item["sk"]})
    assert scene.wrong_days() == []


def test_tiles_that_were_replaced_meanwhile_are_not_wrong(scene: Scene) -> None:
    """The check took so long that what it set out to compare is swept."""
    before = scene.stored_tiles
    read = scene.log.each_entry

    def replaced(*arguments: object) -> object:
        scene.log.each_entry = read  # type: ignore[method-assign]  # once
        (data_set,) = scene.listed()
        scene.add(
            data_set["uploadId"], *(cbg(9, origin=str(day), time=f"2026-01-0{1 + day}T00:00:00Z") for day in range(3))
        )
        assert compact(ANNA_ID, scene.ports, lambda: None).tiles == 3
        for item in before:
            scene.table.delete({"pk": item["pk"], "sk": item["sk"]})
        return read(*arguments)  # type: ignore[arg-type]

    scene.log.each_entry = replaced  # type: ignore[method-assign,assignment]
    assert check_tiles(ANNA_ID, scene.ports).is_behind
    assert scene.wrong_days() == []


def test_what_waits_for_compaction_is_not_read_whole(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year may wait. Its entries are passed by one at a time, and not at all while no entry is in tiles."""
    (data_set,) = scene.listed()
    scene.add(data_set["uploadId"], cbg(9, origin="waits", time="2026-01-09T00:00:00Z"))
    read: list[int] = []

    def watched(
        entries: Callable[[], Iterator[Entry]], data_sets: Sequence[DataSet], wanted: Collection[TileKey]
    ) -> FoldedTiles:
        read.extend(entry.number for entry in entries())
        return fold_of_tiles(entries, data_sets, wanted)

    monkeypatch.setattr(verify, "fold_of_tiles", watched)
    owner = scene.ports.data.data_sets.owner(ANNA_ID)
    scene.ports.archive.put(owner, [entry for entry in scene.log.entries(owner, []) if entry.number == 4])
    assert scene.wrong_days() == [], "an interrupted compaction may have archived it"
    assert read == [1, 2, 3]
    scene.erase()
    scene.add(scene.open("dataset.delete.origin"), cbg(9))
    monkeypatch.setattr(scene.log, "each_entry", None)
    assert scene.wrong_days() == []
