"""Tests which readings count. Source: summary-api 4."""

import pytest

from chalicelib.glucose.reading import Reading, by_hour, counted, in_order, sensor_minutes


def at(seconds: float, minutes: int = 5, value: float = 5, stored_ms: int = 0) -> Reading:
    """A reading of the first hour."""
    return Reading(int(seconds * 1000), value, minutes, stored_ms, True)


def times_s(*readings: Reading) -> list[float]:
    """The times of the counted ones of these readings, in seconds."""
    return [reading.time_ms / 1000 for reading in counted(in_order(readings))]


@pytest.mark.parametrize(
    ("device_id", "interval_ms", "minutes"),
    [
        (None, None, 5),
        ("DexcomG6", None, 5),
        ("my AbbottFreeStyleLibre2-1", None, 15),
        ("AbbottFreeStyleLibre3-1", None, 5),
        ("abbottfreestylelibre", None, 5),
        ("AbbottFreeStyleLibre", 60_000, 1),
        ("DexcomG6", 119_999, 1),
        ("DexcomG6", 0, 1),
    ],
)
def test_minutes_of_a_sensors_reading(device_id: str | None, interval_ms: int | None, minutes: int) -> None:
    assert sensor_minutes(device_id, interval_ms) == minutes


@pytest.mark.parametrize(("minutes", "first_that_counts_s"), [(5, 290), (15, 890), (1, 50)])
def test_a_sensors_reading_counts_once_the_last_counted_one_is_over_but_for_ten_seconds(
    minutes: int, first_that_counts_s: int
) -> None:
    assert times_s(at(0, minutes), at(first_that_counts_s - 0.001), at(first_that_counts_s)) == [0, first_that_counts_s]


def test_a_skipped_reading_does_not_move_the_mark() -> None:
    assert times_s(at(0), at(200), at(300)) == [0, 300]


def test_the_first_reading_of_an_hour_counts_however_near_the_one_before_it_is() -> None:
    ordered = in_order([at(3599), at(3600)])
    assert [len(counted(of_hour)) for _, of_hour in by_hour(ordered)] == [1, 1]


def test_copies_of_a_meters_reading_count() -> None:
    assert times_s(at(0, 0), at(0, 0)) == [0, 0]


@pytest.mark.parametrize("minutes", [0, 1])
def test_an_hour_counts_61_readings(minutes: int) -> None:
    assert len(counted([at(number * 50, minutes) for number in range(72)])) == 61


def test_of_readings_of_the_same_time_the_one_that_was_stored_last_counts() -> None:
    older, newer = at(0, value=4, stored_ms=1), at(0, value=6, stored_ms=2)
    for readings in ([older, newer], [newer, older]):
        assert counted(in_order(readings)) == [newer]


def test_of_readings_that_were_stored_together_the_last_one_counts() -> None:
    assert counted(in_order([at(0, value=4), at(0, value=6)])) == [at(0, value=6)]
