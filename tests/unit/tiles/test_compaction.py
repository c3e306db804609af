"""Tests of compaction: the records it puts into tiles, its reads and writes, and its interruption.

Source: docs/architecture.md, "The read model".
"""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from chalicelib.engine.definitions import DATA
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.ports import FROM_THE_FIRST
from chalicelib.tiles import fold_into_tiles as compaction_pass
from chalicelib.tiles import tail_steps
from chalicelib.tiles.compact import CompactionResult, compact
from chalicelib.tiles.manifest import encode_manifest
from chalicelib.tiles.tile import TileKey
from tests.fakes.compaction_scene import ANNA_ID, FIRST_DAY, CompactionScene, on
from tests.fakes.data_scene import cbg, food

OLDER = "dataset.delete.origin.older"
BOLUS = {"type": "bolus", "subType": "normal", "normal": 1, "time": "2026-01-01T00:02:00Z"}


@pytest.fixture
def scene() -> CompactionScene:
    return CompactionScene()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compact each entry in a step of its own."""
    monkeypatch.setattr(tail_steps, "STEP_BYTES", 1)


class DiedError(BaseException):
    """The process died."""


class TestEffectsOfEntries:
    """Effects of entries on records in tiles, whichever tile holds them."""

    def test_a_record_that_moves_to_another_day_leaves_the_old_tile(self, scene: CompactionScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, on(0, 1, "moves"), on(0, 2, "stays"))
        scene.compact()
        scene.add(data_set, on(3, 3, "moves"))
        assert scene.visible() == [2, 3]
        scene.compact()
        assert scene.visible() == [2, 3]
        scene.add(data_set, food("bread", "stays", None))
        assert scene.visible("type") == ["cbg", "food"]
        scene.compact()
        assert scene.visible("type") == ["cbg", "food"]
        assert scene.manifest.tile(TileKey("cbg", FIRST_DAY)) is None

    def test_rule_7_an_older_record_is_recognized_by_a_record_of_another_day(self, scene: CompactionScene) -> None:
        data_set = scene.open(OLDER)
        scene.add(data_set, food("new", "meal", "02:00"))
        scene.compact()
        late = food("old", "meal", "01:00") | {"time": "2026-01-09T12:00:00Z"}
        scene.add(data_set, late)
        assert scene.visible("name") == ["new"]
        assert scene.visible("name", startDate="2026-01-09T00:00:00Z") == []
        scene.compact()
        assert scene.visible("name") == ["new"]

    @pytest.mark.parametrize("selector", ["id", "origin", "hash"])
    def test_selectors_delete_records_in_tiles(self, scene: CompactionScene, selector: str) -> None:
        data_set = scene.open("dataset.drop.hash")
        scene.add(data_set, on(0, 1, "1"), on(1, 2, "2"))
        scene.compact()
        record = scene.read()[0]
        scene.delete_data(
            data_set,
            {
                "id": {"id": record["id"]},
                "origin": {"origin": {"id": "1"}},
                "hash": {"deduplicator": record["_deduplicator"]},
            }[selector],
        )
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_records_shadowed_by_a_closed_upload_return_when_it_is_deleted(self, scene: CompactionScene) -> None:
        uploads = [scene.open("device.deactivate.hash", "normal", deviceId="meter") for _ in range(2)]
        for upload in uploads:
            scene.add(upload, cbg(1, deviceId="meter"))
            scene.close(upload)
            scene.compact()
            scene.sweep()
        assert scene.visible("uploadId") == [uploads[1]]
        assert scene.content().shadowed
        scene.delete(uploads[1])
        assert scene.visible("uploadId") == [uploads[0]]
        scene.compact()
        assert scene.visible("uploadId") == [uploads[0]]
        assert not scene.content().shadowed

    def test_rule_4_records_added_after_a_deletion_stay(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1), on(1, 2))
        scene.compact()
        scene.delete(data_set)
        scene.add(data_set, cbg(3))
        assert scene.visible() == [3]
        scene.compact()
        assert scene.visible() == [3]
        assert [place.key.day for place in scene.manifest.tile_refs()] == [FIRST_DAY]

    def test_rule_4_an_erased_user_starts_without_tiles(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), cbg(1))
        scene.compact()
        scene.erase()
        assert scene.read() == []
        scene.add(scene.open("none"), cbg(2))
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_rule_5_of_records_with_equal_hashes_the_one_closed_last_is_visible(self, scene: CompactionScene) -> None:
        first, second = (scene.open("device.deactivate.hash", "normal", deviceId="meter") for _ in range(2))
        for upload in (first, second):
            scene.add(upload, cbg(1, deviceId="meter"))
        for upload in (second, first):
            scene.close(upload)
        scene.compact()
        assert scene.visible("uploadId") == [first]

    def test_rule_8_data_sets_and_open_uploads_are_never_in_tiles(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none", "normal"), cbg(1))
        assert scene.compact() == CompactionResult()
        assert list(scene.manifest.tile_refs()) == []
        assert scene.manifest.logs == {}

    def test_truncation_removes_earlier_records_of_its_device(self, scene: CompactionScene) -> None:
        phone = scene.open("none")
        scene.add(phone, cbg(1, deviceId="pump"), cbg(2, deviceId="meter"))
        scene.compact()
        pump = scene.open("device.truncate.dataset", "normal", deviceId="pump")
        scene.close(pump)
        scene.add(phone, cbg(3, deviceId="pump"))
        assert scene.visible() == [2, 3]
        scene.compact()
        assert scene.visible() == [2, 3]
        scene.add(phone, cbg(4))
        assert scene.visible() == [2, 3, 4], "records added after the truncation stay when more are added"
        scene.compact()
        assert scene.visible() == [2, 3, 4]

    def test_a_record_truncated_later_still_replaced_records_before(self, scene: CompactionScene) -> None:
        """A record in tiles drops an equal one of the tail, since both were stored before it was truncated."""
        phone = scene.open("dataset.drop.hash")
        scene.add(phone, cbg(1, deviceId="pump"))
        scene.compact()
        scene.add(phone, cbg(1, deviceId="meter"), cbg(2, deviceId="meter"))
        pump = scene.open("device.truncate.dataset", "normal", deviceId="pump")
        scene.close(pump)
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_an_older_record_stays_out_while_other_tiles_are_folded(
        self, scene: CompactionScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An entry is folded with the tiles that it is compared with, even if it changes none of them."""
        monkeypatch.setattr(compaction_pass, "READ_AT_ONCE_BYTES", 1)
        data_set = scene.open(OLDER)
        scene.add(data_set, food("new", "meal", "02:00"), on(3, 3, "reading"), on(4, 4))
        scene.compact()
        record = scene.read()[0]
        late = food("old", "meal", "01:00") | {"time": "2026-01-04T12:00:00Z"}
        # Of an older meal all records go, and nothing that it would have replaced.
        scene.add(data_set, late, on(5, 5, "reading"))
        scene.delete_data(data_set, {"id": record["id"]})
        before = scene.answer().plain()
        scene.compact()
        assert scene.answer().plain() == before


