"""Tests xDrip+ and AndroidAPS: a day and a week in one request each, repeated after a supposed failure."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import User, sample
from tools.demo.comparison import Key, differences, key_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

CLIENT_NAMES = {"xdrip": "com.eveningoutpost.dexdrip", "aaps": "info.nightscout.androidaps"}


def _keys(records: list[dict[str, Any]]) -> Counter[Key]:
    """The number of records by type and origin id."""
    return Counter(key_of(record) for record in records)


def _boluses(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The boluses inside wizards."""
    return [record["bolus"] for record in records if record["type"] == "wizard"]


@pytest.mark.parametrize("app", CLIENT_NAMES)
def test_a_window_that_is_posted_twice_is_stored_once(platform: "Platform", app: str) -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample(f"{app}/01_create_data_set.json"))
    day, week = sample(f"{app}/02_data_day.json"), sample(f"{app}/03_data_week.json")
    for window in (day, week, week, day):
        user.add(f"/v1/datasets/{data_set_id}/data", window)

    sent, seen = [*day, *week], user.records()
    for record in sent:
        record.pop("deviceSerialNumber", None)  # AndroidAPS sends it in pumpSettings; no such member, so it is dropped
    wanted = _keys([*sent, *_boluses(sent)])
    assert _keys(seen) == wanted
    # Twins, which came in one request and are both kept, have a test of their own.
    twins = {key for key, count in wanted.items() if count > 1}
    twins |= {key_of(record) for record in sent if record["type"] == "wizard" and key_of(record["bolus"]) in twins}
    sent, seen = ([record for record in records if key_of(record) not in twins] for records in (sent, seen))
    assert len(sent) > 2800
    assert differences(sent, seen, data_set_id) == []


def test_two_boluses_with_one_origin_id_in_one_request_are_both_kept(platform: "Platform") -> None:
    """AndroidAPS gives the bolus that stands for "none" inside a wizard the id of a real one of the same moment."""
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample("aaps/01_create_data_set.json"))
    week = sample("aaps/03_data_week.json")
    real = {record["origin"]["id"]: record["normal"] for record in week if record["type"] == "bolus"}
    twins = {bolus["origin"]["id"] for bolus in _boluses(week)} & real.keys()
    assert len(twins) == 2
    for _ in range(2):
        user.add(f"/v1/datasets/{data_set_id}/data", week)
    seen = [record for record in user.records("?type=bolus,wizard") if record["origin"]["id"] in twins]
    assert sorted((record["origin"]["id"], record["normal"]) for record in seen if record["type"] == "bolus") == sorted(
        (origin_id, normal) for origin_id in twins for normal in (0.0001, real[origin_id])
    )
    none_ids = {record["id"] for record in seen if record.get("normal") == 0.0001}
    links = {record["bolus"] for record in user.records("?type=wizard")}
    assert none_ids <= links


def test_wizard_and_its_bolus_with_the_same_origin_id_are_both_kept(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample("xdrip/01_create_data_set.json"))
    wizards = [record for record in sample("xdrip/02_data_day.json") if record["type"] == "wizard"]
    assert all(wizard["origin"]["id"] == wizard["bolus"]["origin"]["id"] for wizard in wizards)
    for _ in range(2):
        user.add(f"/v1/datasets/{data_set_id}/data", wizards)
    seen = user.records()
    bolus_ids = {record["origin"]["id"]: record["id"] for record in seen if record["type"] == "bolus"}
    links = {record["origin"]["id"]: record["bolus"] for record in seen if record["type"] == "wizard"}
    assert len(seen) == 2 * len(wizards)
    assert links == bolus_ids


@pytest.mark.parametrize(("app", "name"), CLIENT_NAMES.items())
def test_the_data_set_is_found_by_the_exact_name_of_the_client(platform: "Platform", app: str, name: str) -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample(f"{app}/01_create_data_set.json"))
    user.open_data_set({"dataSetType": "continuous", "client": {"name": "org.example.other", "version": "1.0.0"}})
    path = f"/v1/users/{user.id}/data_sets"
    found = user.request("GET", f"{path}?client.name={name}&size=1").json()
    assert [data_set["uploadId"] for data_set in found] == [data_set_id]
    # AndroidAPS looks for a name that it never uses, and must not be given another app's data set (clients 0, fact 10).
    reply = user.request("GET", f"{path}?client.name=AAPS&size=1")
    assert (reply.status, reply.json()) == (200, [])


def test_times_with_seven_fraction_digits_come_back_with_three_at_most(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample("xdrip/01_create_data_set.json"))
    readings = [record for record in sample("xdrip/02_data_day.json") if record["type"] == "cbg"][:2]
    readings[0]["time"], readings[1]["time"] = "2025-06-11T00:01:13.3550000Z", "2025-06-11T00:06:13.0000000Z"
    user.add(f"/v1/datasets/{data_set_id}/data", readings)
    assert sorted(record["time"] for record in user.records()) == ["2025-06-11T00:01:13.355Z", "2025-06-11T00:06:13Z"]
