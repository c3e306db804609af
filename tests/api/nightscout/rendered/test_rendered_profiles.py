"""Pump settings of the Tidepool API as a follower of the Nightscout API sees them."""

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import loop_day, record


class TestProfiles:
    def test_settings_of_loop_are_a_profile(self, device: Device) -> None:
        device.send_to_tidepool([record for record in loop_day() if record["type"] == "pumpSettings"])
        profile = device.send("GET", "/api/v1/profile/current").json()
        of_default = profile["store"]["Default"]
        assert profile["defaultProfile"] == "Default"
        assert profile["startDate"] == "2025-06-10T00:10:00.000Z"
        assert profile["mills"] == 1_749_514_200_000
        assert of_default["basal"][1] == {"time": "05:00", "value": 0.95, "timeAsSeconds": 18_000}
        assert [ratio["value"] for ratio in of_default["carbratio"]] == [8, 9]
        assert [of_default[name][0]["value"] for name in ("sens", "target_low", "target_high")] == [45, 100, 115]
        assert {name: of_default[name] for name in ("dia", "units", "carbs_hr", "delay", "timezone")} == {
            "dia": 6,
            "units": "mg/dl",
            "carbs_hr": 0,
            "delay": 0,
            "timezone": "America/Los_Angeles",
        }
        assert profile["loopSettings"] == {
            "maximumBasalRatePerHour": 4,
            "maximumBolus": 9,
            "minimumBGGuard": 75,
            "preMealTargetRange": [80, 90],
        }
        assert device.send("GET", "/api/v1/profile.json?count=1").json() == [profile]
        query = "count=1&find[startDate][$lte]=2026-01-01T00:00:00Z"
        assert device.send("GET", f"/api/v1/profiles.json?{query}").json() == [profile]
        assert device.send("DELETE", f"/api/v1/profile/{profile['_id']}").json() == {}
        assert device.send("GET", "/api/v1/profile/current").json() == profile

    def test_settings_with_several_schedules_name_each_and_the_active_one_as_default(self, device: Device) -> None:
        settings = record(
            "pumpSettings",
            5,
            activeSchedule="Normal",
            basalSchedules={"Normal": [{"start": 0, "rate": 0.7}], "Sport": [{"start": 0, "rate": 0.3}]},
            bgTarget=[{"start": 0, "target": 100, "range": 10}],
            carbRatio=[{"start": 0, "amount": 1}],
            insulinSensitivity=[{"start": 0, "amount": 40}],
            units={"bg": "mg/dL", "carb": "exchanges"},
            timezoneOffset=120,
        )
        device.send_to_tidepool([settings])
        profile = device.send("GET", "/api/v1/profile/current").json()
        assert profile["store"].keys() == {"Default", "Normal", "Sport"}
        normal = profile["store"]["Normal"]
        assert profile["store"]["Default"] == normal
        assert [normal[name][0]["value"] for name in ("basal", "sens", "target_low", "target_high")] == [
            0.7,
            40,
            90,
            110,
        ]
        # A ratio of exchanges is not a ratio of grams.
        assert (normal["carbratio"], normal["timezone"]) == ([], "Etc/GMT-2")
        assert profile["store"]["Sport"]["sens"] == []
