"""Tests replies built from tiles and tail: order, latest, filters, and gzip that equals the plain text."""

import gzip

import pytest

from chalicelib.access.call import Caller
from chalicelib.accounts.grant import WINDOW_HOURS, Grant
from chalicelib.engine.definitions import DATA
from chalicelib.errors import UnavailableError
from chalicelib.reading.query import DataQuery
from chalicelib.tiles.ports import TileMissingError
from tests.fakes.compaction_scene import CompactionScene, on
from tests.fakes.data_scene import ANNA, cbg, food

BOLUS = {"type": "bolus", "subType": "normal", "normal": 1, "time": "2026-01-01T00:02:00Z"}
BASAL = {"type": "basal", "deliveryType": "suspend", "duration": 0, "time": "2026-01-03T00:00:00Z"}
WATER = {"type": "water", "amount": {"units": "liters", "value": 1}, "time": "2026-01-02T00:01:00Z"}


@pytest.fixture
def scene() -> CompactionScene:
    return CompactionScene()


def kinds(scene: CompactionScene, **parameters: str) -> list[str]:
    """The kind of each record, by value or type."""
    return [str(record.get("value") or record["type"]) for record in scene.read(ANNA, **parameters)]


class TestOrder:
    def test_tiles_do_not_change_the_order_of_records(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, WATER, on(1, 2), BOLUS, on(0, 1), BASAL, food("bread", "f", None))
        before = scene.answer().plain()
        scene.compact()
        assert scene.answer().plain() == before
        assert kinds(scene) == ["basal", "1", "2", "bolus", "food", "water", "upload"]

    def test_of_equal_times_the_older_data_set_comes_first_wherever_its_records_are(
        self, scene: CompactionScene
    ) -> None:
        older, newer = scene.open("none"), scene.open("none")
        scene.add(newer, cbg(4), cbg(3))
        scene.compact()
        scene.add(older, cbg(2), cbg(1))
        scene.add(newer, cbg(5))
        assert scene.visible() == [2, 1, 4, 3, 5]
        scene.compact()
        assert scene.visible() == [2, 1, 4, 3, 5]

    @pytest.mark.parametrize("time", ["0001-01-01T00:30:00+01:00", "9999-12-31T23:30:00+01:00", "1969-12-31T23:59:59Z"])
    def test_the_ends_of_time_have_their_place(self, scene: CompactionScene, time: str) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1), cbg(2, time=time))
        before = scene.answer().plain()
        scene.compact()
        assert len(scene.contents()) == 2
        assert scene.answer().plain() == before


class TestFormat:
    def test_the_gzip_body_inflates_to_the_plain_one(self, scene: CompactionScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, *(on(day, 5, str(day)) for day in range(5)))
        scene.compact()
        scene.add(data_set, on(2, 6, "2"), BOLUS)
        array = scene.answer()
        assert gzip.decompress(array.gzip()) == array.plain()
        assert array.size_bytes == len(array.plain())

    def test_no_records_are_an_empty_array(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), cbg(1))
        scene.compact()
        assert scene.answer(DataQuery(types=("zzz",))).plain() == b"[]"


class TestLatest:
    def test_latest_selects_one_record_of_each_type_from_tiles_and_tail(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, on(0, 1), on(3, 3), BASAL)
        scene.compact()
        scene.add(data_set, on(2, 2), BOLUS)
        assert kinds(scene, latest="true") == ["basal", "3", "bolus", "upload"]
        scene.add(data_set, on(4, 4))
        assert kinds(scene, latest="true") == ["basal", "4", "bolus", "upload"]

    def test_latest_selects_the_last_stored_of_equal_times(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1, 5), cbg(2, 5))
        scene.compact()
        assert kinds(scene, latest="1", type="cbg") == ["2"]
        scene.add(data_set, cbg(3, 5))
        assert kinds(scene, latest="1", type="cbg") == ["3"]

    def test_latest_keeps_the_requested_order(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), WATER, on(0, 1))
        scene.compact()
        assert kinds(scene, latest="1", type="water,upload,zzz,cbg") == ["water", "upload", "1"]

    def test_latest_applies_after_all_other_filters(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, on(0, 1), on(1, 2, deviceId="pump"), on(2, 3))
        scene.compact()
        assert kinds(scene, latest="1", deviceId="pump") == ["2"]
        assert kinds(scene, latest="1", type="cbg", endDate="2026-01-02T11:59:59Z") == ["1"]


class TestSources:
    def test_the_pumps_own_app_is_found_in_tiles_and_in_the_tail(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none", deviceModel="723", time="2026-01-01T00:00:00Z"), on(0, 1))
        app = scene.open("dataset.delete.origin")
        scene.add(app, on(3, 3) | {"origin": {"id": "app", "payload": {"device": {"manufacturer": "Medtronic"}}}})
        assert scene.visible() == [3]
        scene.compact()
        assert scene.visible() == [3]
        scene.add(app, on(9, 4, "app"))
        assert scene.visible() == [1, 4], "the app's record was replaced"
        scene.compact()
        assert scene.visible() == [1, 4]

    def test_what_is_dropped_for_a_record_in_tiles_is_not_of_the_app(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none", deviceModel="723", time="2026-01-01T00:00:00Z"), on(0, 1))
        other = scene.open("dataset.drop.hash")
        scene.add(other, on(3, 3))
        scene.compact()
        scene.add(other, on(3, 3) | {"origin": {"payload": {"device": {"manufacturer": "Medtronic"}}}})
        assert scene.visible() == [1, 3]
        scene.compact()
        assert scene.visible() == [1, 3]

    def test_a_view_of_the_last_hours_shows_no_earlier_records(self, scene: CompactionScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1, 0), cbg(2, 30), on(-1, 9))
        scene.compact()
        scene.now_ms += 80 * 60_000
        follower = Caller(user_id="eeeeeeeeee")
        scene.grants.put(Grant(str(ANNA.user_id), str(follower.user_id), {"view": {WINDOW_HOURS: 1}}))
        assert [record.get("value") for record in scene.read(follower) if record["type"] == "cbg"] == [2]


class TestTilesThatAreMissed:
    def test_a_reader_gives_up_after_repeated_conflicts(self, scene: CompactionScene) -> None:
        scene.add(scene.open("none"), cbg(1))
        scene.compact()
        for item in scene.fakes.items(DATA, partition="TILE#"):
            scene.fakes.engine.data.delete({"pk": item["pk"], "sk": item["sk"]})
        with pytest.raises(UnavailableError):
            scene.read()
        with pytest.raises(TileMissingError):
            scene.tiles.tiles(scene.tiles.current(str(ANNA.user_id))[0], list(scene.manifest.tile_refs()), ())
