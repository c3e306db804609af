"""Temporary basals, targets and overrides, of which the next one ends the one before, in `GET /data`."""

import random
from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at
from tests.fakes.services import FakeServices


def basal(minutes_ago: float, rate: float, duration: float = 30, **more: Any) -> dict[str, Any]:
    """A temporary basal."""
    return {"eventType": "Temp Basal", "rate": rate, "duration": duration, "created_at": at(minutes_ago)} | more


def target(minutes_ago: float, duration: float, **more: Any) -> dict[str, Any]:
    """A temporary target."""
    range_mg_dl = {"targetTop": 140, "targetBottom": 120} if duration else {}
    return {"eventType": "Temporary Target", "duration": duration, "created_at": at(minutes_ago)} | range_mg_dl | more


def store(device: Device, *sent: dict[str, Any]) -> list[dict[str, Any]]:
    """The treatments as stored."""
    reply = device.send("POST", "/api/v1/treatments", list(sent))
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def lines(device: Device) -> list[tuple[float, float, float | None]]:
    """Rate, minutes and announced minutes of each basal in `GET /data`, by time."""
    records = sorted(device.data(), key=lambda record: str(record["time"]))
    expected = [record.get("expectedDuration") for record in records]
    return [
        (record.get("rate", 0), record["duration"] / MINUTE_MS, None if ms is None else ms / MINUTE_MS)
        for record, ms in zip(records, expected, strict=True)
    ]


