"""The sums of an hour of glucose, from which summaries are made without reading single records.

Late data can change which readings of an hour count, so an hour is made again from its readings, never added to.
Source: summary-api 4, 5 and 10.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import fsum
from typing import NamedTuple, Protocol

from chalicelib.durations import DAY_MS
from chalicelib.glucose.reading import Reading, by_hour, counted

VERY_LOW_BELOW, LOW_BELOW, HIGH_ABOVE, VERY_HIGH_ABOVE, EXTREME_FROM = 3.0, 3.9, 10.0, 13.9, 19.4
"""The limits of the ranges in mmol/L."""


class HourSum(NamedTuple):
    """The sums of an hour. Those of values, ranges and minutes are over the counted readings.

    A reading weighs as much as its minutes; a meter's reading, which has none, weighs 1.
    """

    hour: int
    """Counted from 1970-01-01T00:00:00Z."""
    records: int
    minutes: int
    glucose: float
    """The weighted sum of the values in mmol/L."""
    squares: float
    """The weighted sum of the squared distances from the hour's mean."""
    lowest: float
    highest: float
    very_low_records: int
    low_records: int
    target_records: int
    high_records: int
    very_high_records: int
    extreme_high_records: int
    """Extremely high readings are very high ones, too."""
    very_low_minutes: int
    low_minutes: int
    target_minutes: int
    high_minutes: int
    very_high_minutes: int
    extreme_high_minutes: int
    first_ms: int
    """The time of the first reading, which always counts."""
    last_ms: int
    """The time of the last reading, counted or not."""
    stored_ms: int
    """Time at which the newest reading was stored, counted or not."""
    realtime: int
    """Number of readings of continuous data sets that were stored within 24 hours; they all count here."""
    deferred: int
    """Number of readings of continuous data sets that were stored later."""
    first_continuous_ms: int
    """The time of the first reading of a continuous data set; 0 without any."""

    @property
    def weight(self) -> int:
        """The sum of the weights of the counted readings."""
        return self.minutes or self.records


class DaySum(NamedTuple):
    """The sums of the hours of a day together, for periods that have the whole day."""

    total: HourSum
    """As if the day were one hour: the last one that has readings."""
    hours: tuple[int, ...]
    """The hours that have readings, in order."""


class SummedDay(Protocol):
    """A day as its hours, and as one sum."""

    @property
    def hours(self) -> Sequence[HourSum]:
        """The sums of the hours that have readings, by hour."""

    @property
    def day(self) -> DaySum | None:
        """The sum of the hours; None without any hour, or if only the hours are known."""


class SummedHours:
    """A day that is made of its hours."""

    def __init__(self, hours: Sequence[HourSum]) -> None:
        self.hours = hours

    @cached_property
    def day(self) -> DaySum | None:
        """See `SummedDay`."""
        return sum_day(self.hours) if self.hours else None


def sum_day(hours: Sequence[HourSum]) -> DaySum:
    """The sum of the hours of a day, which must be one at least and of one type, by hour.

    The squared distances are joined by Chan's formula. Source: summary-api 5.
    """
    columns = dict(zip(HourSum._fields, zip(*hours, strict=True), strict=True))
    weights = [hour.weight for hour in hours]
    # Stored, and compared byte for byte later, as `squares` of an hour.
    glucose = fsum(columns["glucose"])
    mean = glucose / sum(weights)
    between = (weight * (hour.glucose / weight - mean) ** 2 for hour, weight in zip(hours, weights, strict=True))
    total = {name: sum(column) for name, column in columns.items() if name.endswith(("records", "minutes"))}
    total |= {name: sum(columns[name]) for name in ("realtime", "deferred")}
    continuous_ms = [hour.first_continuous_ms for hour in hours if hour.first_continuous_ms]
    return DaySum(
        HourSum(
            **total,
            hour=hours[-1].hour,
            glucose=glucose,
            squares=fsum((*columns["squares"], *between)),
            lowest=min(columns["lowest"]),
            highest=max(columns["highest"]),
            first_ms=hours[0].first_ms,
            last_ms=hours[-1].last_ms,
            stored_ms=max(columns["stored_ms"]),
            first_continuous_ms=min(continuous_ms, default=0),
        ),
        columns["hour"],
    )


def sum_hours(ordered: Iterable[Reading]) -> list[HourSum]:
    """The sums of all hours that have readings, by hour, from the readings of one type as `in_order` sorts them."""
    return [sum_hour(hour, of_hour) for hour, of_hour in by_hour(ordered)]


def sum_hour(hour: int, of_hour: Sequence[Reading]) -> HourSum:
    """The sums of the readings of one hour, which must be one at least, as `in_order` sorts them."""
    found = counted(of_hour)
    records, minutes = [0] * 6, [0] * 6
    weight, glucose = 0, 0.0
    for reading in found:
        value, duration = reading.value_mmol_l, reading.minutes
        place = _range_of(value)
        records[place] += 1
        minutes[place] += duration
        if value >= EXTREME_FROM:
            records[5] += 1
            minutes[5] += duration
        weight += duration or 1
        glucose += value * (duration or 1)
    mean = glucose / weight
    values = [reading.value_mmol_l for reading in found]
    continuous = [reading for reading in of_hour if reading.is_continuous]
    realtime = sum(1 for reading in continuous if reading.stored_ms - reading.time_ms < DAY_MS)
    sums = (hour, len(found), sum(minutes[:5]), glucose)
    # Stored, and compared byte for byte later: since Python 3.12 `sum` rounds floats otherwise.
    squares = fsum((reading.value_mmol_l - mean) ** 2 * (reading.minutes or 1) for reading in found)
    times = (of_hour[0].time_ms, of_hour[-1].time_ms, max(reading.stored_ms for reading in of_hour))
    uploads = (realtime, len(continuous) - realtime, continuous[0].time_ms if continuous else 0)
    return HourSum._make((*sums, squares, min(values), max(values), *records, *minutes, *times, *uploads))


def _range_of(value_mmol_l: float) -> int:
    """The range of a value: 0 very low, 1 low, 2 target, 3 high, 4 very high. Source: summary-api 4."""
    if value_mmol_l < LOW_BELOW:
        return 0 if value_mmol_l < VERY_LOW_BELOW else 1
    if value_mmol_l <= HIGH_ABOVE:
        return 2
    return 3 if value_mmol_l <= VERY_HIGH_ABOVE else 4
