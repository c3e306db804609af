"""The profile of a user: its window, its readings and its zone. Source: summary-api 9."""

from typing import Any

from chalicelib.durations import DAY_MS, MINUTE_MS
from chalicelib.glucose.reading import CBG, Reading, by_hour, counted
from chalicelib.summaries.agp import Window, profile_body
from chalicelib.summaries.local_time import UTC_NAME, Zone, zone_named
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.view import GlucoseView
from chalicelib.tiles.tile import TileKey


def profile_of(view: GlucoseView, query: ProfileQuery, now_ms: int) -> dict[str, Any] | None:
    """The profile that the query asks for; None without any reading of a sensor in its window.

    Raises:
        TileMissingError: the manifest is too old.
    """
    length_ms = query.days * DAY_MS
    if query.end_ms is not None:
        window = Window(query.end_ms - length_ms, query.end_ms)
        readings = _readings(view, window.from_ms // DAY_MS, window.to_ms // DAY_MS)
    else:
        readings = _newest_readings(view, query.days, now_ms + DAY_MS)
        to_ms = _end_of(readings[-1]) if readings else 0
        window = Window(to_ms - length_ms, to_ms)
    inside = [reading for reading in readings if window.from_ms <= reading.time_ms < window.to_ms]
    return profile_body(inside, window, _zone(query, inside[-1]), query.bin_minutes) if inside else None


def _newest_readings(view: GlucoseView, days: int, last_ms: int) -> list[Reading]:
    """The counted readings of the newest days up to this time: of as many days as a window can touch."""
    newest = view.newest_day(CBG, last_ms // DAY_MS)
    while newest is not None:
        oldest = newest - days
        found = _readings(view, oldest, newest, last_ms)
        if found and _end_of(found[-1]) - days * DAY_MS >= oldest * DAY_MS:
            return found
        # Nothing that counts is left on the newest day: the tail replaced it, or it is still to come.
        newest = found[-1].time_ms // DAY_MS if found else view.newest_day(CBG, oldest - 1)
    return []


def _readings(view: GlucoseView, first_day: int, last_day: int, last_ms: int | None = None) -> list[Reading]:
    """The counted readings of these days, as far as they are not later than a time."""
    keys = {TileKey(CBG, day) for day in view.days(CBG, first_day, last_day)}
    days = view.see(keys, keys).readings
    ordered = [reading for key in sorted(days) for reading in days[key]]
    eligible = [reading for reading in ordered if last_ms is None or reading.time_ms <= last_ms]
    return [reading for _, of_hour in by_hour(eligible) for reading in counted(of_hour)]


def _end_of(reading: Reading) -> int:
    return reading.time_ms + reading.minutes * MINUTE_MS


def _zone(query: ProfileQuery, newest: Reading) -> Zone:
    named = [name for name in (query.time_zone, newest.time_zone, UTC_NAME) if name is not None]
    return next(zone for name in named if (zone := zone_named(name)) is not None)
