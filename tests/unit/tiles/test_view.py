"""Tests how a reader uses tiles: which it reads, which it passes on unchanged, and which it folds again."""

import pytest

from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import DeflatedLines
from chalicelib.log import entry as entry_codec
from chalicelib.log import joined_entries
from chalicelib.log.entry import Selectors
from chalicelib.reading import read
from chalicelib.reading.query import DataQuery
from chalicelib.tiles.jobs import is_due
from chalicelib.tiles.tile import Tile, TileKey
from tests.fakes.compaction_scene import ANNA_ID, FIRST_DAY, CompactionScene, on
from tests.fakes.data_scene import cbg, food

DAYS = 30
PHONE = "c" * 32


@pytest.fixture
def scene() -> CompactionScene:
    """A month of readings in tiles."""
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin", id=PHONE)
    scene.add(data_set, *(on(day, 5 + day / 10, f"of day {day}") for day in range(DAYS)))
    scene.compact()
    return scene


def unchanged_tiles(scene: CompactionScene, asked: DataQuery) -> list[TileKey]:
    """The tiles that the reply to a query holds as they are stored."""
    runs = [piece.deflated for piece in scene.answer(asked).pieces if isinstance(piece, DeflatedLines)]
    by_run = {Tile(content).lines.deflated: key for key, content in scene.contents().items()}
    return [by_run[run] for run in runs]


def cbg_of(*days: int) -> list[TileKey]:
    return [TileKey("cbg", FIRST_DAY + day) for day in days]


ALL_CBG = DataQuery(types=("cbg",))


