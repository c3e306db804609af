"""Reading data: filters, order, latest and format. Source: data-api 9."""

from typing import Any

import pytest

from chalicelib.access.call import SERVICE, Caller
from chalicelib.errors import InvalidFieldsError, UnauthorizedError
from chalicelib.reading.query import DataQuery, parse_data_query
from tests.fakes.data_scene import ANNA, CUSTODIAN, STRANGER, UPLOADER, VIEWER, DataScene, cbg, food

BOLUS = {"type": "bolus", "subType": "normal", "normal": 1, "time": "2026-01-01T00:02:00Z"}
SQUARE = {"type": "bolus", "subType": "square", "extended": 1, "duration": 0, "time": "2026-01-01T00:03:00Z"}
WATER = {"type": "water", "amount": {"units": "liters", "value": 1}, "time": "2026-01-01T00:01:00Z"}


@pytest.fixture
def scene() -> DataScene:
    return DataScene()


@pytest.fixture
def filled(scene: DataScene) -> DataScene:
    """A scene with a data set and a little of everything."""
    data_set = scene.open("none", time="2026-01-01T00:02:30Z", deviceId="pump")
    scene.add(data_set, cbg(1, 4), cbg(2, 0, deviceId="sensor"), WATER, SQUARE, BOLUS, food("bread", "1", None))
    return scene


def kinds(records: list[dict[str, Any]]) -> list[str]:
    """The kind of each record, by value, sub type, name or type."""
    return [
        str(record.get("value") or record.get("subType") or record.get("name") or record["type"]) for record in records
    ]


class TestParse:
    def test_no_parameters_are_an_empty_query(self) -> None:
        assert parse_data_query({}) == DataQuery()

    def test_all_parameters_are_parsed(self) -> None:
        parameters = {
            "type": ("cbg,smbg,cbg",),
            "subType": ("normal,square",),
            "startDate": ("2026-01-01T00:00:00.0019Z",),
            "endDate": ("2026-01-01T01:00:00+01:00",),
            "deviceId": ("pump", "other"),
            "uploadId": ("a" * 32,),
            "latest": ("false", "1"),
            "dosingDecision.reason": ("loop",),
            "sampleIntervalMinimum": ("x", "300000"),
            "carelink": ("T",),
            "medtronic": ("0",),
            "dexcom": ("true",),
            "cbgFilter": ("false",),
            "colour": ("red",),
        }
        assert parse_data_query(parameters) == DataQuery(
            types=("cbg", "smbg"),
            sub_types=frozenset({"normal", "square"}),
            start_ms=1_767_225_600_001,
            end_ms=1_767_225_600_000,
            device_id="pump",
            upload_id="a" * 32,
            is_latest=True,
            reasons=frozenset({"loop"}),
            sample_interval_minimum_ms=300_000,
            prefers_sources=False,
            carelink=True,
            medtronic=False,
        )

    @pytest.mark.parametrize("value", ["", ",", ",cbg"])
    def test_no_type_is_no_filter(self, value: str) -> None:
        assert parse_data_query({"type": (value,)}).types is None

    @pytest.mark.parametrize("name", ["carelink", "cbgFilter", "dexcom", "latest", "medtronic"])
    @pytest.mark.parametrize("value", ["", "x", "yes", "tRUE", "2"])
    def test_a_boolean_is_one_of_few_words(self, name: str, value: str) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            parse_data_query({name: (value,)})
        assert [(error.code, error.parameter) for error in caught.value.errors] == [("type-not-bool", name)]

    @pytest.mark.parametrize("value", ["", "x", "1.0"])
    def test_an_interval_is_an_integer(self, value: str) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            parse_data_query({"sampleIntervalMinimum": (value,)})
        assert caught.value.errors[0].parameter == "sampleIntervalMinimum"

    @pytest.mark.parametrize("name", ["startDate", "endDate"])
    @pytest.mark.parametrize("value", ["2026-01-01", "2026-01-01T00:00:00", "yesterday"])
    def test_a_time_has_a_zone(self, name: str, value: str) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            parse_data_query({name: (value,)})
        assert [(error.code, error.parameter) for error in caught.value.errors] == [("value-not-parsable", name)]


