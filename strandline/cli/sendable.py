"""Converts records and data sets of an export to the form that a server accepts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from strandline.cli.folder import Json

DATA_SET_FIELDS = (
    "annotations",
    "client",
    "clockDriftOffset",
    "computerTime",
    "conversionOffset",
    "dataSetType",
    "deviceId",
    "deviceManufacturers",
    "deviceModel",
    "deviceSerialNumber",
    "deviceTags",
    "deviceTime",
    "payload",
    "time",
    "timeProcessing",
    "timezone",
    "timezoneOffset",
    "type",
    "version",
)
"""The fields of a data set that a client may set (data API 7), except ids and the name of the deduplicator."""

SERVICE_FIELDS = frozenset(
    {
        "_deduplicator",
        "archivedDatasetId",
        "archivedTime",
        "createdTime",
        "createdUserId",
        "deduplicator",
        "deletedTime",
        "deletedUserId",
        "guid",
        "modifiedTime",
        "modifiedUserId",
        "provenance",
        "revision",
        "uploadId",
    }
)
"""The fields that a server sets in each record."""

MAX_MMOL_L = 55
MG_DL_PER_MMOL_L = 18.01559
GLUCOSE_MEMBERS = frozenset({"value", "level", "rate"})
ALERTS = frozenset({"lowAlerts", "highAlerts", "rateOfChangeAlerts", "fallRate", "riseRate"})
_RECORD_ID = re.compile(r"[0-9a-z]{32}")


def described(data_set: Json) -> Json:
    """The description that a client sent when it created a data set, as far as the export shows it."""
    description = {name: data_set[name] for name in DATA_SET_FIELDS if name in data_set}
    name = (data_set.get("deduplicator") or {}).get("name")
    return description if name is None else description | {"deduplicator": {"name": name}}


def without_service_fields(record: Json) -> Json:
    """A record, and the records embedded in it, without the fields that a server sets."""
    return {
        name: without_service_fields(value) if name in ("bolus", "status") and isinstance(value, dict) else value
        for name, value in record.items()
        if name not in SERVICE_FIELDS
    }


def sendable(record: Json, blob_ids: Mapping[str, str]) -> Json:
    """A record in the form in which it is sent; `blob_ids` has the new id of each blob by its old id."""
    sent = without_service_fields(record)
    if _RECORD_ID.fullmatch(str(sent.get("id"))) is None:
        sent.pop("id", None)  # older servers had ids of another format
    as_sent = _AS_SENT.get(sent["type"])
    if as_sent is not None:
        sent = as_sent(sent)
    return with_ids_replaced(sent, blob_ids) if blob_ids else sent


def with_ids_replaced(value: Any, ids: Mapping[str, str]) -> Any:
    """A JSON value in which each string that is one of these ids is replaced."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [with_ids_replaced(element, ids) for element in value]
    if isinstance(value, dict):
        return {name: with_ids_replaced(element, ids) for name, element in value.items()}
    return value


def _reading_as_sent(reading: Json) -> Json:
    """A reading in mg/dL if its mmol/L are too high: 1000 mg/dL is accepted, its stored 55.50748 mmol/L is not."""
    value = reading.get("value")
    if not isinstance(value, int | float) or value <= MAX_MMOL_L or reading.get("units") != "mmol/L":
        return reading
    return _in_mg_dl(reading) or reading


def _cgm_settings_as_sent(settings: Json) -> Json:
    """Settings with the name under which alerts of rates are sent, in mg/dL if possible: only rates of 2 and 3 mg/dL a
    minute are accepted, and their stored values in mmol/L are rounded."""
    if "rateOfChangeAlert" not in settings:
        return settings
    renamed = {name: value for name, value in settings.items() if name != "rateOfChangeAlert"}
    renamed["rateOfChangeAlerts"] = settings["rateOfChangeAlert"]
    return (_in_mg_dl(renamed) or renamed) if renamed.get("units") == "mmol/L" else renamed


def _device_event_as_sent(event: Json) -> Json:
    """A time change with local clocks, which are sent without a zone and stored as if in UTC."""
    if event.get("subType") == "calibration":
        return _reading_as_sent(event)
    if event.get("subType") != "timeChange":
        return event
    clocks = {name: event[name] for name in ("from", "to") if isinstance(event.get(name), dict)}
    local = {
        name: clock | {"time": clock["time"].removesuffix("Z")} for name, clock in clocks.items() if "time" in clock
    }
    return event | local


def _in_mg_dl(record: Json) -> Json | None:
    """The record in mg/dL; None unless a server converts it back to exactly the same mmol/L."""
    try:
        return {name: _value_in_mg_dl(name, value) for name, value in record.items()}
    except ValueError:
        return None


def _value_in_mg_dl(name: str, value: Any) -> Any:
    if name == "units":
        return "mg/dL"
    if name in GLUCOSE_MEMBERS and isinstance(value, int | float):
        value_mg_dl = round(value * MG_DL_PER_MMOL_L)
        if int(value_mg_dl / MG_DL_PER_MMOL_L * 100_000 + (0.5 if value >= 0 else -0.5)) / 100_000 != value:
            raise ValueError(name)
        return value_mg_dl
    if name in ALERTS and isinstance(value, dict):
        return {inner: _value_in_mg_dl(inner, element) for inner, element in value.items()}
    return value


_AS_SENT: dict[str, Callable[[Json], Json]] = {
    "cbg": _reading_as_sent,
    "smbg": _reading_as_sent,
    "cgmSettings": _cgm_settings_as_sent,
    "deviceEvent": _device_event_as_sent,
}
"""The conversions, by type, of records whose stored form is not accepted."""
