"""`/pebble`: the newest readings for watch faces. Source: nightscout-api 8."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.nightscout.find import parse_count
from chalicelib.nightscout.glances.buckets import Bucket, change_in_mmol_l, filled_buckets, newest_change
from chalicelib.nightscout.glances.readings import (
    MAX_READINGS,
    current_readings,
    in_mmol_l,
    newest_readings,
)
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import Query

MMOL = "mmol"
_TRENDS = {
    "NONE": 0,
    "DoubleUp": 1,
    "SingleUp": 2,
    "FortyFiveUp": 3,
    "Flat": 4,
    "FortyFiveDown": 5,
    "SingleDown": 6,
    "DoubleDown": 7,
    "NOT COMPUTABLE": 8,
    "RATE OUT OF RANGE": 9,
}
_OTHER_TREND = 8


def glance(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> dict[str, Any]:
    """The newest readings, one unless `count` asks for more; in mmol/L if `units` does. The first one has the change of
    the current value, which is not later than now.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: `count` is unreadable.
    """
    call.require(user_id)
    count = parse_count(query) or 1
    is_mmol = query.get("units", ("",))[-1] == MMOL
    readings = newest_readings(call, user_id, max(count, MAX_READINGS), ports)
    shown = [_reading(reading, is_mmol=is_mmol) for reading in readings[:count]]
    if readings and readings[0]["date"] > call.now_ms:
        readings = current_readings(call, user_id, ports)
    if shown:
        shown[0]["bgdelta"] = _delta(*newest_change(filled_buckets(readings)), is_mmol=is_mmol)
    return {"status": [{"now": call.now_ms}], "bgs": shown, "cals": []}


def _reading(reading: dict[str, Any], *, is_mmol: bool) -> dict[str, Any]:
    shown = {
        "sgv": f"{in_mmol_l(reading['sgv']):.1f}" if is_mmol else str(reading["sgv"]),
        "trend": _TRENDS.get(str(reading.get("direction")), _OTHER_TREND),
        "datetime": reading["date"],
    }
    return shown | ({"direction": reading["direction"]} if "direction" in reading else {})


def _delta(now: Bucket | None, change: dict[str, Any] | None, *, is_mmol: bool) -> Any:
    if now is None or change is None:
        return "0.0" if is_mmol else 0
    return f"{change_in_mmol_l(now, change):.1f}" if is_mmol else change["scaled"]
