"""`/api/v2/properties`: the newest reading, its change, and what a loop says of itself, for widgets.

Source: nightscout-api 8.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import MINUTE_MS
from chalicelib.model.json_values import is_number
from chalicelib.nightscout.device_status.find import find_device_statuses
from chalicelib.nightscout.glances.readings import NO_DIRECTION, newest_readings
from chalicelib.nightscout.ports import NightscoutPorts

MAX_MINUTES = 9
"""A change over more minutes is interpolated to five."""
_DELTA_MINUTES = 5
_COPIED = ("_id", "device", "noise")

Status = Mapping[str, Any]


def properties(call: Call, user_id: str, names: str, ports: NightscoutPorts) -> dict[str, Any]:
    """The properties with these names, separated by commas; all for no name. Those without data, and unknown ones, are
    left out.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    call.require(user_id)
    wanted = set(names.split(",")) if names else {"bgnow", "delta", *_OF_STATUS}
    found: dict[str, Any] = {}
    if wanted & {"bgnow", "delta"}:
        found |= _of_readings(newest_readings(call, user_id, 2, ports))
    if wanted & _OF_STATUS.keys():
        newest = find_device_statuses(call, user_id, {"count": ("1",)}, ports).bodies
        for name, read in _OF_STATUS.items() if newest else ():
            if (value := read(newest[0])) is not None:
                found[name] = value
    return {name: value for name, value in found.items() if name in wanted}


def _of_readings(readings: list[dict[str, Any]]) -> dict[str, Any]:
    if not readings:
        return {}
    now = _bucket(readings[0])
    if len(readings) == 1:
        return {"bgnow": now}
    return {"bgnow": now, "delta": _delta(now, _bucket(readings[1]))}


def _bucket(reading: dict[str, Any]) -> dict[str, Any]:
    value, time_ms = reading["sgv"], reading["date"]
    shown = {
        **{name: reading[name] for name in _COPIED if name in reading},
        "mgdl": value,
        "mills": time_ms,
        "direction": reading.get("direction") or NO_DIRECTION,
        "type": "sgv",
        "scaled": value,
    }
    return {"mean": value, "last": value, "mills": time_ms, "sgvs": [shown]}


def _delta(now: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    absolute = now["mean"] - previous["mean"]
    minutes = (now["mills"] - previous["mills"]) / MINUTE_MS
    is_interpolated = minutes > MAX_MINUTES
    before = now["mean"] - absolute / minutes * _DELTA_MINUTES if is_interpolated else previous["mean"]
    change = round(now["mean"] - before)
    return {
        "absolute": absolute,
        "elapsedMins": _whole(minutes),
        "interpolated": is_interpolated,
        "mean5MinsAgo": _whole(before),
        "times": {"recent": now["mills"], "previous": previous["mills"]},
        "mgdl": change,
        "scaled": change,
        "display": f"{change:+d}",
        "previous": previous,
    }


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def _uploader_battery(status: Status) -> Any:
    percent = _at(status, "uploader", "battery")
    percent = _at(status, "uploaderBattery") if percent is None else percent
    if percent is None:
        return None
    return {"display": f"{percent}%", "devices": {}, "level": percent}


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
