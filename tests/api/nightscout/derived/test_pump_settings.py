"""Profiles and profile switches of the Nightscout API as pump settings in `GET /data`."""

import json
from typing import Any

import pytest

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import at, record
from tests.api.nightscout.v3 import AT_MS, V3

PROFILE = "/api/v1/profile.json"
MG_DL_PER_MMOL_L = 18.01559


def starts(*values: Any) -> list[dict[str, Any]]:
    """A schedule with one value for each six hours."""
    return [{"time": f"{6 * n:02}:00", "timeAsSeconds": 21_600 * n, "value": value} for n, value in enumerate(values)]


def schedules(**members: Any) -> dict[str, Any]:
    """The schedules of a profile under one name."""
    whole = {
        "dia": 6,
        "timezone": "Europe/Berlin",
        "units": "mg/dl",
        "basal": starts(0.7, 0.9),
        "carbratio": starts(9),
        "sens": starts(45),
        "target_low": starts(100),
        "target_high": starts(110, 120),
    }
    return whole | members


def profile(minutes_ago: float = 60, **members: Any) -> dict[str, Any]:
    """A profile that starts some minutes ago."""
    whole = {"defaultProfile": "Day", "startDate": at(minutes_ago), "store": {"Day": schedules()}, "enteredBy": "Loop"}
    return whole | members


def store(device: Device, *sent: dict[str, Any], path: str = PROFILE) -> list[dict[str, Any]]:
    """The documents as stored."""
    reply = device.send("POST", path, list(sent))
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def in_mg_dl(value_mmol_l: float) -> int:
    """A stored glucose value in mg/dL."""
    return round(value_mmol_l * MG_DL_PER_MMOL_L)


