"""Tests the sums of an hour, and the bytes of the items that hold them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.durations import DAY_MS, HOUR_MS
from chalicelib.glucose.hour_sum import HourSum, sum_day, sum_hours
from chalicelib.glucose.reading import Reading, in_order
from chalicelib.glucose.tile_sums import WITHOUT_DAY, TileSums, encode_tile_sums


def hour_of(*values: float, minutes: int = 5) -> HourSum:
    """The sums of readings of these values, six minutes apart."""
    readings = [Reading(number * 360_000, value, minutes, 0, True) for number, value in enumerate(values)]
    (found,) = sum_hours(readings)
    return found


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (2.9999, "very_low"),
        (3.0, "low"),
        (3.8999, "low"),
        (3.9, "target"),
        (10.0, "target"),
        (10.0001, "high"),
        (13.9, "high"),
        (13.9001, "very_high"),
    ],
)
def test_limits_of_the_ranges(value: float, name: str) -> None:
    found = hour_of(value)._asdict()
    counted = {member: found[member] for member in found if member.endswith(("_records", "_minutes"))}
    assert {member: number for member, number in counted.items() if number} == {
        f"{name}_records": 1,
        f"{name}_minutes": 5,
    }


def test_extremely_high_readings_are_very_high_ones_too() -> None:
    found = hour_of(19.4, 19.3999)
    assert (found.very_high_records, found.extreme_high_records) == (2, 1)
    assert (found.very_high_minutes, found.extreme_high_minutes, found.minutes) == (10, 5, 10)


def test_a_sensors_values_weigh_as_much_as_their_minutes_and_a_meters_all_the_same() -> None:
    sensor = sum_hours([Reading(0, 4.0, 5, 0, True), Reading(600_000, 8.0, 15, 0, True)])[0]
    assert (sensor.weight, sensor.glucose, sensor.squares) == (20, 140, 5 * 9 + 15 * 1)
    meter = hour_of(4.0, 8.0, minutes=0)
    assert (meter.weight, meter.minutes, meter.glucose, meter.squares) == (2, 0, 12, 8)


def test_squares_are_rounded_once_on_every_python() -> None:
    """They are stored and compared byte for byte. `sum` rounds after each float up to Python 3.11, and later not."""
    values = [22.94424, 14.01356, 18.04889, 5.93529, 17.94454, 23.72752]
    values += [15.17489, 20.58305, 18.851, 3.78798, 21.00411, 16.85927]
    (found,) = sum_hours([Reading(number * 300_000, value, 5, 0, True) for number, value in enumerate(values)])
    mean = found.glucose / found.minutes
    assert found.squares == float(sum(Fraction((value - mean) ** 2 * 5) for value in values))


def test_what_was_stored_within_a_day_is_realtime() -> None:
    stored = [Reading(0, 5, 0, time_ms, True) for time_ms in (-1, DAY_MS - 1, DAY_MS)]
    closed = Reading(1, 5, 0, 2 * DAY_MS, False)
    (found,) = sum_hours(in_order([*stored, closed]))
    assert (found.realtime, found.deferred, found.records) == (2, 1, 4)
    assert (found.stored_ms, found.last_ms, found.first_continuous_ms) == (2 * DAY_MS, 1, 0)


readings = st.builds(
    Reading,
    st.integers(-2 * HOUR_MS, 22 * HOUR_MS),
    st.floats(0, 60),
    st.sampled_from([1, 5, 15]),
    st.integers(0, 2**45),
    st.booleans(),
)


@given(found=st.lists(readings, max_size=30), keys=st.sets(st.integers(0, 2**32 - 1), max_size=5))
def test_items_hold_what_was_encoded(found: list[Reading], keys: set[int]) -> None:
    hours = sum_hours(in_order(found))
    times = {("a" * 32, 1): 5, ("b" * 32, 7): 2**45, ("a" * 32, 12): 6}
    content = encode_tile_sums(hours, sorted(keys), times)
    read = TileSums(content)
    assert (read.hours, read.stored_times) == (hours, times)
    assert read.day == (sum_day(hours) if hours else None)
    assert all(read.may_hold({key}) for key in keys)
    assert not read.may_hold({2**32 - 1} - keys)


@given(found=st.lists(readings, min_size=1, max_size=30))
def test_items_without_the_sum_of_the_day_are_read(found: list[Reading]) -> None:
    """Earlier versions wrote them."""
    hours = sum_hours(in_order(found))
    read = TileSums(encode_tile_sums(hours, [1], {("a", 1): 5}, version=WITHOUT_DAY))
    assert (read.hours, read.stored_times, read.day) == (hours, {("a", 1): 5}, None)
    assert read.may_hold({1})


def test_a_day_adds_up_its_hours() -> None:
    hours = [hour_of(4.0, 8.0), *sum_hours([Reading(30 * HOUR_MS + 1, 2.0, 15, 9, True)])]
    total, numbers = sum_day(hours)
    assert numbers == (0, 30)
    assert (total.records, total.minutes, total.glucose, total.lowest, total.highest) == (3, 25, 90, 2.0, 8.0)
    assert total.squares == pytest.approx(5 * (4 - 3.6) ** 2 + 5 * (8 - 3.6) ** 2 + 15 * (2 - 3.6) ** 2)
    assert (total.very_low_records, total.target_minutes) == (1, 10)
    assert (total.hour, total.first_ms, total.last_ms, total.stored_ms) == (30, 0, 30 * HOUR_MS + 1, 9)
    assert (total.realtime, total.deferred, total.first_continuous_ms) == (3, 0, 30 * HOUR_MS + 1)


@pytest.mark.parametrize("content", [b"", b"\x01\x00", b"?" * 20])
def test_content_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="hour sums"):
        _ = TileSums(content).hours
    with pytest.raises(ValueError, match="hour sums"):
        TileSums(content).may_hold({1})
    with pytest.raises(ValueError, match="hour sums"):
        _ = TileSums(content).day


def test_content_that_is_cut_off_is_refused() -> None:
    content = encode_tile_sums([hour_of(5.0)], [1, 2], {})
    for size_bytes in (20, 100, 150):
        with pytest.raises(ValueError, match="cut off"):
            _ = TileSums(content[:size_bytes]).day


def test_a_day_of_a_five_minute_sensor_takes_less_than_four_kilobytes() -> None:
    times = {("a" * 32, number): 1_767_225_600_000 + number * 300_000 + number * 7919 % 4000 for number in range(288)}
    day = [
        Reading(number * 300_000, 3 + number * 7919 % 1000 / 77, 5, times["a" * 32, number], True)
        for number in range(288)
    ]
    keys = sorted(number * 2_654_435_761 % 2**32 for number in range(288))
    assert len(encode_tile_sums(sum_hours(day), keys, times)) < 4096
