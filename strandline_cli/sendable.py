"""A record and a data set of an export in the form in which a server takes them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from strandline_cli.folder import Json

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
"""What a client may say of a data set (data API 7), without its ids; of the deduplicator it says the name."""

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
"""What a server makes of itself for each record."""

MOST_MMOL_L = 55
MG_DL_PER_MMOL_L = 18.01559
GLUCOSE_MEMBERS = frozenset({"value", "level", "rate"})
ALERTS = frozenset({"lowAlerts", "highAlerts", "rateOfChangeAlerts", "fallRate", "riseRate"})
_RECORD_ID = re.compile(r"[0-9a-z]{32}")


def described(data_set: Json) -> Json:
    """What a client said of a data set when it opened it, as far as it can be seen."""
    description = {name: data_set[name] for name in DATA_SET_FIELDS if name in data_set}
    name = (data_set.get("deduplicator") or {}).get("name")
    return description if name is None else description | {"deduplicator": {"name": name}}


def without_service_fields(record: Json) -> Json:
    """A record without what a server makes of itself, and likewise what is embedded in it."""
    return {
        name: without_service_fields(value) if name in ("bolus", "status") and isinstance(value, dict) else value
        for name, value in record.items()
        if name not in SERVICE_FIELDS
    }


def sendable(record: Json, blob_ids: Mapping[str, str]) -> Json:
    """A record as it is sent; `blob_ids` has the new id of each blob by its old one."""
    sent = without_service_fields(record)
    if _RECORD_ID.fullmatch(str(sent.get("id"))) is None:
        sent.pop("id", None)  # older servers had ids of other forms
    as_sent = _AS_SENT.get(sent["type"])
    if as_sent is not None:
        sent = as_sent(sent)
    return with_ids_replaced(sent, blob_ids) if blob_ids else sent


def with_ids_replaced(value: Any, ids: Mapping[str, str]) -> Any:
    """A JSON value in which every text that is one of these ids is replaced."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [with_ids_replaced(element, ids) for element in value]
    if isinstance(value, dict):
        return {name: with_ids_replaced(element, ids) for name, element in value.items()}
    return value


def _reading_as_sent(reading: Json) -> Json:
    """1000 mg/dL may be sent and 55.50748 mmol/L, which it becomes, may not."""
    value = reading.get("value")
    if not isinstance(value, int | float) or value <= MOST_MMOL_L or reading.get("units") != "mmol/L":
        return reading
    return _in_mg_dl(reading) or reading


def _cgm_settings_as_sent(settings: Json) -> Json:
    """Alerts of rates have another name when they are sent, and only 2 and 3 mg/dL a minute are allowed, which are
    stored rounded."""
    if "rateOfChangeAlert" not in settings:
        return settings
    renamed = {name: value for name, value in settings.items() if name != "rateOfChangeAlert"}
    renamed["rateOfChangeAlerts"] = settings["rateOfChangeAlert"]
    return (_in_mg_dl(renamed) or renamed) if renamed.get("units") == "mmol/L" else renamed


def _device_event_as_sent(event: Json) -> Json:
    """The clocks of a change of time are local: sent without a zone, and stored as if it were UTC."""
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
    """The record in mg/dL, if a server makes of that exactly what the record is in mmol/L."""
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
"""Where what is stored is not what may be sent."""
