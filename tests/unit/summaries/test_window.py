"""Tests which hours a summary is made of, and until when they stay the same."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from chalicelib.glucose.hour_sum import HourSum
from chalicelib.summaries.summary import SUMMARY_TYPES
from chalicelib.summaries.view import GlucoseView
from chalicelib.summaries.window import Window, read_window, two_years_before
from tests.fakes.compaction_scene import ANNA_ID
from tests.fakes.data_scene import cbg
from tests.fakes.glucose_scene import GlucoseScene

DAY_MS = 86_400_000


def ms(text: str) -> int:
    """Milliseconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def scene_with(times: Sequence[str], *, is_compacted: bool) -> GlucoseScene:
    """Readings of these times."""
    scene = GlucoseScene()
    scene.add(scene.open("none"), *(cbg(5, time=f"{time}Z") for time in times))
    if is_compacted:
        scene.compact()
    return scene


def window_at(scene: GlucoseScene, now: str) -> Window | None:
    """The hours of a summary of CGM data at a time."""
    types = SUMMARY_TYPES["cgm"]
    return read_window(GlucoseView(ANNA_ID, types, scene.summary_ports), types, ms(now))


def hours_of(window: Window) -> list[HourSum]:
    """The hours of all days."""
    return sorted(hour for _, summed in window.days for hour in summed.hours)


def times_of(window: Window | None) -> list[str]:
    """The times of the first readings of the hours."""
    hours = [] if window is None else hours_of(window)
    return [datetime.fromtimestamp(hour.first_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] for hour in hours]


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        ("2026-03-01T12:30:00.5", "2024-03-01T12:30:00.5"),
        ("2024-02-29T01:00:00", "2022-03-01T01:00:00"),
        ("2026-02-28T01:00:00", "2024-02-28T01:00:00"),
    ],
)
def test_two_years_are_those_of_the_calendar(now: str, earlier: str) -> None:
    assert two_years_before(ms(now)) == ms(earlier)


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_record_exactly_sixty_days_older_than_the_newest_is_out(is_compacted: bool) -> None:
    times = ["2025-11-02T12:10:00.000", "2025-11-02T12:10:00.001", "2026-01-01T12:10:00.000"]
    scene = scene_with(times, is_compacted=is_compacted)
    assert times_of(window_at(scene, "2026-01-01T13:00:00")) == times[1:]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_record_counts_from_24_hours_before_its_time_until_it_is_two_years_old(is_compacted: bool) -> None:
    scene = scene_with(["2026-01-02T12:10:00"], is_compacted=is_compacted)
    assert window_at(scene, "2026-01-01T12:09:59.999") is None
    assert len(times_of(window_at(scene, "2026-01-01T12:10:00"))) == 1
    assert len(times_of(window_at(scene, "2028-01-02T12:10:00"))) == 1
    assert window_at(scene, "2028-01-02T12:10:00.001") is None


@pytest.mark.parametrize("is_compacted", [False, True])
def test_an_hour_that_a_border_cuts_has_the_records_inside_only(is_compacted: bool) -> None:
    scene = scene_with(["2026-01-02T12:10:00", "2026-01-02T12:40:00"], is_compacted=is_compacted)
    early, late = window_at(scene, "2026-01-01T12:20:00"), window_at(scene, "2028-01-02T12:20:00")
    assert early is not None
    assert late is not None
    assert [hour.records for hour in hours_of(early)] == [1]
    assert times_of(late) == ["2026-01-02T12:40:00.000"]


@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize("future", ["2026-01-02T12:10:00", "2026-03-01T00:00:00"])
def test_the_hours_stay_the_same_until_a_record_of_the_future_counts(is_compacted: bool, future: str) -> None:
    scene = scene_with(["2025-12-01T00:00:00", future], is_compacted=is_compacted)
    found = window_at(scene, "2026-01-01T12:00:00")
    assert found is not None
    assert found.valid_until_ms == ms(future) - DAY_MS
    assert times_of(window_at(scene, "2026-01-01T12:00:00")) == ["2025-12-01T00:00:00.000"]


def test_the_hours_stay_the_same_for_at_most_two_years() -> None:
    found = window_at(scene_with(["2025-12-01T00:00:00"], is_compacted=True), "2026-01-01T00:00:00")
    assert found is not None
    assert found.valid_until_ms == ms("2025-12-01T00:00:00") + 730 * DAY_MS


def test_a_window_whose_newest_day_was_deleted_ends_with_the_day_before() -> None:
    scene = GlucoseScene()
    old, new = scene.open("none"), scene.open("dataset.delete.origin")
    scene.add(old, cbg(5, time="2025-06-01T00:00:00Z"))
    scene.add(new, cbg(5, time="2026-01-01T00:00:00Z", origin="1"))
    scene.compact()
    scene.delete_data(new, {"origin": {"id": "1"}})
    assert times_of(window_at(scene, "2026-01-01T12:00:00")) == ["2025-06-01T00:00:00.000"]
    scene.delete(old)
    assert window_at(scene, "2026-01-01T12:00:00") is None
