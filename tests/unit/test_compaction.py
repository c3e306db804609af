"""Compaction: what goes into tiles, what it reads and writes, and what its death leaves. Source: architecture, 3."""

import pytest

from chalicelib.domain import compaction
from chalicelib.domain.compaction import Done
from chalicelib.domain.tile import TileKey
from tests.fakes.compaction_scene import FIRST_DAY, CompactionScene, on
from tests.fakes.data_scene import DataScene, cbg, food

OLDER = "dataset.delete.origin.older"
BOLUS = {"type": "bolus", "subType": "normal", "normal": 1, "time": "2026-01-01T00:02:00Z"}


@pytest.fixture
def scene() -> CompactionScene:
    return CompactionScene()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry goes into tiles in a step of its own."""
    monkeypatch.setattr(compaction, "STEP_BYTES", 1)


class DiedError(BaseException):
    """The process is gone."""


def numbers_in_log(scene: DataScene) -> list[int]:
    return [entry.number for _, entry in scene.log.log]


class TestEverythingThatHappens:
    """What entries do to records that are in tiles, in whatever tile those are."""

    def test_an_origin_that_moves_to_another_day_leaves_its_old_one(self, scene: CompactionScene) -> None:
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
        assert scene.snapshot.tile(TileKey("cbg", FIRST_DAY)) is None

    def test_rule_7_what_is_older_is_told_by_a_record_of_another_day(self, scene: CompactionScene) -> None:
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
    def test_selectors_find_what_is_in_tiles(self, scene: CompactionScene, selector: str) -> None:
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

    def test_what_a_closing_hides_comes_back_when_that_is_deleted(self, scene: CompactionScene) -> None:
        uploads = [scene.open("device.deactivate.hash", "normal", deviceId="meter") for _ in range(2)]
        for upload in uploads:
            scene.add(upload, cbg(1, deviceId="meter"))
            scene.close(upload)
            scene.compact()
            scene.sweep()
        assert scene.visible("uploadId") == [uploads[1]]
        assert scene.content().hidden
        scene.delete(uploads[1])
        assert scene.visible("uploadId") == [uploads[0]]
        scene.compact()
        assert scene.visible("uploadId") == [uploads[0]]
        assert not scene.content().hidden

    def test_rule_4_what_comes_after_a_deletion_is_not_touched_by_it(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1), on(1, 2))
        scene.compact()
        scene.delete(data_set)
        scene.add(data_set, cbg(3))
        assert scene.visible() == [3]
        scene.compact()
        assert scene.visible() == [3]
        assert [place.key.day for place in scene.snapshot.every_tile()] == [FIRST_DAY]

    def test_rule_4_an_erased_user_begins_with_no_tiles(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), cbg(1))
        scene.compact()
        scene.erase()
        assert scene.read() == []
        scene.add(scene.open("none"), cbg(2))
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_rule_5_of_equal_hashes_the_one_closed_last_is_shown(self, scene: CompactionScene) -> None:
        first, second = (scene.open("device.deactivate.hash", "normal", deviceId="meter") for _ in range(2))
        for upload in (first, second):
            scene.add(upload, cbg(1, deviceId="meter"))
        for upload in (second, first):
            scene.close(upload)
        scene.compact()
        assert scene.visible("uploadId") == [first]

    def test_rule_8_data_sets_and_open_uploads_are_never_in_tiles(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none", "normal"), cbg(1))
        assert scene.compact() == Done()
        assert list(scene.snapshot.every_tile()) == []
        assert scene.snapshot.applied == {}

    def test_truncation_takes_what_was_uploaded_from_its_device_before(self, scene: CompactionScene) -> None:
        phone = scene.open("none")
        scene.add(phone, cbg(1, deviceId="pump"), cbg(2, deviceId="meter"))
        scene.compact()
        pump = scene.open("device.truncate.dataset", "normal", deviceId="pump")
        scene.close(pump)
        scene.add(phone, cbg(3, deviceId="pump"))
        assert scene.visible() == [2, 3]
        scene.compact()
        assert scene.visible() == [2, 3]


@pytest.mark.usefixtures("one_by_one")
class TestInSteps:
    """Logs that are too long for one step."""

    @pytest.mark.parametrize("kind", ["continuous", "normal"])
    def test_a_later_entry_replaces_what_an_earlier_step_has_brought(self, scene: CompactionScene, kind: str) -> None:
        data_set = scene.open("dataset.delete.origin", kind)
        scene.add(data_set, on(0, 1, "moves"))
        scene.add(data_set, on(1, 2, "moves"))
        scene.close(data_set)
        assert scene.visible() == [2]
        assert scene.compact() == Done(entries=2, tiles=3, steps=2)
        assert scene.visible() == [2]

    @pytest.mark.parametrize("kind", ["continuous", "normal"])
    def test_a_later_entry_deletes_what_an_earlier_step_has_brought(self, scene: CompactionScene, kind: str) -> None:
        data_set = scene.open("none", kind)
        scene.add(data_set, on(0, 1) | {"id": "a" * 32}, on(1, 2))
        scene.delete_data(data_set, {"id": "a" * 32})
        scene.close(data_set)
        assert scene.visible() == [2]
        scene.compact()
        assert scene.visible() == [2]

    def test_of_an_upload_that_is_in_tiles_in_part_the_rest_is_in_the_tail(self, scene: CompactionScene) -> None:
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
        assert scene.snapshot.through(data_set) == 1
        assert not scene.snapshot.has_whole_log(data_set)
        assert scene.visible() == [2]

    def test_each_step_is_seen_once_it_is_done(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        for value in (1, 2, 3):
            scene.add(data_set, cbg(value))
        seen: list[tuple[int, list[float]]] = []
        scene.compact(lambda: seen.append((scene.snapshot.through(data_set), scene.visible())))
        assert seen == [(0, [1, 2, 3]), (1, [1, 2, 3]), (2, [1, 2, 3])]
        assert scene.snapshot.through(data_set) == 3
