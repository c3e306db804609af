"""`/api/v2/properties`: the newest reading, its change, and what a loop says of itself, for widgets.

Source: nightscout-api 8.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import MINUTE_MS
from chalicelib.model.json_values import is_number
from chalicelib.nightscout.device_status.find import find_device_statuses
from chalicelib.nightscout.glances.buckets import filled_buckets, newest_change
from chalicelib.nightscout.glances.readings import current_readings
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.times import iso_time

RECENT_MS = 30 * MINUTE_MS
"""The age from which on a device status says nothing about now."""
AHEAD_MS = 5 * MINUTE_MS
"""The time by which the clock of a phone may be ahead."""
MAX_STATUSES = 10
_OF_READINGS = frozenset({"bgnow", "delta", "buckets"})
_CONSTANT: Mapping[str, Any] = {"runtimestate": {"state": "loaded"}}
_NO_BATTERY: Mapping[str, Any] = {"display": "?%", "devices": {}}

Status = Mapping[str, Any]


def properties(call: Call, user_id: str, names: str, ports: NightscoutPorts) -> dict[str, Any]:
    """The properties with these names, separated by commas; all for no name. Those without data, and unknown ones, are
    left out.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    call.require(user_id)
    wanted = set(names.split(",")) if names else {*_OF_READINGS, *_OF_STATUS, *_CONSTANT}
    found: dict[str, Any] = dict(_CONSTANT)
    if wanted & _OF_READINGS:
        found |= _of_readings(current_readings(call, user_id, ports))
    if wanted & _OF_STATUS.keys():
        statuses = _recent_statuses(call, user_id, ports)
        values = {
            name: next((value for status in statuses if (value := read(status)) is not None), None)
            for name, read in _OF_STATUS.items()
        }
        values["upbat"] = values["upbat"] or _NO_BATTERY
        found |= {name: value for name, value in values.items() if value is not None}
    return {name: value for name, value in found.items() if name in wanted}


def _recent_statuses(call: Call, user_id: str, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """The device statuses of the last half hour, newest first: a phone sends the battery, a loop the rest."""
    query = {
        "find[created_at][$gte]": (iso_time(max(call.now_ms - RECENT_MS, 0)),),
        "find[created_at][$lte]": (iso_time(call.now_ms + AHEAD_MS),),
        "count": (str(MAX_STATUSES),),
    }
    return find_device_statuses(call, user_id, query, ports).bodies


def _of_readings(readings: list[dict[str, Any]]) -> dict[str, Any]:
    buckets = filled_buckets(readings)
    now, change = newest_change(buckets)
    found = {"bgnow": now, "delta": change, "buckets": buckets}
    return {name: value for name, value in found.items() if value}


def _uploader_battery(status: Status) -> Any:
    percent = _at(status, "uploader", "battery")
    percent = _at(status, "uploaderBattery") if percent is None else percent
    return None if percent is None else {"display": f"{percent}%", "devices": {}, "level": percent}


def _insulin_on_board(status: Status) -> Any:
    units = _first(status, ("loop", "iob", "iob"), ("openaps", "iob", "iob"))
    return None if units is None else {"iob": units, "display": f"{units:.2f}"}


def _carbs_on_board(status: Status) -> Any:
    grams = _first(status, ("loop", "cob", "cob"), ("openaps", "suggested", "COB"), ("openaps", "enacted", "COB"))
    return None if grams is None else {"cob": grams, "display": round(grams, 1)}


def _first(status: Status, *paths: tuple[str, ...]) -> Any:
    return next((value for path in paths if (value := _at(status, *path)) is not None), None)


def _at(status: Status, *path: str) -> Any:
    """The number at a path; None if there is none."""
    value: Any = status
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if is_number(value) else None


_OF_STATUS: Mapping[str, Callable[[Status], Any]] = {
    "upbat": _uploader_battery,
    "iob": _insulin_on_board,
    "cob": _carbs_on_board,
}
