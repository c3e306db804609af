"""Tests profiles and consensus metrics against golden vectors, which numpy computed from the published formulas."""

from typing import Any

import pytest

from chalicelib.durations import DAY_MS, MINUTE_MS
from chalicelib.summaries.agp import Window, profile_body
from chalicelib.summaries.local_time import zone_named
from tests.golden.glucose_vectors import cases, counted_cbg, time_ms

TOLERANCES = {"meanMgdl": 0.01, "sdMgdl": 0.01}
EXACT = ("from", "to", "firstReading", "lastReading", "records", "minutes", "datesWithData", "enough", "gmi")


def computed(case: Any) -> dict[str, Any] | None:
    """The profile of a case; None where the window holds no reading."""
    found = counted_cbg(case["data"])
    if "end" in case:
        to_ms = time_ms(case["end"])
    elif found:
        to_ms = found[-1].time_ms + found[-1].minutes * MINUTE_MS
    else:
        return None
    window = Window(to_ms - case["days"] * DAY_MS, to_ms)
    inside = [reading for reading in found if window.from_ms <= reading.time_ms < window.to_ms]
    zone = zone_named(case["timeZone"])
    assert zone is not None
    return profile_body(inside, window, zone, case["binMinutes"]) if inside else None


@pytest.mark.parametrize("name", cases("agp"))
def test_profile_is_the_published_one(name: str) -> None:
    case = cases("agp")[name]
    body = computed(case)
    require_profile(body, case["expect"])


def require_profile(body: dict[str, Any] | None, expected: dict[str, Any] | None) -> None:
    """Assert that a body holds the numbers of a case."""
    if expected is None:
        assert body is None
        return
    assert body is not None
    assert {member: body[member] for member in EXACT} == {member: expected[member] for member in EXACT}
    assert body["gri"]["zone"] == expected["gri"]["zone"]
    assert [row[:2] for row in body["profile"]] == [row[:2] for row in expected["profile"]]
    for row, expected_row in zip(body["profile"], expected["profile"], strict=True):
        assert row[2:] == pytest.approx(expected_row[2:], abs=0.01, rel=0)
    assert body["ranges"] == pytest.approx(expected["ranges"], abs=0.001, rel=0)
    compared = [member for member, value in expected.items() if type(value) is float and member not in EXACT]
    assert len(compared) == 12
    for member in compared:
        assert body[member] == pytest.approx(expected[member], abs=TOLERANCES.get(member, 0.001), rel=0), member
    for member in ("hypo", "hyper", "value"):
        assert body["gri"][member] == pytest.approx(expected["gri"][member], abs=0.001, rel=0)


@pytest.mark.parametrize("name", cases("agp"))
def test_each_day_has_its_readings_and_all_days_have_all_of_them(name: str) -> None:
    body = computed(cases("agp")[name])
    if body is None:
        return
    days = body["days"]
    assert [day["date"] for day in days] == sorted({day["date"] for day in days})
    assert sum(day["records"] for day in days) == body["records"] == sum(len(day["readings"]) for day in days)
    assert sum(day["minutes"] for day in days) == body["minutes"]
    mean = sum(day["meanMgdl"] * day["minutes"] for day in days) / body["minutes"]
    assert mean == pytest.approx(body["meanMgdl"], abs=0.01)
