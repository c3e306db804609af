"""The periods of a summary, from the sums of hours. Source: summary-api 2, 5 and 6."""

from bisect import bisect_right
from collections.abc import Sequence
from math import floor, sqrt
from typing import Any

from chalicelib.glucose.hour_sum import HourSum

PERIOD_DAYS = {"1d": 1, "7d": 7, "14d": 14, "30d": 30}
"""The periods, by name: how many days each has."""
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
_RANGE_FIELDS = {
    name: tuple(tuple(HourSum._fields.index(f"{part}_{unit}") for part in parts) for unit in ("records", "minutes"))
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


def glucose_periods(hours: Sequence[HourSum], newest_hour: int) -> dict[str, Numbers]:
    """The periods of a summary of type `cgm` or `bgm`, each with its difference from the days before it.

    Args:
        hours: the sums by hour; those of 60 days matter.
        newest_hour: the hour with which all periods end.
    """
    found = {}
    for name, days in PERIOD_DAYS.items():
        length = days * HOURS_PER_DAY
        period = _glucose_period(_between(hours, newest_hour - length, newest_hour), days)
        earlier = _glucose_period(_between(hours, newest_hour - 2 * length, newest_hour - length), days)
        found[name] = without_zeros(period) | {"delta": without_zeros(_difference(period, earlier))}
    return found


def continuous_periods(hours: Sequence[HourSum], newest_hour: int) -> dict[str, Numbers]:
    """The periods of a summary of type `con`.

    Args:
        hours: the sums of both types, by hour; an hour may occur twice.
    """
    found = {}
    for name, days in PERIOD_DAYS.items():
        of_period = _between(hours, newest_hour - days * HOURS_PER_DAY, newest_hour)
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


def _between(hours: Sequence[HourSum], after_hour: int, through_hour: int) -> Sequence[HourSum]:
    start = bisect_right(hours, after_hour, key=_hour_of)
    return hours[start : bisect_right(hours, through_hour, lo=start, key=_hour_of)]


def _hour_of(hour_sum: HourSum) -> int:
    return hour_sum.hour


def _glucose_period(hours: Sequence[HourSum], days: int) -> Numbers:
    """All numbers of a period, those that are 0 as well."""
    columns = list(zip(*hours, strict=True)) or [()] * len(HourSum._fields)
    totals = [sum(columns[index]) for index in range(1, 19)]
    records, minutes, glucose = totals[:3]
    is_sensor = minutes > 0
    weight = minutes or records
    mean = _ratio(glucose, weight)
    squares = _squares(columns, mean)
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
        of_range = sum(totals[field - 1] for field in record_fields)
        range_minutes = sum(totals[field - 1] for field in minute_fields)
        share = _ratio(range_minutes if is_sensor else of_range, weight)
        period[name] = {"records": of_range, "minutes": range_minutes, "percent": share}
    return period | {
        "min": min(columns[HourSum._fields.index("lowest")], default=0),
        "max": max(columns[HourSum._fields.index("highest")], default=0),
        "averageGlucoseMmol": mean,
        "glucoseManagementIndicator": management_indicator(mean) if is_sensor else 0,
        "standardDeviation": deviation,
        "coefficientOfVariation": _ratio(deviation, mean),
        "averageDailyRecords": records / days,
        "hoursWithData": len(hours),
        "daysWithData": _days_with_data(hours),
    }


def _squares(columns: Sequence[Sequence[float]], mean: float) -> float:
    """The weighted sum of squared distances from the mean of some hours (Chan's formula for joined groups)."""
    records, minutes, glucose, squares = columns[1:5]
    weights = minutes if any(minutes) else records
    return sum(squares) + sum(
        weight * (total / weight - mean) ** 2 for weight, total in zip(weights, glucose, strict=True)
    )


def management_indicator(mean_mmol_l: float) -> float:
    """The glucose management indicator of a mean, in percent, rounded to one decimal, half up."""
    percent = 0.09148 * (12.71 + 4.70587 * mean_mmol_l) + 2.152
    return floor(10 * percent + 0.5) / 10


def _days_with_data(hours: Sequence[HourSum]) -> int:
    """Days counted from the newest hour backwards: the next one is the first hour 24 hours or more before the last."""
    days, mark = 0, 0
    for hour_sum in reversed(hours):
        if not days or mark - hour_sum.hour >= HOURS_PER_DAY:
            days, mark = days + 1, hour_sum.hour
    return days


def _difference(period: Numbers, earlier: Numbers) -> Numbers:
    ranges = {
        name: {unit: period[name][unit] - earlier[name][unit] for unit in ("percent", "records", "minutes")}
        for name in ("total", *_RANGES)
    }
    return ranges | {name: period[name] - earlier[name] for name in _DIFFERENCES}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0
