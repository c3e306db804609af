"""Entries as Tidepool records: sensor readings and fingersticks. Source: nightscout-api 14."""

from collections.abc import Mapping
from typing import Any

from chalicelib.model.json_values import is_number

ENTRY_PARTS = ("cbg", "smbg")
MIN_SENSOR_VALUE = 39
"""Lower values are codes of the sensor, not readings."""
MG_DL = "mg/dL"
_TRENDS = {
    "TripleUp": "rapidRise",
    "DoubleUp": "rapidRise",
    "SingleUp": "moderateRise",
    "FortyFiveUp": "slowRise",
    "Flat": "constant",
    "FortyFiveDown": "slowFall",
    "SingleDown": "moderateFall",
    "DoubleDown": "rapidFall",
    "TripleDown": "rapidFall",
}


def records_of_entry(body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The record of an entry, by its part; none for calibrations, and for codes of a sensor."""
    kind = body.get("type")
    if kind == "sgv" and is_number(body.get("sgv")) and body["sgv"] >= MIN_SENSOR_VALUE:
        trend = _TRENDS.get(str(body.get("direction")))
        return {"cbg": _glucose("cbg", body["sgv"]) | ({} if trend is None else {"trend": trend})}
    if kind == "mbg" and is_number(body.get("mbg")):
        return {"smbg": _glucose("smbg", body["mbg"])}
    return {}


def _glucose(kind: str, value: float) -> dict[str, Any]:
    return {"type": kind, "units": MG_DL, "value": value}
