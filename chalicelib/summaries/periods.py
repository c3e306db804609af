"""The periods of a summary, from the sums of hours. Source: summary-api 2, 5 and 6."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import floor, sqrt
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.glucose.hour_sum import HourSum, SummedDay

PERIOD_DAYS = {"1d": 1, "7d": 7, "14d": 14, "30d": 30}
"""The periods, by name: how many days each has."""
_BORDERS = sorted({0, *PERIOD_DAYS.values(), *(2 * days for days in PERIOD_DAYS.values())})
"""The days before the newest hour at which a period, or the one before it, begins or ends."""
HOURS_PER_DAY = 24
_MINUTES_PER_DAY = 1440

_RANGES = {
    "inVeryLow": ("very_low",),
    "inLow": ("low",),
    "inTarget": ("target",),
    "inHigh": ("high",),
    "inVeryHigh": ("very_high",),
    "inExtremeHigh": ("extreme_high",),
    "inAnyLow": ("very_low", "low"),
    "inAnyHigh": ("high", "very_high"),
}
_FIRST_TOTAL, _LAST_TOTAL = HourSum._fields.index("records"), HourSum._fields.index("first_ms")
_RECORDS, _MINUTES, _GLUCOSE = (
    HourSum._fields.index(name) - _FIRST_TOTAL for name in ("records", "minutes", "glucose")
)
_RANGE_FIELDS = {
    name: tuple(
        tuple(HourSum._fields.index(f"{part}_{unit}") - _FIRST_TOTAL for part in parts)
        for unit in ("records", "minutes")
    )
    for name, parts in _RANGES.items()
}
_DIFFERENCES = (
    "min",
    "max",
    "averageGlucoseMmol",
    "glucoseManagementIndicator",
    "averageDailyRecords",
    "standardDeviation",
    "coefficientOfVariation",
    "daysWithData",
    "hoursWithData",
)

Numbers = dict[str, Any]


@frozen
class _Part:
    """The sums that the numbers of some hours in a row are made of."""

    totals: Sequence[float]
    """The sums of the columns of `HourSum` from `_FIRST_TOTAL` on; not for `squares`, `lowest` and `highest`."""
    squares: float
    """The weighted sum of the squared distances from the mean of these hours."""
    lowest: float
    highest: float
    hours: Sequence[int]

    @property
    def weight(self) -> float:
        """The sum of the weights of the counted readings."""
        return self.totals[_MINUTES] or self.totals[_RECORDS]


_NOTHING = _Part([0] * (_LAST_TOTAL - _FIRST_TOTAL), 0, 0, 0, ())


Row = tuple[HourSum, Sequence[int]]
"""The sums of one or more hours in a row that are in the same periods, and the hours among them that have readings."""


def rows_of(days: Iterable[tuple[int, SummedDay]], newest_hour: int) -> list[Row]:
    """The rows of some days with their numbers, in their order: whole days, but for those that the border of a period
    cuts and those of which only the hours are known."""
    cut_days = {(newest_hour - days_before * HOURS_PER_DAY) // HOURS_PER_DAY for days_before in _BORDERS}
    if newest_hour % HOURS_PER_DAY == HOURS_PER_DAY - 1:
        cut_days = set()
    rows: list[Row] = []
    for number, summed in days:
        whole = None if number in cut_days else summed.day
        rows += [(hour, (hour.hour,)) for hour in summed.hours] if whole is None else [(whole.total, whole.hours)]
    return rows


def glucose_periods(rows: Sequence[Row], newest_hour: int) -> dict[str, Numbers]:
    """The periods of a summary of type `cgm` or `bgm`, each with its difference from the days before it.

    Args:
        rows: those of `rows_of`; those of 60 days matter.
        newest_hour: the hour with which all periods end.
    """
    parts = _parts(rows, newest_hour)
    found = {}
    for name, days in PERIOD_DAYS.items():
        period = _glucose_period(_joined(parts, 0, days), days)
        earlier = _glucose_period(_joined(parts, days, 2 * days), days)
        found[name] = without_zeros(period) | {"delta": without_zeros(_difference(period, earlier))}
    return found


def _parts(rows: Sequence[Row], newest_hour: int) -> dict[tuple[int, int], _Part]:
    """The parts of which all periods consist, so that each row is added up once: by the days before the newest hour
    between which they lie, newest first."""
    numbers = [sums.hour for sums, _ in rows]
    found = {}
    for newer, older in pairwise(_BORDERS):
        start = bisect_right(numbers, newest_hour - older * HOURS_PER_DAY)
        stop = bisect_right(numbers, newest_hour - newer * HOURS_PER_DAY, lo=start)
        if start < stop:
            found[newer, older] = _part(rows[start:stop])
    return found


def _part(rows: Sequence[Row]) -> _Part:
    columns = list(zip(*[sums for sums, _ in rows], strict=True))
    numbers = [hour for _, hours in rows for hour in hours]
    totals = [sum(column) for column in columns[_FIRST_TOTAL:_LAST_TOTAL]]
    minutes, records = columns[_FIRST_TOTAL + _MINUTES], columns[_FIRST_TOTAL + _RECORDS]
    weights = minutes if any(minutes) else records
    glucose, squares = columns[_FIRST_TOTAL + _GLUCOSE], columns[HourSum._fields.index("squares")]
    lowest, highest = min(columns[HourSum._fields.index("lowest")]), max(columns[HourSum._fields.index("highest")])
    mean = totals[_GLUCOSE] / sum(weights)
    between = sum(weight * (total / weight - mean) ** 2 for weight, total in zip(weights, glucose, strict=True))
    return _Part(totals, sum(squares) + between, lowest, highest, numbers)


def _joined(parts: Mapping[tuple[int, int], _Part], newer: int, older: int) -> _Part:
    """All hours between two numbers of days before the newest one.

    The squared distances are joined by Chan's formula. Source: summary-api 5.
    """
    chosen = [part for (start, stop), part in parts.items() if newer <= start and stop <= older]
    if not chosen:
        return _NOTHING
    totals = [sum(column) for column in zip(*(part.totals for part in chosen), strict=True)]
    mean = totals[_GLUCOSE] / sum(part.weight for part in chosen)
    squares = sum(part.squares + part.weight * (part.totals[_GLUCOSE] / part.weight - mean) ** 2 for part in chosen)
    return _Part(
        totals,
        squares,
        min(part.lowest for part in chosen),
        max(part.highest for part in chosen),
        [hour for part in reversed(chosen) for hour in part.hours],
    )


def continuous_periods(rows: Sequence[Row], newest_hour: int) -> dict[str, Numbers]:
    """The periods of a summary of type `con`.

    Args:
        rows: those of `rows_of`, of both types.
    """
    found = {}
    for name, days in PERIOD_DAYS.items():
        of_period = _between(rows, newest_hour - days * HOURS_PER_DAY, newest_hour)
        realtime, deferred = (
            sum(column) for column in ([h.realtime for h in of_period], [h.deferred for h in of_period])
        )
        total = realtime + deferred
        period = {
            "realtime": {"records": realtime, "percent": _ratio(realtime, total)},
            "deferred": {"records": deferred, "percent": _ratio(deferred, total)},
            "total": {"records": total},
        }
        found[name] = without_zeros(period) | {"averageDailyRecords": total / days}
    return found


def without_zeros(numbers: Numbers) -> Numbers:
    """The numbers that are not 0; objects stay, even if nothing is left in them."""
    return {
        name: without_zeros(value) if isinstance(value, dict) else value
        for name, value in numbers.items()
        if value != 0
    }


def _between(rows: Sequence[Row], after_hour: int, through_hour: int) -> list[HourSum]:
    return [sums for sums, _ in rows if after_hour < sums.hour <= through_hour]


def _glucose_period(joined: _Part, days: int) -> Numbers:
    """All numbers of a period, those that are 0 as well."""
    totals, squares = joined.totals, joined.squares
    records, minutes, glucose = totals[_RECORDS], totals[_MINUTES], totals[_GLUCOSE]
    is_sensor = minutes > 0
    weight = joined.weight
    mean = _ratio(glucose, weight)
    deviation = sqrt(_ratio(squares, weight))
    period: Numbers = {
        "total": {
            "records": records,
            "minutes": minutes,
            "percent": minutes / (days * _MINUTES_PER_DAY) if is_sensor else 0,
            "glucose": glucose,
            "variance": squares,
        }
    }
    for name, (record_fields, minute_fields) in _RANGE_FIELDS.items():
        of_range = sum(totals[field] for field in record_fields)
        range_minutes = sum(totals[field] for field in minute_fields)
        share = _ratio(range_minutes if is_sensor else of_range, weight)
        period[name] = {"records": of_range, "minutes": range_minutes, "percent": share}
    return period | {
        "min": joined.lowest,
        "max": joined.highest,
        "averageGlucoseMmol": mean,
        "glucoseManagementIndicator": management_indicator(mean) if is_sensor else 0,
        "standardDeviation": deviation,
        "coefficientOfVariation": _ratio(deviation, mean),
        "averageDailyRecords": records / days,
        "hoursWithData": len(joined.hours),
        "daysWithData": _days_with_data(joined.hours),
    }


def management_indicator(mean_mmol_l: float) -> float:
    """The glucose management indicator of a mean, in percent, rounded to one decimal, half up."""
    percent = 0.09148 * (12.71 + 4.70587 * mean_mmol_l) + 2.152
    return floor(10 * percent + 0.5) / 10


def _days_with_data(hours: Sequence[int]) -> int:
    """Days counted from the newest hour backwards: the next one is the first hour 24 hours or more before the last."""
    days, left = 0, len(hours)
    while left:
        days, left = days + 1, bisect_right(hours, hours[left - 1] - HOURS_PER_DAY)
    return days


def _difference(period: Numbers, earlier: Numbers) -> Numbers:
    ranges = {
        name: {unit: period[name][unit] - earlier[name][unit] for unit in ("percent", "records", "minutes")}
        for name in ("total", *_RANGES)
    }
    return ranges | {name: period[name] - earlier[name] for name in _DIFFERENCES}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0
