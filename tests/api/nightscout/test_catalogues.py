"""Food and activity of the Nightscout API."""

from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import at
from tests.fakes.services import FakeServices

APPLE = {"type": "food", "name": "Apple", "portion": 100, "carbs": 14, "unit": "g"}
QUICK = {"type": "quickpick", "name": "Breakfast", "hidden": "false", "position": 2, "carbs": 50, "foods": [APPLE]}
HEART_RATE = {"type": "hr-bpm", "timeStamp": 1_709_280_000_000, "created_at": at(5), "bpm": 71, "accuracy": 1}


def store(device: Device, path: str, sent: Any, method: str = "POST") -> list[dict[str, Any]]:
    """The documents as stored."""
    reply = device.send(method, f"/api/v1/{path}", sent)
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def found(device: Device, path: str) -> list[dict[str, Any]]:
    """The documents at a path."""
    reply = device.send("GET", f"/api/v1/{path}")
    assert reply.status == 200, reply.body
    documents: list[dict[str, Any]] = reply.json()
    return documents


class TestFood:
    def test_foods_are_listed_whole_and_by_kind(self, device: Device) -> None:
        (apple,) = store(device, "food", APPLE)
        second, first = store(device, "food", [QUICK, QUICK | {"name": "Snack", "position": 1}])
        assert apple == APPLE | {"_id": apple["_id"], "created_at": "2026-01-01T00:00:00.000Z"}
        assert found(device, "food/regular.json") == [apple]
        assert found(device, "food/quickpicks.json") == [first, second]
        assert len(found(device, "food.json")) == 3
        assert device.send("GET", "/api/v1/food/others").status == 404

    def test_an_equal_food_is_the_same_one(self, device: Device, fakes: FakeServices) -> None:
        (apple,) = store(device, "food", APPLE)
        before = fakes.items(DATA)
        fakes.now_ms += 1000
        assert store(device, "food", [APPLE, APPLE]) == [apple, apple]
        assert fakes.items(DATA) == before

    def test_a_food_is_replaced_and_deleted_by_its_id(self, device: Device) -> None:
        (apple,) = store(device, "food", APPLE)
        device.compact()
        (replaced,) = store(device, "food", apple | {"carbs": 15}, "PUT")
        assert (replaced["_id"], found(device, "food")) == (apple["_id"], [replaced])
        for _ in range(2):
            assert device.send("DELETE", f"/api/v1/food/{apple['_id']}").json() == {}
        assert found(device, "food") == []


class TestActivity:
    def test_activities_are_found_by_time_newest_first(self, device: Device) -> None:
        steps = {"type": "steps-total", "created_at": at(4), "steps": 4321}
        stored = store(device, "activity", [HEART_RATE, steps])
        assert [{**activity, "_id": None} for activity in stored] == [HEART_RATE | {"_id": None}, steps | {"_id": None}]
        reply = device.send("GET", f"/api/v1/activity.json?find[created_at][$gte]={at(5)}")
        assert reply.json() == stored[::-1]
        assert reply.headers["last-modified"] == "Wed, 31 Dec 2025 23:56:00 GMT"
        assert found(device, f"activity?find[created_at][$lt]={at(4)}") == stored[:1]

    def test_an_equal_activity_is_the_same_one(self, device: Device, fakes: FakeServices) -> None:
        first = store(device, "activity", [HEART_RATE])
        before = fakes.items(DATA)
        assert store(device, "activity", [HEART_RATE]) == first
        assert fakes.items(DATA) == before

    def test_an_activity_is_replaced_and_deleted_by_its_id(self, device: Device) -> None:
        (stored,) = store(device, "activity", HEART_RATE)
        (replaced,) = store(device, "activity", [stored | {"bpm": 80}], "PUT")
        assert found(device, "activity") == [replaced]
        assert device.send("DELETE", f"/api/v1/activity/{stored['_id']}").json() == {}
        assert found(device, "activity") == []


@pytest.mark.parametrize("path", ["food", "activity"])
class TestBoth:
    def test_an_id_of_another_form_is_refused(self, device: Device, path: str) -> None:
        for method, at_path, sent in (("POST", path, {"_id": "short"}), ("DELETE", f"{path}/short", None)):
            reply = device.send(method, f"/api/v1/{at_path}", sent)
            assert (reply.status, reply.json()["message"]) == (400, "Invalid _id format")

    def test_a_body_that_cannot_be_stored_stores_nothing(self, device: Device, path: str) -> None:
        assert device.send("POST", f"/api/v1/{path}", [{"name": "a"}, 7]).status == 400
        assert found(device, path) == []

    def test_they_derive_no_data(self, device: Device, path: str) -> None:
        store(device, path, [{"type": "sgv", "sgv": 100, "insulin": 1, "carbs": 20}])
        assert device.data() == []
