"""Glucose readings, and which of them statistics count. Source: summary-api 4."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from chalicelib.durations import HOUR_MS, MINUTE_MS

CBG, SMBG = "cbg", "smbg"
GLUCOSE_TYPES = frozenset({CBG, SMBG})
MAX_COUNTED_PER_HOUR = 61
_TOLERANCE_MS = 10_000
_DEFAULT_MINUTES = 5
_LIBRE_MINUTES = 15


class Reading(NamedTuple):
    """A reading of a sensor or of a meter."""

    time_ms: int
    value_mmol_l: float
    minutes: int
    """The time that a sensor's reading stands for; 0 for a meter's."""
    stored_ms: int
    """Time at which the platform stored it."""
    is_continuous: bool
    """True if its data set is a continuous one."""
    time_zone: str | None = None
    """The time zone that the device named."""

    @property
    def hour(self) -> int:
        """The hour of its time, counted from 1970-01-01T00:00:00Z."""
        return self.time_ms // HOUR_MS


@lru_cache(maxsize=256)
def sensor_minutes(device_id: str | None, sample_interval_ms: int | None) -> int:
    """The minutes that a sensor's reading stands for: its sample interval, else what is usual for the device.

    Intervals of less than a minute count as one: 0 would take the reading out of every mean. Cached, because all
    readings of a sensor have the same two arguments.
    """
    if sample_interval_ms is not None:
        return max(1, sample_interval_ms // MINUTE_MS)
    if device_id is not None and "AbbottFreeStyleLibre" in device_id and "AbbottFreeStyleLibre3" not in device_id:
        return _LIBRE_MINUTES
    return _DEFAULT_MINUTES


def in_order(readings: Sequence[Reading]) -> list[Reading]:
    """Readings by time; of equal times, the one that was stored last comes first.

    Args:
        readings: those that were stored in the same millisecond, in the order in which they were stored.
    """
    newest_first = list(reversed(readings))
    newest_first.sort(key=lambda reading: (reading.time_ms, -reading.stored_ms))
    return newest_first


def by_hour(ordered: Iterable[Reading]) -> Iterator[tuple[int, list[Reading]]]:
    """The readings of each hour that has any. They must be sorted by time."""
    return ((hour, list(of_hour)) for hour, of_hour in groupby(ordered, key=lambda reading: reading.hour))


def counted(of_hour: Iterable[Reading]) -> list[Reading]:
    """The readings of an hour that count: at most 61, and of a sensor none that comes before the last counted one ends.

    The earlier reading's minutes decide, less 10 seconds. The first reading of an hour always counts.

    Args:
        of_hour: the readings of one hour, as `in_order` sorts them.
    """
    found: list[Reading] = []
    from_ms: int | None = None
    for reading in of_hour:
        if len(found) == MAX_COUNTED_PER_HOUR:
            break
        if reading.minutes and from_ms is not None and reading.time_ms < from_ms:
            continue
        found.append(reading)
        from_ms = reading.time_ms + reading.minutes * MINUTE_MS - _TOLERANCE_MS
    return found


def reading_of(body: Mapping[str, Any], time_ms: int, stored_ms: int, *, is_continuous: bool) -> Reading:
    """The reading that a stored record of type `cbg` or `smbg` is."""
    get = body.get
    minutes = sensor_minutes(get("deviceId"), get("sampleInterval")) if body["type"] == CBG else 0
    return Reading(time_ms, float(body["value"]), minutes, stored_ms, is_continuous, get("timezone"))