class TestAccess:
    @pytest.mark.parametrize("caller", [ANNA, VIEWER, SERVICE])
    def test_permitted_callers_may_read(self, filled: DataScene, caller: Caller) -> None:
        assert len(filled.read(caller)) == 7

    @pytest.mark.parametrize("caller", [UPLOADER, CUSTODIAN, STRANGER])
    def test_others_may_not(self, filled: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            filled.read(caller)


class TestOrder:
    def test_records_are_sorted_by_type_and_time_with_data_sets_last(self, filled: DataScene) -> None:
        assert kinds(filled.read()) == ["2", "1", "normal", "square", "bread", "water", "upload"]

    def test_records_of_equal_times_are_in_stored_order(self, scene: DataScene) -> None:
        older, newer = scene.open("none"), scene.open("none")
        scene.add(newer, cbg(4), cbg(3))
        scene.add(older, cbg(2), cbg(1))
        scene.add(older, cbg(5))
        assert scene.visible() == [2, 1, 5, 4, 3]


class TestFilters:
    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"type": "cbg"}, ["2", "1"]),
            ({"type": "upload,cbg"}, ["2", "1", "upload"]),
            ({"type": "zzz"}, []),
            ({"subType": "square,other"}, ["square"]),
            ({"startDate": "2026-01-01T00:02:00Z"}, ["1", "normal", "square", "bread", "upload"]),
            ({"startDate": "2026-01-01T00:02:00.001Z", "type": "bolus"}, ["square"]),
            ({"endDate": "2026-01-01T00:02:00Z"}, ["2", "normal", "water"]),
            ({"startDate": "2026-01-01T00:01:00Z", "endDate": "2026-01-01T00:03:00Z", "type": "cbg,water"}, ["water"]),
            ({"startDate": "2027-01-01T00:00:00Z", "endDate": "2026-01-01T00:00:00Z"}, []),
            ({"deviceId": "sensor"}, ["2"]),
            ({"deviceId": "pump"}, ["upload"]),
            ({"uploadId": "0" * 32}, []),
        ],
    )
    def test_each_parameter_selects_records(
        self, filled: DataScene, parameters: dict[str, str], expected: list[str]
    ) -> None:
        assert kinds(filled.read(ANNA, **parameters)) == expected

    def test_one_data_set_can_be_selected(self, filled: DataScene) -> None:
        other = filled.open("none")
        filled.add(other, cbg(9))
        assert kinds(filled.read(uploadId=other)) == ["9", "upload"]

    def test_one_data_set_of_those_that_hide_each_other(self, scene: DataScene) -> None:
        uploads = [scene.open("device.deactivate.hash", "normal", deviceId="meter") for _ in range(2)]
        for upload in uploads:
            scene.add(upload, cbg(1, deviceId="meter"))
            scene.close(upload)
        assert kinds(scene.read(uploadId=uploads[0])) == ["upload"]
        assert kinds(scene.read(uploadId=uploads[1])) == ["1", "upload"]

    def test_reasons_select_dosing_decisions(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        decision = {
            "type": "dosingDecision",
            "time": "2026-01-01T00:00:00Z",
            "units": {"bg": "mg/dL", "carb": "grams", "insulin": "Units"},
        }
        scene.add(data_set, cbg(1), *(decision | {"reason": reason} for reason in ("loop", "normalBolus")))
        read = [
            record.get("reason")
            for record in scene.read(dosingDecision_reason="loop,other")
            if record["type"] != "upload"
        ]
        assert read == [None, "loop"]

    @pytest.mark.parametrize("reasons", [",loop", "loop,"])
    def test_an_empty_reason_matches_nothing(self, scene: DataScene, reasons: str) -> None:
        data_set = scene.open("none")
        units = {"bg": "mg/dL", "carb": "grams", "insulin": "Units"}
        decision = {"type": "dosingDecision", "time": "2026-01-01T00:00:00Z", "units": units}
        scene.add(data_set, *(decision | {"reason": reason} for reason in ("loop", "normalBolus")))
        read = scene.read(dosingDecision_reason=reasons, type="dosingDecision")
        assert [record["reason"] for record in read] == ["loop"]

    def test_sample_intervals_select_cbg_records(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, *(cbg(value, value, sampleInterval=value * 60_000) for value in (1, 5, 10)), cbg(2, 59))
        assert scene.visible(sampleIntervalMinimum="300000") == [5, 10, 2]
        assert len(scene.visible(sampleIntervalMinimum="0")) == 4
        assert len(scene.visible(sampleIntervalMinimum="-5")) == 4


class TestCareLink:
    def scene_with(self, scene: DataScene, manufacturer: str) -> str:
        data_set = scene.open("none", "normal", deviceManufacturers=[manufacturer])
        scene.add(data_set, cbg(1), cbg(2, 1, source="carelink"))
        scene.close(data_set)
        return data_set

    def test_it_stays_without_a_medtronic_upload(self, scene: DataScene) -> None:
        self.scene_with(scene, "Abbott")
        assert scene.visible() == [1, 2]
        assert scene.visible(carelink="false") == [1]

    def test_it_goes_with_one(self, scene: DataScene) -> None:
        data_set = self.scene_with(scene, "Medtronic")
        assert scene.visible() == [1]
        assert scene.visible(carelink="true") == [1, 2]
        scene.delete(data_set)
        self.scene_with(scene, "Abbott")
        assert scene.visible() == [1, 2]

    def test_an_open_medtronic_data_set_does_not_count(self, scene: DataScene) -> None:
        data_set = scene.open("none", deviceManufacturers=["Medtronic"])
        scene.add(data_set, cbg(2, 1, source="carelink"))
        assert scene.visible() == [2]


class TestMedtronic:
    def fill(self, scene: DataScene, with_app: bool, **members: Any) -> str:
        pump = scene.open("none", deviceModel="723", **({"time": "2026-01-01T00:00:00Z"} | members))
        scene.add(pump, cbg(1, 1), food("bread", "1", None), cbg(2) | {"time": "2017-08-31T23:59:59.999Z"})
        if with_app:
            app = scene.open("none")
            device = {"device": {"manufacturer": "Medtronic"}}
            scene.add(app, cbg(3, 2, origin="x") | {"origin": {"payload": device}})
        return pump

    def values(self, scene: DataScene, **parameters: str) -> list[Any]:
        return scene.visible(type="cbg", **parameters)

    def test_the_pump_gives_way_to_its_app(self, scene: DataScene) -> None:
        self.fill(scene, with_app=True)
        assert self.values(scene) == [2, 3]
        assert "food" in scene.visible("type")

    def test_without_the_app_it_stays(self, scene: DataScene) -> None:
        self.fill(scene, with_app=False)
        assert self.values(scene) == [2, 1]
        assert self.values(scene, medtronic="false") == [2]

    def test_it_stays_when_asked_for(self, scene: DataScene) -> None:
        pump = self.fill(scene, with_app=True)
        assert self.values(scene, medtronic="true") == [2, 1, 3]
        assert self.values(scene, uploadId=pump) == [2, 1]

    @pytest.mark.parametrize("members", [{"time": "2017-08-31T23:59:59Z"}, {"deviceModel": "551"}])
    def test_older_uploads_and_other_models_stay(self, scene: DataScene, members: dict[str, str]) -> None:
        pump = scene.open("none", **({"deviceModel": "723", "time": "2026-01-01T00:00:00Z"} | members))
        scene.add(pump, cbg(1, 1))
        assert self.values(scene, medtronic="false") == [1]


class TestLatest:
    def test_latest_selects_one_record_of_each_type_in_a_fixed_order(self, filled: DataScene) -> None:
        basal = {"type": "basal", "deliveryType": "suspend", "duration": 0, "time": "2026-01-01T00:00:00Z"}
        filled.add(filled.open("none"), basal)
        records = filled.read(latest="true")
        assert [record["type"] for record in records] == ["basal", "cbg", "bolus", "food", "upload"]
        assert kinds(records)[1:4] == ["1", "square", "bread"]

    def test_latest_of_named_types_is_sorted_by_name(self, filled: DataScene) -> None:
        assert kinds(filled.read(latest="1", type="water,upload,zzz,cbg,water")) == ["water", "upload", "1"]

    def test_latest_applies_after_all_other_filters(self, filled: DataScene) -> None:
        assert kinds(filled.read(latest="1", endDate="2026-01-01T00:02:00Z")) == ["2", "normal"]

    def test_latest_selects_the_last_stored_of_equal_times(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1, 5), cbg(2, 5), cbg(3, 4))
        scene.add(data_set, cbg(4, 5))
        assert kinds(scene.read(latest="1", type="cbg")) == ["4"]

    def test_latest_selects_the_newest_data_set_by_its_own_time(self, scene: DataScene) -> None:
        newest = scene.open("none", time="2027-01-01T00:00:00Z")
        scene.open("none", time="2026-01-01T00:00:00Z")
        (upload,) = scene.read(latest="1")
        assert upload["id"] == newest
