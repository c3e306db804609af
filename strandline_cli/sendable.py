"""A record and a data set of an export in the form in which a server takes them."""

import re
from collections.abc import Mapping
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
    if sent["type"] == "cgmSettings" and "rateOfChangeAlert" in sent:
        sent["rateOfChangeAlerts"] = sent.pop("rateOfChangeAlert")  # stored under another name than it is sent
    if sent["type"] in ("cbg", "smbg"):
        sent = _in_range(sent)
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


def _in_range(reading: Json) -> Json:
    """1000 mg/dL may be sent and 55.50748 mmol/L, which it becomes, may not: sent as mg/dL it becomes the same."""
    value = reading.get("value")
    if not isinstance(value, int | float) or value <= MOST_MMOL_L or reading.get("units") != "mmol/L":
        return reading
    value_mg_dl = round(value * MG_DL_PER_MMOL_L)
    is_same = int(value_mg_dl / MG_DL_PER_MMOL_L * 100_000 + 0.5) / 100_000 == value
    return reading | {"value": value_mg_dl, "units": "mg/dL"} if is_same else reading
