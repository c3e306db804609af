"""Readings and fingersticks of the Tidepool API as entries. Source: nightscout-api 14.

A reading without a trend gets its direction from the reading before, because apps do not draw one without.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from chalicelib.durations import MINUTE_MS
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.rendering.record import Record, app_of, mg_dl, rendered, time_ms_of
from chalicelib.nightscout.times import iso_time

ENTRY_TYPES = ("cbg", "smbg")
MAX_GAP_MS = 15 * MINUTE_MS
"""Readings that lie farther apart say nothing about a direction."""
NO_DIRECTION = "NONE"
_DELTA_MINUTES = 5
_DIRECTIONS = {
    "rapidRise": "DoubleUp",
    "moderateRise": "SingleUp",
    "slowRise": "FortyFiveUp",
    "constant": "Flat",
    "slowFall": "FortyFiveDown",
    "moderateFall": "SingleDown",
    "rapidFall": "DoubleDown",
}
_SLOPES = ((3.0, "DoubleUp"), (2.0, "SingleUp"), (1.0, "FortyFiveUp"))
"""Each direction with the mg/dL a minute above which it begins; falling ones mirror them."""


def rendered_entries(
    readings: Sequence[Record], shown: Callable[[Record], bool], last_before: Callable[[], Record | None]
) -> Iterator[Document]:
    """The entries of one day, newest first.

    Args:
        readings: all readings and fingersticks of the day, in the order of time.
        shown: whether a record becomes an entry; others only give a direction to those after them.
        last_before: the last reading of the day before; called only if the first reading of the day is wanted.
    """
    sensor = [reading for reading in readings if reading["type"] == "cbg"]
    before: Mapping[int, Record] = {id(after): reading for reading, after in pairwise(sensor)}
    for reading in reversed(readings):
        if not shown(reading):
            continue
        if reading["type"] == "smbg":
            yield rendered(Collection.ENTRIES, reading, _common(reading) | {"type": "mbg", "mbg": _value(reading)})
            continue
        yield _sgv(reading, before[id(reading)] if id(reading) in before else last_before())


def _sgv(reading: Record, before: Record | None) -> Document:
    gap_ms = 0 if before is None else time_ms_of(reading) - time_ms_of(before)
    slope = None
    if before is not None and 0 < gap_ms <= MAX_GAP_MS:
        slope = (_value(reading) - _value(before)) / (gap_ms / MINUTE_MS)
    direction = _DIRECTIONS.get(str(reading.get("trend")))
    members = {
        "type": "sgv",
        "sgv": _value(reading),
        "direction": direction or _direction(slope),
        "delta": 0 if slope is None else round(slope * _DELTA_MINUTES, 3),
    }
    return rendered(Collection.ENTRIES, reading, _common(reading) | members)


def _direction(slope: float | None) -> str:
    """The direction of a slope in mg/dL a minute."""
    if slope is None:
        return NO_DIRECTION
    for least, name in _SLOPES:
        if slope > least:
            return name
        if slope < -least:
            return name.replace("Up", "Down")
    return "Flat"


def _value(reading: Record) -> int:
    return mg_dl(reading["value"], reading.get("units"))


def _common(reading: Record) -> dict[str, object]:
    time_ms = time_ms_of(reading)
    device = reading.get("deviceId") or app_of(reading)
    return {"date": time_ms, "dateString": iso_time(max(0, time_ms)), "device": device}
