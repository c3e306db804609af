"""The ambulatory glucose profile and the consensus metrics of a window of time. Source: summary-api 9.

Values are in mg/dL unless a name says otherwise; the time of day is that of one zone. Numbers are rounded to six
decimals.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import floor, log, sqrt
from operator import mul
from typing import Any

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.glucose.reading import Reading
from chalicelib.model.glucose import MG_DL_PER_MMOL_L
from chalicelib.model.times import format_time
from chalicelib.summaries.local_time import Zone, local_date

MINUTES_PER_DAY = 1440
DECIMALS = 6
ENOUGH_DAYS, ENOUGH_PERCENT = 14, 70
_VERY_LOW_BELOW, _LOW_BELOW, _HIGH_ABOVE, _VERY_HIGH_ABOVE, _TIGHT_TO = 54, 70, 180, 250, 140
_PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_ZONES = ((20, "A"), (40, "B"), (60, "C"), (80, "D"))

Numbers = dict[str, Any]


@frozen
class Window:
    """The time that a profile is of: from the first, which belongs to it, to the second, which does not."""

    from_ms: int
    to_ms: int

    @property
    def days(self) -> float:
        """Its length in days of 24 hours."""
        return (self.to_ms - self.from_ms) / DAY_MS


def profile_body(readings: Sequence[Reading], window: Window, zone: Zone, bin_minutes: int) -> Numbers:
    """The profile and the metrics of a sensor's readings.

    Args:
        readings: the counted ones of the window, at least one, by time.
    """
    values = [reading.value_mmol_l * MG_DL_PER_MMOL_L for reading in readings]
    weights = [reading.minutes for reading in readings]
    walls = zone.local_minutes([reading.time_ms for reading in readings])
    minutes = sum(weights)
    mean = sum(map(mul, weights, values)) / minutes
    deviation = sqrt(sum(weight * (value - mean) ** 2 for weight, value in zip(weights, values, strict=True)) / minutes)
    active = min(100, 100 * minutes / (window.days * MINUTES_PER_DAY))
    ranges = _ranges(values, weights)
    low_index, high_index = _risk_indexes(values)
    days = _days(walls, readings, values)
    body: Numbers = {
        "from": format_time(window.from_ms),
        "to": format_time(window.to_ms),
        "timeZone": zone.name,
        "binMinutes": bin_minutes,
        "firstReading": format_time(readings[0].time_ms),
        "lastReading": format_time(readings[-1].time_ms),
        "records": len(readings),
        "minutes": minutes,
        "percentActive": active,
        "daysOfWear": minutes / MINUTES_PER_DAY,
        "datesWithData": len(days),
        "enough": window.days >= ENOUGH_DAYS and active >= ENOUGH_PERCENT,
        "ranges": ranges,
        "gri": _risk_index(ranges),
        "lbgi": low_index,
        "hbgi": high_index,
        "jIndex": 0.001 * (mean + deviation) ** 2,
        "profile": _profile(walls, values, bin_minutes),
        "profileMmol": _profile(walls, [reading.value_mmol_l for reading in readings], bin_minutes),
    }
    return _rounded(body | _moments(mean, deviation)) | {"days": days}


def _moments(mean: float, deviation: float) -> Numbers:
    exact = 3.31 + 0.02392 * mean
    mean_mmol_l = mean / MG_DL_PER_MMOL_L
    return {
        "meanMgdl": mean,
        "meanMmol": mean_mmol_l,
        "sdMgdl": deviation,
        "sdMmol": deviation / MG_DL_PER_MMOL_L,
        "cv": 100 * deviation / mean if mean else 0.0,
        "gmi": floor(10 * exact + 0.5) / 10,
        "gmiExact": exact,
        "gmiMmolMol": 12.71 + 4.70587 * mean_mmol_l,
    }


def _ranges(values: Sequence[float], weights: Sequence[int]) -> Numbers:
    """The share of the minutes in each range, in percent. Whole mg/dL decide, as meters and apps show them."""
    by_value: dict[int, int] = defaultdict(int)
    for value, weight in zip(values, weights, strict=True):
        by_value[_whole(value)] += weight
    minutes = dict.fromkeys(("veryLow", "low", "target", "high", "veryHigh", "tight"), 0)
    for shown, of_value in by_value.items():
        minutes[_range_of(shown)] += of_value
        if _LOW_BELOW <= shown <= _TIGHT_TO:
            minutes["tight"] += of_value
    total = sum(weights)
    return {name: 100 * of_range / total for name, of_range in minutes.items()}


def _range_of(value_mg_dl: int) -> str:
    if value_mg_dl < _LOW_BELOW:
        return "veryLow" if value_mg_dl < _VERY_LOW_BELOW else "low"
    if value_mg_dl <= _HIGH_ABOVE:
        return "target"
    return "high" if value_mg_dl <= _VERY_HIGH_ABOVE else "veryHigh"


def _risk_index(ranges: Numbers) -> Numbers:
    """The glycemia risk index with its two components."""
    hypo = ranges["veryLow"] + 0.8 * ranges["low"]
    hyper = ranges["veryHigh"] + 0.5 * ranges["high"]
    value = min(100, 3.0 * hypo + 1.6 * hyper)
    zone = next((name for limit, name in _ZONES if _whole(value) <= limit), "E")
    return {"hypo": hypo, "hyper": hyper, "value": value, "zone": zone}


def _risk_indexes(values: Iterable[float]) -> tuple[float, float]:
    """The low and the high blood glucose index, unweighted. A value below 1 mg/dL, which has no logarithm that the
    formula takes, counts as 1."""
    low, high, count = 0.0, 0.0, 0
    for value in values:
        count += 1
        risk = 1.509 * (log(max(1.0, value)) ** 1.084 - 5.381)
        if risk < 0:
            low += 10 * risk * risk
        else:
            high += 10 * risk * risk
    return low / count, high / count


def _profile(walls: Sequence[int], values: Sequence[float], bin_minutes: int) -> list[list[float]]:
    """For each bin of the local day that has readings: its first minute, the number of readings, the percentiles."""
    bins: dict[int, list[float]] = defaultdict(list)
    for wall, value in zip(walls, values, strict=True):
        bins[wall % MINUTES_PER_DAY // bin_minutes * bin_minutes].append(value)
    return [
        [start, len(of_bin), *(_percentile(ordered, part) for part in _PERCENTILES)]
        for start, of_bin in sorted(bins.items())
        if (ordered := sorted(of_bin))
    ]


def _percentile(ordered: Sequence[float], part: float) -> float:
    """The percentile by linear interpolation at 1 + (n - 1) p (type 7 of Hyndman and Fan)."""
    place = (len(ordered) - 1) * part
    index = int(place)
    above = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (above - ordered[index]) * (place - index)


def _days(walls: Sequence[int], readings: Sequence[Reading], values: Sequence[float]) -> list[Numbers]:
    """The local dates with readings: for each its statistics, and the readings in the order of their instants, as
    `[minute of the day, whole mg/dL, mmol/L]`."""
    dates: dict[int, list[int]] = defaultdict(list)
    for index, wall in enumerate(walls):
        dates[wall // MINUTES_PER_DAY].append(index)
    days = []
    for date, indexes in sorted(dates.items()):
        of_day = [values[index] for index in indexes]
        weights = [readings[index].minutes for index in indexes]
        mean = sum(map(mul, weights, of_day)) / sum(weights)
        statistics = {
            "date": local_date(date),
            "records": len(indexes),
            "minutes": sum(weights),
            "meanMgdl": mean,
            "meanMmol": mean / MG_DL_PER_MMOL_L,
            "ranges": _ranges(of_day, weights),
        }
        shown = [
            [walls[index] % MINUTES_PER_DAY, _whole(values[index]), readings[index].value_mmol_l] for index in indexes
        ]
        days.append(_rounded(statistics) | {"readings": shown})
    return days


def _whole(number: float) -> int:
    """The nearest whole number to one that is not negative; halves go up."""
    return int(number + 0.5)


def _rounded(numbers: Numbers) -> Numbers:
    return {name: _rounded_value(value) for name, value in numbers.items()}


def _rounded_value(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return _rounded(value)
    return [_rounded_value(member) for member in value] if isinstance(value, list) else value
