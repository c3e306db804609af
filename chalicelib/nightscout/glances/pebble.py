"""`/pebble`: the newest readings for watch faces. Source: nightscout-api 8."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.nightscout.find import parse_count
from chalicelib.nightscout.glances.readings import NO_DIRECTION, in_mmol_l, newest_readings
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import Query

MMOL = "mmol"
_TRENDS = {
    "DoubleUp": 1,
    "SingleUp": 2,
    "FortyFiveUp": 3,
    "Flat": 4,
    "FortyFiveDown": 5,
    "SingleDown": 6,
    "DoubleDown": 7,
}


def glance(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> dict[str, Any]:
    """The newest readings, one unless `count` asks for more; in mmol/L if `units` does. The first one has its
    difference to the one before.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: `count` is unreadable.
    """
    call.require(user_id)
    count = parse_count(query) or 1
    is_mmol = query.get("units", ("",))[-1] == MMOL
    readings = newest_readings(call, user_id, count + 1, ports)
    shown = [_reading(reading, is_mmol=is_mmol) for reading in readings[:count]]
    if shown:
        shown[0]["bgdelta"] = _delta(readings, is_mmol=is_mmol)
    return {"status": [{"now": call.now_ms}], "bgs": shown, "cals": []}


def _reading(reading: dict[str, Any], *, is_mmol: bool) -> dict[str, Any]:
    direction = reading.get("direction") or NO_DIRECTION
    return {
        "sgv": f"{in_mmol_l(reading['sgv']):.1f}" if is_mmol else str(reading["sgv"]),
        "trend": _TRENDS.get(str(direction), 0),
        "direction": direction,
        "datetime": reading["date"],
    }


def _delta(readings: list[dict[str, Any]], *, is_mmol: bool) -> Any:
    difference = readings[0]["sgv"] - readings[1]["sgv"] if len(readings) > 1 else 0
    return f"{in_mmol_l(difference):.1f}" if is_mmol else difference