@pytest.mark.usefixtures("one_by_one")
class TestCompactionInSteps:
    """Compaction of logs that are too long for one step."""

    @pytest.mark.parametrize("kind", ["continuous", "normal"])
    def test_a_later_entry_replaces_records_of_an_earlier_step(self, scene: CompactionScene, kind: str) -> None:
        data_set = scene.open("dataset.delete.origin", kind)
        scene.add(data_set, on(0, 1, "moves"))
        scene.add(data_set, on(1, 2, "moves"))
        scene.close(data_set)
        assert scene.visible() == [2]
        assert scene.compact() == CompactionResult(entries=2, tiles=3, steps=2)
        assert scene.visible() == [2]

    @pytest.mark.parametrize("kind", ["continuous", "normal"])
    def test_a_later_entry_deletes_records_of_an_earlier_step(self, scene: CompactionScene, kind: str) -> None:
        data_set = scene.open("none", kind)
        scene.add(data_set, on(0, 1) | {"id": "a" * 32}, on(1, 2))
        scene.delete_data(data_set, {"id": "a" * 32})
        scene.close(data_set)
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_the_rest_of_a_partly_compacted_upload_is_in_the_tail(self, scene: CompactionScene) -> None:
        data_set = scene.open("dataset.delete.origin", "normal")
        scene.add(data_set, on(0, 1, "moves"))
        scene.add(data_set, on(1, 2, "moves"))
        scene.close(data_set)
        steps = iter([None])

        def die_at_the_second() -> None:
            if next(steps, "over") == "over":
                raise DiedError

        with pytest.raises(DiedError):
            scene.compact(die_at_the_second)
        assert scene.manifest.position(data_set) == 1
        assert not scene.manifest.has_whole_log(data_set)
        assert scene.visible() == [2]

    def test_a_truncation_takes_effect_after_the_entries_before_it(self, scene: CompactionScene) -> None:
        phone = scene.open("dataset.drop.hash")
        scene.add(phone, cbg(1, deviceId="pump"))
        scene.add(phone, cbg(1, deviceId="meter"))
        scene.close(scene.open("device.truncate.dataset", "normal", deviceId="pump"))
        assert scene.visible() == []
        scene.compact()
        assert scene.visible() == []
        scene.sweep()
        scene.rebuild()
        assert scene.visible() == []

    def test_each_step_is_visible_once_it_is_committed(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        for value in (1, 2, 3):
            scene.add(data_set, cbg(value))
        seen: list[tuple[int, list[float]]] = []
        scene.compact(lambda: seen.append((scene.manifest.position(data_set), scene.visible())))
        assert seen == [(0, [1, 2, 3]), (1, [1, 2, 3]), (2, [1, 2, 3])]
        assert scene.manifest.position(data_set) == 3


class Asked:
    """Records the ids of the uploads that are read from a log."""

    def __init__(self, scene: CompactionScene) -> None:
        self.normal_ids: list[str] = []
        self._entries, self._each_entry = scene.log.entries, scene.log.each_entry
        scene.log.entries = self.entries  # type: ignore[method-assign]
        scene.log.each_entry = self.each_entry  # type: ignore[method-assign]
        self._normal_entries = scene.log.normal_entries
        scene.log.normal_entries = self.normal_entries  # type: ignore[method-assign]

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        self.normal_ids += normal_ids
        return self._entries(owner, normal_ids, after)

    def normal_entries(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> list[Entry]:
        self.normal_ids += normal_ids
        return self._normal_entries(owner, normal_ids, after)

    def each_entry(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> Iterator[Entry]:
        self.normal_ids += normal_ids
        return self._each_entry(owner, normal_ids, after)


class TestReadsAndWrites:
    def test_a_compacted_upload_is_not_read_again(self, scene: CompactionScene) -> None:
        upload = scene.open("none", "normal")
        scene.add(upload, cbg(1))
        scene.close(upload)
        scene.compact()
        asked = Asked(scene)
        assert scene.visible() == [1]
        assert scene.compact() == CompactionResult()
        assert asked.normal_ids == []

    def test_a_compaction_without_new_entries_writes_nothing(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), cbg(1))
        scene.compact()
        manifest, written = encode_manifest(scene.manifest), scene.fakes.items(DATA, partition="TILE#")
        assert scene.compact() == CompactionResult()
        assert encode_manifest(scene.manifest) == manifest
        assert scene.fakes.items(DATA, partition="TILE#") == written

    def test_unaffected_tiles_keep_their_versions(self, scene: CompactionScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, *(on(day, 5, str(day)) for day in range(6)))
        scene.compact()
        scene.add(data_set, on(1, 6, "4"))
        assert scene.compact() == CompactionResult(entries=1, tiles=2, steps=1)
        versions = {place.key.day - FIRST_DAY: place.version for place in scene.manifest.tile_refs()}
        assert versions == {0: 1, 1: 2, 2: 1, 3: 1, 5: 1}

    def test_tiles_that_a_deletion_empties_are_removed_unread(self, scene: CompactionScene) -> None:
        gone, stays = scene.open("none"), scene.open("none")
        scene.add(gone, *(on(day) for day in range(4)))
        scene.add(stays, on(3, 7))
        scene.compact()
        scene.delete(gone)
        read: list[TileKey] = []
        done = compact(ANNA_ID, scene.ports(), lambda: read.extend(scene.tiles.read))
        assert done.tiles == 4
        assert scene.tiles.read == [TileKey("cbg", FIRST_DAY + 3)]
        assert list(scene.contents()) == [TileKey("cbg", FIRST_DAY + 3)]
        assert scene.visible() == [7]

    def test_rule_6_archive_and_tiles_are_written_before_their_manifest(
        self, scene: CompactionScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chalicelib.engine.embedded.sqlite.MAX_BATCH_WRITES", 1)
        scene.add(scene.open("dataset.delete.origin"), on(0, 1, "1"), on(1, 2, "2"))
        calls: list[str] = []
        scene.fakes.calls.watch = calls.append
        scene.compact()
        tiles_origin_keys_sums_and_newest = ["BatchWriteItem"] * 6
        assert [call for call in calls if not call.startswith(("Get", "BatchGet", "Query"))] == [
            *("TransactWriteItems", "objects.put"),
            *(*tiles_origin_keys_sums_and_newest, "TransactWriteItems", "UpdateItem"),
        ]

    def test_entries_leave_the_log_only_by_a_sweep(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1))
        scene.add(data_set, cbg(2))
        scene.compact()
        assert scene.entry_numbers == [1, 2]
        scene.add(data_set, cbg(3))
        scene.sweep()
        assert scene.entry_numbers == [3]
        assert scene.visible() == [1, 2, 3]

    def test_deleted_entries_are_not_archived(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        for value in (1, 2):
            scene.add(data_set, cbg(value))
        scene.delete(data_set)
        for value in (3, 4):
            scene.add(data_set, cbg(value))
        scene.compact()
        owner = scene.data_sets.owner(ANNA_ID)
        assert [entry.number for entry in scene.archive.entries(owner, data_set)] == [3, 4]
        assert scene.manifest.position(data_set) == 4

    def test_data_of_a_deleted_upload_is_never_read(self, scene: CompactionScene) -> None:
        upload = scene.open("none", "normal")
        scene.add(upload, cbg(1))
        scene.close(upload)
        scene.delete(upload)
        assert scene.compact() == CompactionResult()
        assert scene.fakes.object_keys() == []


class TestRebuild:
    """Tiles can be discarded and rebuilt from archive and logs, byte for byte."""

    def test_rebuilt_tiles_are_the_same(self, scene: CompactionScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, on(0, 1, "1"), on(1, 2, "2"))
        scene.compact()
        scene.sweep()
        scene.add(data_set, on(3, 3, "1"), BOLUS)
        scene.compact()
        contents = scene.contents()
        scene.rebuild()
        assert scene.contents() == contents
        assert {place.version for place in scene.manifest.tile_refs()} == {scene.manifest.version}

    def test_rule_6_an_entry_counts_once_in_log_and_archive(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1))
        scene.compact()
        assert scene.entry_numbers == [1]
        scene.rebuild()
        assert scene.visible() == [1]

    def test_a_rebuild_includes_entries_that_are_not_in_tiles_yet(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1))
        scene.compact()
        scene.add(data_set, cbg(2))
        scene.rebuild()
        assert scene.manifest.position(data_set) == 2
        assert scene.compact() == CompactionResult()
        assert scene.visible() == [1, 2]
