"""The demo's synthetic person: repeatable, plausible, and in the form that an app sends."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tools.demo import generator
from tools.demo.comparison import key_of

START = datetime(2026, 3, 1, tzinfo=generator.LOCAL_TIME)


@pytest.fixture(scope="module")
def month() -> list[dict[str, Any]]:
    return generator.records(30, 1, START)


def test_same_seed_makes_the_same_records(month: list[dict[str, Any]]) -> None:
    assert generator.records(30, 1, START) == month


def test_other_seed_makes_other_records(month: list[dict[str, Any]]) -> None:
    other = generator.records(30, 2, START)
    assert [record["value"] for record in other if record["type"] == "cbg"] != [
        record["value"] for record in month if record["type"] == "cbg"
    ]
    assert not {key_of(record) for record in other} & {key_of(record) for record in month}


def test_readings_come_every_five_minutes_except_after_two_sensor_changes(month: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(record["time"]) for record in month if record["type"] == "cbg"]
    gaps = Counter((later - earlier).total_seconds() for earlier, later in pairwise(times))
    assert times[0] == START.replace(second=17)
    assert len(times) == 30 * 288 - 2 * 24
    assert gaps == {300: len(times) - 3, 7500: 2}


def test_every_type_is_generated(month: list[dict[str, Any]]) -> None:
    types = Counter(record["type"] for record in month)
    assert set(types) == {"cbg", "smbg", "basal", "bolus", "wizard", "food", "pumpSettings"}
    assert {record["deliveryType"] for record in month if record["type"] == "basal"} == {"scheduled", "temp", "suspend"}
    assert types["wizard"] > 60


def test_glucose_is_plausible(month: list[dict[str, Any]]) -> None:
    values = [record["value"] for record in month if record["type"] == "cbg"]
    steps = [abs(later - earlier) for earlier, later in pairwise(values)]
    assert all(40 <= value <= 400 for value in values)
    assert 110 < sum(values) / len(values) < 180
    assert sum(70 <= value <= 180 for value in values) / len(values) > 0.6
    assert sorted(steps)[int(len(steps) * 0.99)] < 25


def test_basal_is_delivered_without_gap_or_overlap(month: list[dict[str, Any]]) -> None:
    basals = [record for record in month if record["type"] == "basal"]
    end = START.timestamp()
    for basal in basals:
        assert datetime.fromisoformat(basal["time"]).timestamp() == end
        end += basal["duration"] / 1000
    assert end == START.timestamp() + 30 * 24 * 3600


def test_every_record_has_its_own_origin(month: list[dict[str, Any]]) -> None:
    embedded = [record["bolus"] for record in month if record["type"] == "wizard"]
    keys = Counter(key_of(record) for record in [*month, *embedded])
    assert set(keys.values()) == {1}
    assert all(origin_id for _, origin_id in keys)


def test_records_are_in_order_and_within_the_days(month: list[dict[str, Any]]) -> None:
    times = [record["time"] for record in month]
    assert times == sorted(times)
    assert times[0] == "2026-03-01T07:00:00.000Z"
    assert times[-1] < "2026-03-31T07:00:00.000Z"


def test_the_data_set_names_the_pump_of_the_settings(month: list[dict[str, Any]]) -> None:
    # Viewers find the settings of a pump by the brand of the data set.
    (settings,) = (record for record in month if record["type"] == "pumpSettings")
    names = {"deviceId": "deviceId", "manufacturers": "deviceManufacturers", "model": "deviceModel"}
    names["serialNumber"] = "deviceSerialNumber"
    assert {name: settings[name] for name in names} == {name: generator.DATA_SET[names[name]] for name in names}
    assert settings["manufacturers"] == ["Tandem"]


def test_each_schedule_of_the_pump_has_an_entry_at_each_time_as_this_brand_has(month: list[dict[str, Any]]) -> None:
    # Viewers make a row of each time of the targets, and look for `target`.
    (settings,) = (record for record in month if record["type"] == "pumpSettings")
    names = ("basalSchedules", "bgTargets", "carbRatios", "insulinSensitivities")
    starts = [[entry["start"] for entry in settings[name]["Everyday"]] for name in names]
    assert len(starts[0]) == 4
    assert starts == [starts[0]] * 4
    assert all(entry.keys() == {"start", "target"} for entry in settings["bgTargets"]["Everyday"])
