"""Tests local time. The recorded changes of clocks are in tests/golden/test_agp.py."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.summaries.local_time import zone_named

ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu", "Africa/Monrovia")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "../../etc/passwd", "europe/berlin", "Europe"])
def test_a_name_that_is_none_has_no_zone(name: str) -> None:
    assert zone_named(name) is None


@given(st.sampled_from(ZONES), st.lists(st.integers(0, 2**31), min_size=1, max_size=5))
def test_local_minutes_are_those_of_the_zones_rules(name: str, times_s: list[int]) -> None:
    zone = zone_named(name)
    assert zone is not None
    expected = []
    for time_s in times_s:
        local = (EPOCH + timedelta(seconds=time_s)).astimezone(ZoneInfo(name)).replace(tzinfo=UTC)
        expected.append((local - EPOCH) // timedelta(minutes=1))
    assert zone.local_minutes([time_s * 1000 for time_s in times_s]) == expected


def test_the_first_and_the_last_day_of_the_calendar_have_a_local_time() -> None:
    zone = zone_named("Pacific/Kiritimati")
    assert zone is not None
    first_s, last_s = -62_167_219_200, 253_402_300_799
    assert len(zone.local_minutes([first_s * 1000, last_s * 1000])) == 2
