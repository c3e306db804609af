"""Temporary basals that are a percentage of the schedule, in `GET /data`."""

from typing import Any

import pytest

from tests.api.nightscout.device import Device
from tests.api.nightscout.records import MINUTE_MS, at
from tests.api.nightscout.v3 import V3
from tests.fakes.services import START_MS, FakeServices

HOUR = 60


def profile(days_ago: float, *rates: float, zone: Any = "Etc/GMT") -> dict[str, Any]:
    """A profile with one rate for each six hours."""
    basal = [{"time": f"{6 * n:02}:00", "timeAsSeconds": 21_600 * n, "value": rate} for n, rate in enumerate(rates)]
    of_day = {"timezone": zone, "basal": basal}
    return {"defaultProfile": "Day", "startDate": at(days_ago * 24 * HOUR), "store": {"Day": of_day}}


def basal(hours_ago: float, percent: Any, **members: Any) -> dict[str, Any]:
    """A temporary basal of half an hour, of a percentage."""
    created = {"created_at": at(hours_ago * HOUR), "eventType": "Temp Basal", "duration": 30, "percent": percent}
    return created | members


def store(device: Device, *profiles: dict[str, Any]) -> None:
    """Store profiles."""
    assert device.send("POST", "/api/v1/profile", list(profiles)).status == 200


def rates(device: Device, *sent: dict[str, Any]) -> list[tuple[float, float | None]]:
    """Rate and percentage of each basal that is derived from treatments, by time."""
    assert device.send("POST", "/api/v1/treatments", list(sent)).status == 200
    return [(record["rate"], record.get("percent")) for record in basals(device)]


def basals(device: Device) -> list[dict[str, Any]]:
    """The basal records of a person, by time."""
    records = (record for record in device.data() if record["type"] == "basal")
    return sorted(records, key=lambda record: str(record["time"]))


@pytest.mark.parametrize("is_compacted", [False, True])
def test_the_rate_is_that_of_the_schedule_at_the_beginning(device: Device, is_compacted: bool) -> None:
    store(device, profile(2, 1.0, 0.8, 0.6, 0.4))
    if is_compacted:
        device.compact()
    found = rates(device, basal(23, -50), basal(17, 25), basal(5.9, -100), basal(1, "50"))
    assert found == [(0.5, 0.5), (1.0, 1.25), (0, 0), (0.6, 1.5)]


def test_the_profile_is_the_one_that_started_last_before(device: Device) -> None:
    store(device, profile(5, 1.0), profile(2, 2.0), profile(0.5, 3.0))
    assert rates(device, basal(72, 10), basal(24, 10), basal(1, 10)) == [(1.1, 1.1), (2.2, 1.1), (3.3, 1.1)]


@pytest.mark.parametrize(
    ("zone", "created", "rate"),
    [
        ("America/New_York", "2025-12-31T22:30:00Z", 3.0),
        ("Etc/GMT", "2025-12-31T17:30:00-05:00", 4.0),
        ("ETC/GMT+5", "2025-12-31T17:30:00-05:00", 3.0),
        (None, "2026-01-01T00:30:00+02:00", 1.0),
        (["x"], "2025-12-31T22:30:00Z", 4.0),
    ],
)
def test_the_time_of_the_day_is_that_of_the_profile_else_of_the_treatment(
    device: Device, zone: Any, created: str, rate: float
) -> None:
    store(device, profile(2, 1.0, 2.0, 3.0, 4.0, zone=zone))
    assert rates(device, basal(0, 100, created_at=created)) == [(2 * rate, 2)]


def test_one_without_a_profile_before_it_is_kept_and_derives_nothing(device: Device) -> None:
    store(device, profile(0.5, 1.0))
    assert rates(device, basal(24, -50)) == []
    assert len(device.treatments()) == 1


@pytest.mark.parametrize("of_day", [{}, {"basal": []}, {"basal": [{"time": "soon", "value": 1}]}])
def test_one_under_a_profile_that_cannot_be_read_derives_nothing(device: Device, of_day: dict[str, Any]) -> None:
    store(device, profile(2) | {"store": {"Day": of_day}})
    assert rates(device, basal(1, -50)) == []


def test_a_rate_that_is_sent_counts(device: Device) -> None:
    store(device, profile(2, 1.0))
    assert rates(device, basal(1, -50, rate=0.3)) == [(0.3, None)]


def test_a_rate_of_the_schedule_that_a_client_makes_up_does_not(device: Device) -> None:
    assert rates(device, basal(1, -50, scheduledRate=9)) == []


def test_the_next_one_ends_it(device: Device) -> None:
    store(device, profile(2, 1.0))
    rates(device, basal(1, -50))
    rates(device, basal(0.75, 0, rate=2))
    first, _ = basals(device)
    assert (first["rate"], first["duration"]) == (0.5, 15 * MINUTE_MS)


def test_one_of_v3_has_its_rate_too(v3: V3) -> None:
    store(v3.device, profile(2, 1.0))
    sent = {"eventType": "Temp Basal", "duration": 30, "percent": 20, "app": "site", "utcOffset": 0}
    v3.create("treatments", sent | {"date": START_MS - HOUR * MINUTE_MS})
    assert [record["rate"] for record in basals(v3.device)] == [1.2]


def test_others_read_no_profile(device: Device, fakes: FakeServices) -> None:
    store(device, profile(2, 1.0))
    rates(device, basal(2, 0, rate=1))
    made: list[list[str]] = []
    for hours_ago, percent, members in ((1.5, 0, {"rate": 1.1}), (1.0, 50, {})):
        calls: list[str] = []
        made.append(calls)
        fakes.calls.watch = calls.append
        assert device.send("POST", "/api/v1/treatments", basal(hours_ago, percent, **members)).status == 200
    plain, of_schedule = map(len, made)
    assert plain < of_schedule <= plain + 4