class TestTemporaryBasals:
    @pytest.mark.parametrize(
        ("more", "kind"),
        [
            ({}, "temp"),
            ({"automatic": True}, "automated"),
            ({"enteredBy": "loop://phone"}, "automated"),
            ({"enteredBy": "Trio"}, "automated"),
            ({"app": "AAPS"}, "automated"),
            ({"reason": "suspend", "automatic": True}, "suspend"),
            ({"type": "PUMP_SUSPEND", "app": "AAPS"}, "suspend"),
        ],
    )
    def test_one_is_a_basal_for_as_long_as_it_announces(self, device: Device, more: dict[str, Any], kind: str) -> None:
        store(device, basal(60, 0.35, 28.5, **more))
        (record,) = device.data()
        assert (record["type"], record["deliveryType"], record["duration"]) == ("basal", kind, 1_710_000)
        assert record.get("rate") == (None if kind == "suspend" else 0.35)
        assert "expectedDuration" not in record

    def test_the_next_one_ends_it_and_gaps_stay_gaps(self, device: Device) -> None:
        store(device, basal(100, 1), basal(90, 2), basal(50, 3))
        assert lines(device) == [(1, 10, 30), (2, 30, None), (3, 30, None)]

    def test_one_without_a_duration_ends_it_and_is_none(self, device: Device) -> None:
        store(device, basal(100, 1))
        store(device, basal(80, 0, 0))
        assert lines(device) == [(1, 20, 30)]
        assert len(device.treatments()) == 2

    def test_one_that_comes_late_is_put_between(self, device: Device) -> None:
        store(device, basal(100, 1), basal(80, 3))
        device.compact()
        store(device, basal(90, 2))
        assert lines(device) == [(1, 10, 30), (2, 10, 30), (3, 30, None)]

    def test_a_deletion_lets_the_one_before_go_on(self, device: Device) -> None:
        _, second = store(device, basal(100, 1), basal(90, 2))
        device.compact()
        device.send("DELETE", f"/api/v1/treatments/{second['_id']}")
        assert lines(device) == [(1, 30, None)]

    def test_a_move_lets_the_one_before_go_on_and_ends_another(self, device: Device) -> None:
        store(device, basal(200, 1), basal(190, 2, identifier="own"), basal(100, 3))
        store(device, basal(90, 2, identifier="own"))
        assert lines(device) == [(1, 30, None), (3, 10, 30), (2, 30, None)]

    def test_a_change_of_kind_lets_the_one_before_go_on(self, device: Device) -> None:
        store(device, basal(200, 1), basal(190, 2, identifier="own"))
        store(device, {"eventType": "Note", "identifier": "own", "created_at": at(190), "notes": "no basal"})
        assert lines(device) == [(1, 30, None)]

    def test_midnight_ends_nothing(self, device: Device) -> None:
        store(device, basal(1450, 1))
        store(device, basal(1430, 2))
        assert lines(device) == [(1, 20, 30), (2, 30, None)]

    def test_two_of_one_time_are_one_in_the_end(self, device: Device) -> None:
        store(device, basal(100, 1, identifier="a"), basal(100, 2, identifier="b"))
        assert lines(device) == [(2, 30, None)]

    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_of_arrival_does_not_matter(self, device: Device, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - no secret depends on it
        minutes = chance.sample(range(5, 400), 20)
        sent = [basal(ago, 1 + ago / 1000, chance.choice([0, 10, 30, 60])) for ago in minutes]
        for start in range(0, 20, 4):
            store(device, *sent[start : start + 4])
            if chance.random() < 0.3:
                device.compact()
        by_time = sorted(sent, key=lambda treatment: str(treatment["created_at"]))
        ago_by_time = sorted(minutes, reverse=True)
        wanted = []
        for treatment, ago, next_ago in zip(by_time, ago_by_time, [*ago_by_time[1:], -1000], strict=True):
            announced = treatment["duration"]
            if announced:
                lasts = min(announced, ago - next_ago)
                wanted.append((treatment["rate"], lasts, announced if lasts < announced else None))
        assert lines(device) == wanted

    def test_a_repetition_writes_nothing(self, device: Device, fakes: FakeServices) -> None:
        sent = [basal(100, 1), basal(90, 2)]
        store(device, *sent)
        before = fakes.items(DATA)
        store(device, *sent)
        assert fakes.items(DATA) == before

    def test_a_day_of_a_loop_is_seen_once_and_without_overlaps(self, device: Device) -> None:
        for hour in range(24):
            store(device, *[basal(60 * hour + 5 * part, part / 10, 30, app="AAPS") for part in range(12)])
        records = sorted(device.data(), key=lambda record: str(record["time"]))
        assert [record["duration"] for record in records] == [5 * MINUTE_MS] * 287 + [30 * MINUTE_MS]
        assert {record["deliveryType"] for record in records} == {"automated"}


class TestTargetsAndOverrides:
    def test_a_cancellation_ends_a_target(self, device: Device) -> None:
        store(device, target(60, 60))
        store(device, target(45, 0, reason="Canceled"))
        (record,) = device.data()
        assert (record["duration"], record["expectedDuration"]) == (15 * MINUTE_MS, 60 * MINUTE_MS)

    def test_an_override_is_ended_by_the_next_one_and_no_other_kind(self, device: Device) -> None:
        run = {"eventType": "Temporary Override", "reason": "Run", "created_at": at(120)}
        store(device, run)
        store(device, target(110, 10), basal(105, 1))
        assert "duration" not in next(record for record in device.data() if record.get("overridePreset") == "Run")
        store(device, run | {"reason": "Walk", "duration": 30, "created_at": at(100)})
        ended = next(record for record in device.data() if record.get("overridePreset") == "Run")
        assert (ended["duration"], ended.get("expectedDuration")) == (20 * MINUTE_MS, None)

    def test_an_app_that_sends_an_override_again_with_its_true_duration_ends_it(self, device: Device) -> None:
        run = {"_id": "395C4173-702E-4100-A8A4-2EBC9B3BA2F8", "eventType": "Temporary Override", "reason": "Run"}
        store(device, run | {"duration": 60, "created_at": at(120)})
        store(device, run | {"duration": 20, "created_at": at(120)})
        assert [record["duration"] for record in device.data()] == [20 * MINUTE_MS]