class TestProfiles:
    def test_one_is_seen_as_settings_with_its_origin(self, device: Device) -> None:
        (stored,) = store(device, profile())
        (settings,) = device.data()
        assert (settings["type"], settings["time"], settings["deviceId"]) == (
            "pumpSettings",
            "2025-12-31T23:00:00Z",
            "Loop",
        )
        assert settings["origin"] == {
            "id": f"ns:profile:{stored['_id']}:settings",
            "name": "Loop",
            "type": "application",
        }
        assert settings["payload"] == {"nightscout": {"collection": "profile", "_id": stored["_id"]}}
        assert (settings["activeSchedule"], settings["timezone"]) == ("Day", "Europe/Berlin")
        assert settings["basalSchedules"] == {"Day": [{"start": 0, "rate": 0.7}, {"start": 21_600_000, "rate": 0.9}]}
        assert settings["carbRatios"] == {"Day": [{"start": 0, "amount": 9}]}
        assert settings["units"] == {"bg": "mmol/L", "carb": "grams", "insulin": "Units"}
        assert in_mg_dl(settings["insulinSensitivities"]["Day"][0]["amount"]) == 45
        targets = [
            (target["start"], in_mg_dl(target["low"]), in_mg_dl(target["high"]))
            for target in settings["bgTargets"]["Day"]
        ]
        assert targets == [(0, 100, 110), (21_600_000, 100, 120)]
        assert settings["bolus"]["calculator"]["insulin"] == {"duration": 6, "units": "hours"}

    def test_the_limits_and_presets_of_loop_are_there(self, device: Device) -> None:
        of_loop = {
            "maximumBasalRatePerHour": 3.5,
            "maximumBolus": 8,
            "minimumBGGuard": 75,
            "preMealTargetRange": [80, 90],
            "overridePresets": [
                {
                    "name": "Run",
                    "symbol": "R",
                    "duration": 3600,
                    "targetRange": [150, 140],
                    "insulinNeedsScaleFactor": 0.5,
                },
                {"name": "Ill", "duration": 0, "insulinNeedsScaleFactor": 100},
                {"symbol": "?"},
                "none",
            ],
        }
        store(device, profile(loopSettings=of_loop))
        (settings,) = device.data()
        assert settings["basal"]["rateMaximum"] == {"units": "Units/hour", "value": 3.5}
        assert settings["bolus"]["amountMaximum"] == {"units": "Units", "value": 8}
        assert in_mg_dl(settings["bgSafetyLimit"]) == 75
        assert [in_mg_dl(settings["bgTargetPreprandial"][bound]) for bound in ("low", "high")] == [80, 90]
        run = settings["overridePresets"]["Run"]
        assert (run["abbreviation"], run["duration"], in_mg_dl(run["bgTarget"]["low"])) == ("R", 3_600_000, 140)
        assert (run["basalRateScaleFactor"], run["carbRatioScaleFactor"]) == (0.5, 2)
        assert settings["overridePresets"]["Ill"] == {}

    def test_numbers_may_be_texts_and_seconds_may_be_missing(self, device: Device) -> None:
        of_editor = [{"time": "00:00", "value": "0.7"}, {"time": "13:30", "value": "0.9", "timeAsSeconds": "48600"}]
        store(device, profile(store={"Day": {"basal": of_editor, "dia": "5"}}))
        (settings,) = device.data()
        assert settings["basalSchedules"]["Day"] == [{"start": 0, "rate": 0.7}, {"start": 48_600_000, "rate": 0.9}]
        assert settings["bolus"]["calculator"]["insulin"]["duration"] == 5

    def test_units_of_mmol_l_stay(self, device: Device) -> None:
        targets = {"target_low": starts(5), "target_high": starts(6)}
        store(device, profile(store={"Day": schedules(units="mmol", sens=starts(2.5), **targets)}))
        (settings,) = device.data()
        assert settings["insulinSensitivities"]["Day"] == [{"start": 0, "amount": 2.5}]

    def test_several_schedules_are_there_by_name_and_one_in_other_units_is_not(self, device: Device) -> None:
        named = {"Night": schedules(basal=starts(0.3)), "Day": schedules(), "Odd": schedules(units="mmol")}
        store(device, profile(store=named))
        assert device.data()[0]["basalSchedules"].keys() == {"Day", "Night"}

    @pytest.mark.parametrize("default", [None, "Gone", ["Day"], 7])
    def test_without_a_default_the_first_schedule_is_active(self, device: Device, default: Any) -> None:
        store(device, profile(defaultProfile=default))
        assert device.data()[0]["activeSchedule"] == "Day"

    @pytest.mark.parametrize("zone", ["ETC/GMT+5", "Nowhere", 5, ["Europe/Berlin"], None])
    def test_a_zone_by_another_name_and_a_time_of_insulin_out_of_range_are_left_out(
        self, device: Device, zone: Any
    ) -> None:
        store(device, profile(store={"Day": schedules(timezone=zone, dia=24)}))
        (settings,) = device.data()
        assert settings.keys().isdisjoint({"timezone", "bolus"})

    @pytest.mark.parametrize(
        "of_day",
        [
            {},
            {"basal": []},
            {"basal": "0.7"},
            schedules(basal=[{"time": "06:00", "timeAsSeconds": 21_600, "value": 1}]),
            schedules(basal=[{"time": "soon", "value": 1}]),
            schedules(basal=[{"time": "00:00", "value": "NaN"}]),
            schedules(basal=[{"time": "00:00", "value": True}]),
            schedules(basal=[7]),
            schedules(sens=starts(10**12)),
            schedules(basal=starts(*range(97))),
        ],
    )
    def test_one_whose_schedules_cannot_be_read_is_kept_and_derives_nothing(
        self, device: Device, of_day: dict[str, Any]
    ) -> None:
        (stored,) = store(device, profile(store={"Day": of_day}))
        assert device.data() == []
        assert device.send("GET", "/api/v1/profile/current").json() == stored

    @pytest.mark.parametrize("members", [{"store": None}, {"store": []}, {"store": {}}, {"store": {"Day": 7}}])
    def test_one_without_schedules_derives_nothing(self, device: Device, members: dict[str, Any]) -> None:
        store(device, profile(**members))
        assert device.data() == []

    def test_a_change_and_a_deletion_are_seen(self, device: Device) -> None:
        (stored,) = store(device, profile())
        changed = stored | {"store": {"Day": schedules(basal=starts(1.5))}}
        assert device.send("PUT", PROFILE, changed).status == 200
        assert [record["basalSchedules"]["Day"][0]["rate"] for record in device.data()] == [1.5]
        device.send("DELETE", f"/api/v1/profile/{stored['_id']}")
        assert device.data() == []

    def test_an_app_that_sends_its_settings_to_both_apis_is_seen_once_in_each(self, device: Device) -> None:
        rates = [{"start": 0, "rate": 0.7}]
        device.send_to_tidepool([record("pumpSettings", 60, activeSchedule="Day", basalSchedules={"Day": rates})])
        store(device, profile(60))
        assert [record["origin"]["id"].startswith("ns:") for record in device.data()] == [False]
        assert [profile.get("isReadOnly", False) for profile in device.send("GET", PROFILE).json()] == [False]

    def test_one_of_v3_is_seen_too(self, v3: V3) -> None:
        sent = profile() | {"date": AT_MS, "app": "AAPS", "utcOffset": 60, "identifier": "p"}
        v3.create("profile", sent)
        (settings,) = v3.device.data()
        assert (settings["origin"]["name"], settings["timezoneOffset"]) == ("AAPS", 60)
        v3.send("DELETE", "profile/p")
        assert v3.device.data() == []


class TestProfileSwitches:
    def test_one_that_brings_its_schedules_along_is_seen_as_settings(self, device: Device) -> None:
        switch = {
            "eventType": "Profile Switch",
            "created_at": at(30),
            "profile": "Sport",
            "duration": 60,
            "percentage": 80,
        }
        sent = switch | {"profileJson": json.dumps(schedules(basal=starts(0.4))), "enteredBy": "AAPS"}
        store(device, sent, path="/api/v1/treatments")
        (settings,) = device.data()
        assert (settings["type"], settings["activeSchedule"]) == ("pumpSettings", "Sport")
        assert settings["basalSchedules"] == {"Sport": [{"start": 0, "rate": 0.4}]}
        assert settings["payload"]["nightscout"]["eventType"] == "Profile Switch"

    @pytest.mark.parametrize("text", [None, 7, "", "{", "[]", "7", "{}", '{"basal": 7}', "[" * 5000])
    def test_one_that_only_names_a_profile_is_kept_and_derives_nothing(self, device: Device, text: Any) -> None:
        switch = {"eventType": "Profile Switch", "created_at": at(30), "profile": "Sport", "profileJson": text}
        (stored,) = store(device, switch, path="/api/v1/treatments")
        assert stored["profile"] == "Sport"
        assert device.data() == []
