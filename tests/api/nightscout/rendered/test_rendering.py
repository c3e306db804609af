"""Data of the Tidepool API as a follower of the Nightscout API sees it."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.nightscout.rendering.temporary_basals import MAX_GAP_MS
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at, basal, cbg, loop_day, record
from tests.fakes.services import START_MS, FakeServices


class TestEntries:
    def test_a_reading_has_all_that_apps_need(self, device: Device) -> None:
        device.send_to_tidepool([cbg(124, 5, trend="slowRise", deviceId="Dexcom", timezoneOffset=-480)])
        (entry,) = device.found()
        made = {name: entry.pop(name) for name in ("_id", "identifier")}
        assert entry == {
            "type": "sgv",
            "sgv": 124,
            "date": START_MS - 5 * MINUTE_MS,
            "dateString": "2025-12-31T23:55:00.000Z",
            "direction": "FortyFiveUp",
            "delta": 0,
            "device": "Dexcom",
            "app": "org.tidepool.Loop",
            "utcOffset": -480,
            "isReadOnly": True,
        }
        assert made["identifier"] == device.data()[0]["id"]
        assert made["_id"].startswith(f"{entry['date'] // 1000:08x}")

    def test_values_in_mg_dl_come_back_as_they_were_sent(self, device: Device) -> None:
        device.send_to_tidepool([cbg(value, value) for value in range(1, 1001)])
        assert [entry["sgv"] for entry in device.found("count=1000")] == list(range(1, 1001))

    @pytest.mark.parametrize(
        ("change", "direction"),
        [
            (16, "DoubleUp"),
            (11, "SingleUp"),
            (6, "FortyFiveUp"),
            (5, "Flat"),
            (-5, "Flat"),
            (-6, "FortyFiveDown"),
            (-11, "SingleDown"),
            (-16, "DoubleDown"),
        ],
    )
    def test_without_a_trend_the_direction_follows_from_the_reading_before(
        self, device: Device, change: int, direction: str
    ) -> None:
        device.send_to_tidepool([cbg(150, 10), cbg(150 + change, 5)])
        newest, oldest = device.found()
        assert (newest["direction"], newest["delta"]) == (direction, change)
        assert (oldest["direction"], oldest["delta"]) == ("NONE", 0)

    def test_the_reading_before_may_lie_on_the_day_before_and_at_most_15_minutes_away(self, device: Device) -> None:
        device.send_to_tidepool([cbg(100, 1442), cbg(130, 1437), cbg(140, 1420)])
        device.compact()
        after_gap, after_midnight, before_midnight = device.found()
        assert (after_midnight["direction"], after_midnight["delta"]) == ("DoubleUp", 30)
        assert after_gap["direction"] == before_midnight["direction"] == "NONE"

    def test_a_fingerstick_is_mbg(self, device: Device) -> None:
        device.send_to_tidepool([record("smbg", 5, value=110, units="mg/dL")])
        (entry,) = device.found()
        assert (entry["type"], entry["mbg"], "sgv" in entry, entry["device"]) == (
            "mbg",
            110,
            False,
            "org.tidepool.Loop",
        )

    def test_queries_find_them_as_stored_ones(self, device: Device) -> None:
        device.send_to_tidepool([cbg(100 + number, 5 * number) for number in range(12)])
        device.store({"type": "sgv", "sgv": 77, "date": START_MS - 12 * MINUTE_MS, "device": "cgm"})
        assert [entry["sgv"] for entry in device.found("count=4")] == [100, 101, 102, 77]
        since = START_MS - 20 * MINUTE_MS
        assert [entry["sgv"] for entry in device.found(f"find[date][$gt]={since}&find[sgv][$gte]=100")] == [
            100,
            101,
            102,
            103,
        ]
        (current,) = device.send("GET", "/api/v1/entries/current.json").json()
        assert current["sgv"] == 100
        assert device.send("GET", f"/api/v1/entries/{current['_id']}.json").json() == [current]
        assert device.found(f"find[_id]={current['_id']}") == [current]

    def test_the_newest_count_is_found_over_days_and_after_compaction(self, device: Device) -> None:
        device.send_to_tidepool([cbg(100 + number, 1000 * number) for number in range(5)])
        before = device.found("count=4")
        device.compact()
        assert device.found("count=4") == before
        assert [entry["sgv"] for entry in before] == [100, 101, 102, 103]

    def test_what_followers_have_is_304(self, device: Device) -> None:
        device.send_to_tidepool([cbg(100, 5)])
        first = device.send("GET", "/api/v1/entries.json?count=10")
        known = {"If-None-Match": first.headers["etag"]}
        assert device.send("GET", "/api/v1/entries.json?count=10", **known).status == 304
        device.send_to_tidepool([cbg(110, 1)])
        assert device.send("GET", "/api/v1/entries.json?count=10", **known).status == 200


class TestTreatments:
    @pytest.mark.parametrize(
        ("sent", "event_type", "members"),
        [
            (record("bolus", 5, subType="normal", normal=2.5), "Correction Bolus", {"insulin": 2.5, "type": "normal"}),
            (
                record("bolus", 5, subType="automated", normal=0.4, expectedNormal=0.5),
                "Correction Bolus",
                {"insulin": 0.4, "automatic": True, "programmed": 0.5},
            ),
            (
                record("bolus", 5, subType="square", extended=3, duration=90 * MINUTE_MS),
                "Correction Bolus",
                {"insulin": 3, "type": "square", "duration": 90},
            ),
            (
                record("bolus", 5, **{"subType": "dual/square", "normal": 1, "extended": 2, "duration": MINUTE_MS}),
                "Correction Bolus",
                {"insulin": 3, "type": "dual", "duration": 1},
            ),
            (
                record(
                    "food",
                    5,
                    name="Pizza",
                    nutrition={
                        "carbohydrate": {"net": 54, "units": "grams"},
                        "fat": {"total": 9, "units": "grams"},
                        "estimatedAbsorptionDuration": 18_000,
                    },
                ),
                "Carb Correction",
                {"carbs": 54, "fat": 9, "absorptionTime": 300, "foodType": "Pizza", "insulin": None},
            ),
            (record("wizard", 5, carbInput=20, units="mg/dL"), "Carb Correction", {"carbs": 20}),
            (record("insulin", 5, dose={"total": 2, "units": "Units"}), "External Insulin", {"insulin": 2}),
            (
                basal("automated", 30, 300_359),
                "Temp Basal",
                {"rate": 1.5, "absolute": 1.5, "temp": "absolute", "duration": 5.006, "automatic": True},
            ),
            (basal("temp", 30, 600_000), "Temp Basal", {"duration": 10, "automatic": False}),
            (basal("suspend", 30, 600_000), "Temp Basal", {"rate": 0, "absolute": 0, "reason": "suspend"}),
            (
                record(
                    "deviceEvent",
                    5,
                    subType="pumpSettingsOverride",
                    overrideType="preprandial",
                    duration=3600,
                    bgTarget={"low": 80, "high": 90},
                    units={"bg": "mg/dL"},
                ),
                "Temporary Override",
                {"reason": "preprandial", "duration": 60, "correctionRange": [80, 90]},
            ),
            (
                record(
                    "deviceEvent",
                    5,
                    subType="pumpSettingsOverride",
                    overrideType="preset",
                    overridePreset="Run",
                    basalRateScaleFactor=0.6,
                ),
                "Temporary Override",
                {"reason": "Run", "durationType": "indefinite", "insulinNeedsScaleFactor": 0.6},
            ),
            (record("deviceEvent", 5, subType="prime", primeTarget="cannula"), "Site Change", {}),
            (record("deviceEvent", 5, subType="reservoirChange"), "Insulin Change", {}),
            (
                record("deviceEvent", 5, subType="status", status="suspended", reason={"suspended": "manual"}),
                "Suspend Pump",
                {},
            ),
            (
                record("deviceEvent", 5, subType="status", status="resumed", reason={"resumed": "manual"}),
                "Resume Pump",
                {},
            ),
            (record("deviceEvent", 5, subType="alarm", alarmType="low_insulin"), "Note", {"notes": "low_insulin"}),
            (
                record("physicalActivity", 5, name="Run", duration={"units": "hours", "value": 0.5}),
                "Exercise",
                {"duration": 30, "notes": "Run"},
            ),
            (record("reportedState", 5, states=[{"state": "stress"}]), "Note", {"notes": "stress"}),
        ],
    )
    def test_a_record_is_seen_as_a_treatment(
        self, device: Device, sent: dict[str, Any], event_type: str, members: dict[str, Any]
    ) -> None:
        device.send_to_tidepool([sent])
        (treatment,) = device.treatments()
        assert treatment["eventType"] == event_type
        assert {name: treatment[name] for name in members} == members
        assert treatment["created_at"] == sent["time"]
        assert (treatment["enteredBy"], treatment["isReadOnly"]) == ("org.tidepool.Loop", True)
        assert device.treatments(f"find[_id]={treatment['_id']}")[0]["_id"] == treatment["_id"]

    @pytest.mark.parametrize(
        "sent",
        [
            record("bolus", 5, subType="normal", normal=0.0001),
            basal("scheduled", 30, 600_000),
            basal("temp", 30, 0),
            record("deviceEvent", 5, subType="prime", primeTarget="tubing"),
            record("deviceEvent", 5, subType="calibration", value=100, units="mg/dL"),
            record("bloodKetone", 5, value=1, units="mmol/L"),
        ],
    )
    def test_what_has_no_treatment_is_left_out(self, device: Device, sent: dict[str, Any]) -> None:
        device.send_to_tidepool([sent])
        assert device.treatments() == []

    def test_a_duration_of_an_override_is_in_ms_unless_loop_sends_it(self, device: Device) -> None:
        sent = record("deviceEvent", 5, subType="pumpSettingsOverride", overrideType="sleep", duration=3_600_000)
        sent["origin"]["name"] = "org.example.app"
        device.send_to_tidepool([sent])
        assert [treatment["duration"] for treatment in device.treatments()] == [60]

    def test_a_bolus_and_a_meal_of_one_second_are_a_meal_bolus(self, device: Device) -> None:
        meal = {"carbohydrate": {"net": 30, "units": "grams"}}
        device.send_to_tidepool([record("bolus", 5, subType="normal", normal=3), record("food", 5, nutrition=meal)])
        (treatment,) = device.treatments()
        assert (treatment["eventType"], treatment["insulin"], treatment["carbs"]) == ("Meal Bolus", 3, 30)

    def test_basals_of_one_rate_without_a_gap_are_one_and_gaps_stay(self, device: Device) -> None:
        five = 5 * MINUTE_MS
        device.send_to_tidepool(
            [
                basal("automated", 30, five),
                basal("automated", 25, five - MAX_GAP_MS),
                basal("automated", 20, five),
                basal("automated", 15, five, rate=2),
                basal("automated", 5, five, rate=2),
            ]
        )
        found = [(treatment["rate"], treatment["duration"]) for treatment in device.treatments()]
        assert found == [(2, 5), (2, 5), (1.5, 15)]

    def test_they_are_found_by_event_type_and_time(self, device: Device) -> None:
        events = [record("deviceEvent", 60 * hour, subType="prime", primeTarget="cannula") for hour in range(4)]
        device.send_to_tidepool([*events, record("bolus", 5, subType="normal", normal=1)])
        found = device.treatments("find[eventType]=Site+Change&find[created_at][$gte]=2025-12-31T22:00:00Z")
        assert [treatment["created_at"] for treatment in found] == [at(0), at(60), at(120)]


class TestReadOnly:
    def test_a_deletion_and_a_replacement_leave_it_as_it_is(self, device: Device) -> None:
        device.send_to_tidepool([cbg(100, 5), record("bolus", 5, subType="normal", normal=1)])
        (entry,), (treatment,) = device.found(), device.treatments()
        for path in ("entries", f"entries/{entry['_id']}", "treatments", f"treatments/{treatment['_id']}"):
            assert device.send("DELETE", f"/api/v1/{path}").json()["deletedCount"] == 0
        replaced = device.send("PUT", "/api/v1/treatments", treatment | {"insulin": 7})
        assert (replaced.status, replaced.json()["insulin"]) == (200, 1)
        assert (device.found(), device.treatments()) == ([entry], [treatment])


class TestEveryThingOnce:
    def test_what_an_app_sends_to_both_apis_is_shown_once_as_the_stored_document(self, device: Device) -> None:
        nutrition = {"carbohydrate": {"net": 30, "units": "grams"}}
        device.send_to_tidepool(
            [
                cbg(100, 5),
                cbg(101, 10),
                record("bolus", 5, subType="normal", normal=3),
                record("food", 7, nutrition=nutrition),
                basal("automated", 30, 300_000),
            ]
        )
        device.store({"type": "sgv", "sgv": 100, "date": START_MS - 5 * MINUTE_MS + 400, "device": "cgm"})
        treatments = [
            {"eventType": "Correction Bolus", "insulin": 3, "created_at": at(5), "enteredBy": "Loop"},
            {"eventType": "Carb Correction", "carbs": 30, "created_at": at(7), "enteredBy": "Loop"},
            {"eventType": "Temp Basal", "rate": 1.5, "absolute": 1.5, "duration": 5, "created_at": at(30)},
        ]
        device.send("POST", "/api/v1/treatments", treatments)
        assert [(entry["sgv"], entry.get("isReadOnly", False)) for entry in device.found()] == [
            (100, False),
            (101, True),
        ]
        found = [(treatment["eventType"], treatment.get("isReadOnly", False)) for treatment in device.treatments()]
        assert found == [("Correction Bolus", False), ("Carb Correction", False), ("Temp Basal", False)]

    def test_what_is_derived_from_documents_is_no_other_data(self, device: Device, fakes: FakeServices) -> None:
        device.store(*[{"type": "sgv", "sgv": 100, "date": START_MS - number * MINUTE_MS} for number in range(5)])
        assert len(device.found()) == len(device.data()) == 5
        device.send_to_tidepool([cbg(90, 30)])
        device.compact()
        assert [entry["sgv"] for entry in device.found()] == [100] * 5 + [90]

    def test_a_day_of_loop_is_seen_once_by_a_follower(self, device: Device) -> None:
        sent = list(loop_day())
        device.send_to_tidepool(sent)
        day = "find[created_at][$gte]=2025-06-09T00:00:00Z&find[created_at][$lte]=2025-06-12T00:00:00Z"
        treatments = device.treatments(f"count=2000&{day}")
        kinds = Counter(record["type"] for record in sent)
        boluses = [
            treatment
            for treatment in treatments
            if treatment["insulin"] is not None and treatment["eventType"] != "External Insulin"
        ]
        assert len(boluses) == kinds["bolus"]
        assert sum(treatment["insulin"] for treatment in boluses) == pytest.approx(
            sum(record["normal"] for record in sent if record["type"] == "bolus")
        )
        assert sorted(treatment["carbs"] for treatment in treatments if treatment["carbs"]) == sorted(
            record["nutrition"]["carbohydrate"]["net"] for record in sent if record["type"] == "food"
        )
        wanted = sum(
            record.get("rate", 0) * record["duration"] / 3_600_000
            for record in sent
            if record["type"] == "basal" and record["deliveryType"] != "scheduled"
        )
        seen = sum(
            treatment["rate"] * treatment["duration"] / 60
            for treatment in treatments
            if treatment["eventType"] == "Temp Basal"
        )
        assert seen == pytest.approx(wanted, rel=1e-4)
        bounds = "find[date][$gte]=1749427200000&find[date][$lte]=1749686400000"
        readings = device.found(f"count=2000&find[type][$ne]=cal&{bounds}")
        assert [entry["sgv"] for entry in readings if entry["type"] == "sgv"] == [
            record["value"] for record in reversed(sent) if record["type"] == "cbg"
        ]
        assert len({document["_id"] for document in (*readings, *treatments)}) == len(readings) + len(treatments)
