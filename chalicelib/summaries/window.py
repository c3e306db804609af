"""The days that a summary is made of: those of the 60 days up to the newest record. Source: summary-api 3."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.glucose.hour_sum import HourSum, SummedDay, SummedHours, sum_hours
from chalicelib.summaries.view import DividedDay, GlucoseView, VisibleDays
from chalicelib.tiles.tile import TileKey

WINDOW_DAYS = 60
MAX_AGE_YEARS = 2
_MIN_YEARS_DAYS = 730
"""The days that two years have at least."""


@frozen
class Window:
    """The days of a summary."""

    days: Sequence[tuple[int, SummedDay]]
    """The days that have records, one at least, each with its number, in order; of two types of data, a day may occur
    twice. Days that a border cuts have the records inside only."""
    valid_until_ms: int
    """The earliest time at which the hours change although the data does not: a record in the future comes into the
    window, or an old one leaves it."""

    @property
    def newest_hour(self) -> int:
        """The newest hour."""
        return max(_newest(summed).hour for _, summed in self.days[-2:])  # of two types at most

    @property
    def newest_continuous_hour(self) -> int | None:
        """The newest hour with a reading of a continuous data set."""
        by_day = groupby(reversed(self.days), key=lambda day: day[0])
        hours = (_continuous_hours(summed for _, summed in types) for _, types in by_day)
        return next((max(of_day) for of_day in hours if of_day), None)


def _continuous_hours(types: Iterable[SummedDay]) -> list[int]:
    """The hours of a day with a reading of a continuous data set, of all its types."""
    return [
        hour.hour for summed in types if _is_continuous(summed) for hour in summed.hours if hour.first_continuous_ms
    ]


def _is_continuous(summed: SummedDay) -> bool:
    """Whether a day may have readings of continuous data sets, as its sum says without its hours."""
    return summed.day is None or summed.day.total.first_continuous_ms != 0


def read_window(view: GlucoseView, types: Sequence[str], now_ms: int) -> Window | None:
    """The hours of these types of data; None without any record in the window.

    Raises:
        TileMissingError: the manifest is too old.
    """
    first_ms, last_ms = two_years_before(now_ms), now_ms + DAY_MS
    newest = _newest_day(view, types, last_ms // DAY_MS)
    future: list[int] = []
    while newest is not None and newest * DAY_MS + DAY_MS > first_ms:
        days = _see(view, types, newest, (first_ms // DAY_MS, last_ms // DAY_MS))
        newest_ms = _newest_ms(days, first_ms, last_ms)
        future += _times_after(days, last_ms)
        if newest_ms is not None and newest_ms // DAY_MS == newest:
            found = _days(days, max(first_ms, newest_ms - WINDOW_DAYS * DAY_MS + 1), last_ms)
            future += _days_after(view, types, last_ms)
            return Window(found, _valid_until_ms(found, future))
        # Nothing that counts is left on the newest day: the tail replaced it, or it is still to come.
        earlier = newest - WINDOW_DAYS - 1
        newest = _newest_day(view, types, earlier) if newest_ms is None else newest_ms // DAY_MS
    return None


def two_years_before(now_ms: int) -> int:
    """The same day and time two years earlier; March 1 where there is no February 29."""
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    if (now.month, now.day) == (2, 29):
        earlier = now.replace(year=now.year - MAX_AGE_YEARS, month=3, day=1)
    else:
        earlier = now.replace(year=now.year - MAX_AGE_YEARS)
    return int(earlier.timestamp()) * 1000 + now_ms % 1000


def _newest_day(view: GlucoseView, types: Sequence[str], at_most: int) -> int | None:
    days = (view.newest_day(name, at_most) for name in types)
    return max((day for day in days if day is not None), default=None)


def _see(view: GlucoseView, types: Sequence[str], newest: int, cut_days: tuple[int, int]) -> VisibleDays:
    """The days of the window that ends with this day. Those that a border may cut can be divided."""
    oldest = newest - WINDOW_DAYS
    keys = [TileKey(name, day) for name in types for day in view.days(name, max(oldest, cut_days[0]), newest)]
    return view.see(keys, (), {key for key in keys if key.day == oldest or key.day in cut_days})


def _newest_ms(days: VisibleDays, first_ms: int, last_ms: int) -> int | None:
    """The time of the newest record between these times, both included."""
    found = [_newest(sums).last_ms for sums in days.sums.values() if sums.day or sums.hours]
    for day in days.divided.values():
        found += [hour.last_ms for hour in _cut(day, first_ms, last_ms)][-1:]
    for readings in days.readings.values():
        found += [reading.time_ms for reading in readings if first_ms <= reading.time_ms <= last_ms][-1:]
    return max(found, default=None)


def _days(days: VisibleDays, first_ms: int, last_ms: int) -> list[tuple[int, SummedDay]]:
    """The days of the records between these times, both included."""
    found: list[tuple[TileKey, SummedDay]] = [(key, sums) for key, sums in days.sums.items() if sums.day or sums.hours]
    hours = {key: list(_cut(day, first_ms, last_ms)) for key, day in days.divided.items()}
    for key, readings in days.readings.items():
        hours[key] = sum_hours([reading for reading in readings if first_ms <= reading.time_ms <= last_ms])
    found += [(key, SummedHours(of_day)) for key, of_day in hours.items() if of_day]
    return [(key.day, summed) for key, summed in sorted(found, key=lambda pair: (pair[0].day, pair[0].type))]


def _oldest(summed: SummedDay) -> HourSum:
    """The oldest hour of a day, or the whole day."""
    return summed.hours[0] if summed.day is None else summed.day.total


def _newest(summed: SummedDay) -> HourSum:
    """The newest hour of a day, or the whole day."""
    return summed.hours[-1] if summed.day is None else summed.day.total


def _cut(day: DividedDay, first_ms: int, last_ms: int) -> Iterator[HourSum]:
    """The hours of the records of a day between these times, both included."""
    for hour in day.hours:
        if first_ms <= hour.first_ms and hour.last_ms <= last_ms:
            yield hour
        elif first_ms <= hour.last_ms and hour.first_ms <= last_ms:
            readings = day.readings_of_hour(hour.hour)
            yield from sum_hours([reading for reading in readings if first_ms <= reading.time_ms <= last_ms])


def _times_after(days: VisibleDays, last_ms: int) -> Iterator[int]:
    """The times of readings after this time, the first one of each hour among them."""
    readings = (reading for of_day in days.readings.values() for reading in of_day)
    yield from (reading.time_ms for reading in readings if reading.time_ms > last_ms)
    for key, day in days.divided.items():
        yield from (hour.first_ms for hour in _cut(day, last_ms + 1, (key.day + 1) * DAY_MS))


def _days_after(view: GlucoseView, types: Sequence[str], last_ms: int) -> Iterator[int]:
    """The starts of the first days after this time's own that may have readings."""
    days = (view.oldest_day(name, last_ms // DAY_MS + 1) for name in types)
    return (day * DAY_MS for day in days if day is not None)


def _valid_until_ms(days: Sequence[tuple[int, SummedDay]], future: Sequence[int]) -> int:
    """The time at which the oldest record leaves the window, or the next one of the future comes into it."""
    oldest_ms = min(_oldest(summed).first_ms for _, summed in days[:2])  # of two types at most
    return min([oldest_ms + _MIN_YEARS_DAYS * DAY_MS, *(time_ms - DAY_MS for time_ms in future)])