class TestTailDecoded:
    @pytest.mark.parametrize(
        ("asked", "numbers"),
        [
            (DataQuery(), [0, 2, 3, 4, 5]),
            (DataQuery(is_latest=True), [0, 2, 3, 4, 5]),
            (DataQuery(types=("cbg",), is_latest=True), [0, 2, 3, 4]),
            (DataQuery(start_ms=(FIRST_DAY + DAYS - 1) * DAY_MS), [0, 2, 4]),
            (DataQuery(types=("food",), end_ms=FIRST_DAY * DAY_MS), [0, 5]),
            (DataQuery(types=("smbg",)), [0]),
        ],
    )
    def test_each_entry_that_a_read_needs_is_decoded_once(
        self, scene: CompactionScene, asked: DataQuery, numbers: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The affected tiles depend on the tail, it is folded with them, and `latest` goes back day by day."""
        for day in (DAYS - 1, DAYS - 2, DAYS):
            scene.add(PHONE, on(day, 20, f"later on day {day}"))
        scene.add(PHONE, food("bread", "f", None))
        scene.delete_data(PHONE, {"origin": {"id": f"later on day {DAYS}"}})
        before = scene.answer(asked).plain()
        tail = scene.log.continuous_entries(scene.data_sets.owner(ANNA_ID), scene.manifest.positions())
        entry_numbers = {entry.body: entry.number for entry in tail}
        decoded: list[int] = []
        columns_of_bodies, decode_selectors = entry_codec.columns_of_bodies, entry_codec.decode_selectors

        def counted_columns(bodies: list[bytes]) -> list[bytes]:
            decoded.extend(entry_numbers[body] for body in bodies)
            return columns_of_bodies(bodies)

        def counted_selectors(body: bytes) -> Selectors:
            decoded.append(0)
            return decode_selectors(body)

        monkeypatch.setattr(entry_codec, "columns_of_bodies", counted_columns)
        monkeypatch.setattr(joined_entries, "columns_of_bodies", counted_columns)
        monkeypatch.setattr(entry_codec, "decode_selectors", counted_selectors)
        assert scene.answer(asked).plain() == before
        assert sorted(decoded) == numbers

    def test_an_entry_of_another_day_replaces_a_record_of_a_tile(self, scene: CompactionScene) -> None:
        day = DataQuery(start_ms=(FIRST_DAY + 3) * DAY_MS, end_ms=(FIRST_DAY + 4) * DAY_MS - 1)
        assert scene.answer(day).plain() != b"[]"
        scene.add(PHONE, on(9, 20, "of day 3"))
        assert b'"cbg"' not in scene.answer(day).plain()

    def test_an_entry_of_another_day_replaces_a_record_of_the_tail(self, scene: CompactionScene) -> None:
        day = DataQuery(start_ms=(FIRST_DAY + DAYS) * DAY_MS, end_ms=(FIRST_DAY + DAYS + 1) * DAY_MS - 1)
        scene.add(PHONE, on(DAYS, 20, "moves"))
        assert b'"cbg"' in scene.answer(day).plain()
        scene.add(PHONE, on(9, 20, "moves"))
        assert b'"cbg"' not in scene.answer(day).plain()


class TestLongTails:
    def test_a_reader_of_a_long_tail_asks_for_compaction(
        self, scene: CompactionScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def is_due_now() -> bool:
            (backlog,) = scene.fakes.services.tiles.backlog.all()
            return is_due(backlog, scene.now_ms)

        for origin in ("a", "b"):
            scene.add(PHONE, on(DAYS, 5, origin))
        entries = scene.log.continuous_entries(scene.data_sets.owner(ANNA_ID), scene.manifest.positions())
        size_bytes = sum(len(entry.body) for entry in entries)
        monkeypatch.setattr(read, "DUE_BYTES", size_bytes + 1)
        scene.answer(ALL_CBG)
        assert not is_due_now()
        monkeypatch.setattr(read, "DUE_BYTES", size_bytes)
        scene.answer(ALL_CBG)
        assert is_due_now()


class TestTilesRead:
    def test_a_range_reads_exactly_the_tiles_of_its_days(self, scene: CompactionScene) -> None:
        start_ms = (FIRST_DAY + 3) * DAY_MS
        scene.answer(DataQuery(types=("cbg",), start_ms=start_ms, end_ms=start_ms + 5 * DAY_MS - 1))
        assert scene.tiles.read == cbg_of(3, 4, 5, 6, 7)

    def test_tiles_of_other_types_are_not_read(self, scene: CompactionScene) -> None:
        scene.add(PHONE, food("bread", "f", None))
        scene.compact()
        scene.answer(DataQuery(types=("food",)))
        assert scene.tiles.read == [TileKey("food", FIRST_DAY)]

    def test_each_tile_is_read_once(self, scene: CompactionScene) -> None:
        scene.answer()
        assert scene.tiles.read == cbg_of(*range(DAYS))

    def test_latest_reads_no_tile(self, scene: CompactionScene) -> None:
        """See also tests/unit/tiles/test_newest.py."""
        scene.add(PHONE, food("bread", "f", None))
        scene.compact()
        scene.answer(DataQuery(is_latest=True))
        assert scene.tiles.read == []

    def test_latest_with_a_filter_reads_the_newest_tile_of_each_type(self, scene: CompactionScene) -> None:
        scene.add(PHONE, food("bread", "f", None))
        scene.compact()
        scene.answer(DataQuery(is_latest=True, carelink=False))
        assert sorted(scene.tiles.read) == [TileKey("cbg", FIRST_DAY + DAYS - 1), TileKey("food", FIRST_DAY)]

    def test_rule_7_latest_skips_tiles_whose_records_are_deleted(self, scene: CompactionScene) -> None:
        scene.delete_data(PHONE, *({"origin": {"id": f"of day {day}"}} for day in range(DAYS - 4, DAYS)))
        (newest,) = scene.visible(latest="true", type="cbg")
        assert newest == 5 + (DAYS - 5) / 10
        scene.answer(DataQuery(types=("cbg",), is_latest=True))
        assert len(set(scene.tiles.read)) <= 7, "1, 2 and 4 days, from the newest on"

    def test_latest_without_a_match_ends_after_all_tiles(self, scene: CompactionScene) -> None:
        assert scene.read(latest="true", deviceId="other") == []
        scene.answer(DataQuery(is_latest=True, device_id="other"))
        assert sorted(scene.tiles.read) == cbg_of(*range(DAYS))

    def test_the_data_source_of_old_data_sets_is_read_only_from_tiles_that_decide_it(
        self, scene: CompactionScene
    ) -> None:
        scene.add(scene.open("none", deviceModel="723", time="2026-01-01T00:00:00Z"), on(0, 9))
        app = {"id": "app", "payload": {"device": {"manufacturer": "Medtronic"}}}
        scene.add(PHONE, on(4, 8) | {"origin": app})
        scene.compact()
        scene.answer(DataQuery(types=("food",)))
        assert scene.tiles.read == cbg_of(4), "the one tile whose stats name records of the app"


class TestTilesPassedOnUnchanged:
    def test_unaffected_tiles_are_passed_on_unchanged(self, scene: CompactionScene) -> None:
        assert unchanged_tiles(scene, DataQuery()) == cbg_of(*range(DAYS))

    @pytest.mark.parametrize(
        ("first_ms", "last_ms", "folded"),
        [
            (0, DAY_MS - 1, []),
            (1, DAY_MS - 1, [3]),
            (0, DAY_MS - 2, [7]),
            (DAY_MS // 2, DAY_MS // 2, [3, 7]),
        ],
    )
    def test_tiles_at_the_edges_of_a_range_are_passed_on_only_if_all_their_records_are_in_it(
        self, scene: CompactionScene, first_ms: int, last_ms: int, folded: list[int]
    ) -> None:
        scene.add(PHONE, on(3, 6) | {"time": "2026-01-04T00:00:00Z"}, on(7, 6) | {"time": "2026-01-08T23:59:59.999Z"})
        scene.compact()
        start_ms, end_ms = (FIRST_DAY + 3) * DAY_MS + first_ms, (FIRST_DAY + 7) * DAY_MS + last_ms
        asked = DataQuery(types=("cbg",), start_ms=start_ms, end_ms=end_ms)
        assert unchanged_tiles(scene, asked) == cbg_of(*(day for day in range(3, 8) if day not in folded))
        assert len(scene.answer(asked).plain().splitlines()) == 5 + 2 - len(folded) + 2

    @pytest.mark.parametrize(
        "asked",
        [
            DataQuery(sub_types=frozenset({"x"})),
            DataQuery(device_id="x"),
        ],
    )
    def test_no_tile_is_passed_on_whose_records_a_filter_drops(self, scene: CompactionScene, asked: DataQuery) -> None:
        assert unchanged_tiles(scene, asked) == []

    def test_tiles_of_which_a_filter_drops_no_record_are_passed_on(self, scene: CompactionScene) -> None:
        scene.add(PHONE, on(5, 9, "fast") | {"sampleInterval": 60_000})
        scene.compact()
        asked = DataQuery(sample_interval_minimum_ms=300_000)
        assert unchanged_tiles(scene, asked) == cbg_of(*(day for day in range(DAYS) if day != 5))

    def test_tiles_of_one_data_set_alone_are_passed_on_to_its_query(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), on(2, 9))
        scene.compact()
        days = [day for day in range(DAYS) if day != 2]
        assert unchanged_tiles(scene, DataQuery(types=("cbg",), upload_id=PHONE)) == cbg_of(*days)


class TestRule2AffectedTilesAreFoldedAgain:
    def test_a_tail_folds_the_tiles_of_its_days(self, scene: CompactionScene) -> None:
        scene.add(PHONE, cbg(9))
        assert unchanged_tiles(scene, ALL_CBG) == cbg_of(*range(1, DAYS))

    def test_a_moved_record_folds_the_tiles_of_both_days(self, scene: CompactionScene) -> None:
        scene.add(PHONE, on(8, 9, "of day 3"))
        assert unchanged_tiles(scene, ALL_CBG) == cbg_of(*(day for day in range(DAYS) if day not in (3, 8)))
        assert 5.3 not in scene.visible()

    def test_a_deleted_data_set_folds_the_tiles_of_its_records(self, scene: CompactionScene) -> None:
        other = scene.open("none")
        scene.add(other, on(2, 9))
        scene.compact()
        scene.delete(other)
        assert unchanged_tiles(scene, ALL_CBG) == cbg_of(*(day for day in range(DAYS) if day != 2))

    @pytest.mark.parametrize("selector", ["id", "hash"])
    def test_a_selector_by_id_or_hash_folds_all_tiles_of_its_data_set(
        self, scene: CompactionScene, selector: str
    ) -> None:
        other = scene.open("dataset.drop.hash")
        scene.add(other, on(2, 9), on(4, 9))
        scene.compact()
        values = {"id": {"id": "0" * 32}, "hash": {"deduplicator": {"hash": "none"}}}
        scene.delete_data(other, values[selector])
        assert unchanged_tiles(scene, ALL_CBG) == cbg_of(*(day for day in range(DAYS) if day not in (2, 4)))

    def test_default_source_filters_fold_only_tiles_with_records_they_can_drop(self, scene: CompactionScene) -> None:
        scene.add(PHONE, on(2, 9, source="carelink"))
        scene.compact()
        assert unchanged_tiles(scene, DataQuery(carelink=True)) == cbg_of(*range(DAYS))
        assert unchanged_tiles(scene, DataQuery(carelink=False)) == cbg_of(*(day for day in range(DAYS) if day != 2))

    def test_an_open_upload_affects_no_tile(self, scene: CompactionScene) -> None:
        """Rule 8."""
        scene.add(scene.open("none", "normal"), cbg(9))
        assert unchanged_tiles(scene, ALL_CBG) == cbg_of(*range(DAYS))
