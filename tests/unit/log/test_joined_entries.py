"""Tests which entries are joined, and that a fold of joined entries gives what a fold of each of them gives."""

from collections.abc import Sequence
from functools import cached_property

import pytest

from chalicelib.log.entry import Entry
from chalicelib.log.fold import VisibleData, visible
from chalicelib.log.joined_entries import JoinedEntries, join_entries
from chalicelib.log.outline import decode_outline
from chalicelib.log.records import Records
from tests.fakes.compaction_scene import ANNA_ID, CompactionScene, on
from tests.fakes.data_scene import food

PHONE, PUMP = "c" * 32, "d" * 32
COLUMNS = [name for name, member in vars(Records).items() if isinstance(member, cached_property) and name[0] != "_"]


@pytest.fixture
def scene() -> CompactionScene:
    scene = CompactionScene()
    scene.open("dataset.delete.origin", id=PHONE)
    return scene


def joined(scene: CompactionScene) -> list[int]:
    """The number of entries that each entry of a fold was joined of; the result of the fold is checked."""
    owner = scene.data_sets.owner(ANNA_ID)
    data_sets = scene.data_sets.of_owner(owner)
    entries = scene.log.continuous_entries(owner, {})
    outlines = [None if entry.outline is None else decode_outline(entry.outline) for entry in entries]
    found = join_entries(entries, outlines, data_sets)
    assert _rows(visible(found, data_sets)) == _rows(visible(entries, data_sets))
    return [_count(entry) for entry in found]


def _rows(folded: Sequence[VisibleData]) -> list[tuple[object, ...]]:
    """The columns and the text of each visible record."""
    slices = [part for data in folded for part in data.slices]
    return [tuple(getattr(part.records, name)[row] for name in COLUMNS) for part in slices for row in part.rows]


def _count(entry: Entry) -> int:
    return len({address.number for address in entry.records.addresses}) if isinstance(entry, JoinedEntries) else 1


def test_the_readings_of_a_day_are_joined(scene: CompactionScene) -> None:
    for number in range(4):
        scene.add(PHONE, on(0, 5, f"{number}"))
    assert joined(scene) == [4]


def test_entries_of_several_types_and_records_are_joined(scene: CompactionScene) -> None:
    scene.add(PHONE, on(0, 5, "1"), on(0, 6, None) | {"deviceId": "pump", "payload": {"a": "b"}})
    scene.add(PHONE, food("bread", "2", "12:00") | {"time": on(0, 5)["time"]})
    scene.add(PHONE, on(0, 7, "3") | {"deviceId": "meter"})
    assert joined(scene) == [3]


def test_entries_of_another_day_are_not_joined(scene: CompactionScene) -> None:
    for day in (0, 0, 1, 0, 0):
        scene.add(PHONE, on(day, 5))
    assert joined(scene) == [2, 1, 2]


def test_an_entry_that_replaces_a_record_is_not_joined_with_that_record(scene: CompactionScene) -> None:
    for origin in ("1", "2", "1", "3", "2"):
        scene.add(PHONE, on(0, 5, origin))
    assert joined(scene) == [2, 3]


def test_a_deletion_stands_between(scene: CompactionScene) -> None:
    for origin in ("1", "2"):
        scene.add(PHONE, on(0, 5, origin))
    scene.delete_data(PHONE, {"origin": {"id": "1"}})
    for origin in ("3", "4"):
        scene.add(PHONE, on(0, 6, origin))
    assert joined(scene) == [2, 1, 2]


def test_a_truncation_stands_between(scene: CompactionScene) -> None:
    for origin in ("1", "2"):
        scene.add(PHONE, on(0, 5, origin) | {"deviceId": "pump"})
    upload = scene.open("device.truncate.dataset", "normal", deviceId="pump", deviceManufacturers=["x"])
    scene.close(upload)
    for origin in ("3", "4"):
        scene.add(PHONE, on(0, 6, origin) | {"deviceId": "pump"})
    assert joined(scene) == [2, 2]
    assert scene.visible() == [6, 6]


def test_data_sets_are_not_joined(scene: CompactionScene) -> None:
    scene.open("none", id=PUMP)
    for data_set_id in (PHONE, PUMP):
        for origin in ("1", "2"):
            scene.add(data_set_id, on(0, 5, origin))
    assert joined(scene) == [2, 2]


@pytest.mark.parametrize("deduplicator", ["dataset.delete.origin.older", "dataset.drop.hash"])
def test_no_entry_is_joined_whose_records_depend_on_earlier_ones(scene: CompactionScene, deduplicator: str) -> None:
    scene.open(deduplicator, id=PUMP)
    for value in (5, 6):
        scene.add(PUMP, on(0, value, str(value)) | {"deviceId": "pump"})
    assert joined(scene) == [1, 1]
