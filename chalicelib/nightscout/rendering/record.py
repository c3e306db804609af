"""A record of the Tidepool API as a document that no Nightscout client can change. Source: nightscout-api 14, 17."""

from collections.abc import Mapping
from typing import Any

from chalicelib.durations import MINUTE_MS
from chalicelib.model.glucose import CONVERTED_UNITS, MG_DL_PER_MMOL_L
from chalicelib.model.json_values import plain_number
from chalicelib.model.times import parse_time
from chalicelib.nightscout.document import Collection, Document, document_key, new_id
from chalicelib.nightscout.times import iso_time

Record = Mapping[str, Any]
APP = "Tidepool"
"""The app of a record that names none."""


def time_ms_of(record: Record) -> int:
    """The time of a record in milliseconds since the epoch; 0 for a text that is not a time."""
    moment = parse_time(str(record.get("time")))
    return 0 if moment is None else moment.epoch_ms


def app_of(record: Record) -> str:
    """The app that made a record."""
    name = record.get("origin", {}).get("name")
    return name if isinstance(name, str) and name else APP


def mg_dl(value_mmol_l: float, units: Any = None) -> int:
    """A stored glucose value in whole mg/dL: what the client sent, if it sent mg/dL.

    Args:
        units: its units; other ones than mg/dL are mmol/L, in which values are stored.
    """
    return round(value_mmol_l if units in CONVERTED_UNITS else value_mmol_l * MG_DL_PER_MMOL_L)


def minutes(duration_ms: float) -> float:
    """A duration in minutes, whole where it can be."""
    return plain_number(round(duration_ms / MINUTE_MS, 3))


def rendered(collection: Collection, record: Record, members: Mapping[str, Any]) -> Document:
    """The document of a record: these members, and those that all rendered documents have. It has the same `_id` each
    time, from which its day follows."""
    time_ms = time_ms_of(record)
    key = document_key(collection, "record", str(record["id"]))
    body = {
        **members,
        "_id": new_id(max(0, time_ms), key),
        "identifier": record["id"],
        "app": app_of(record),
        "utcOffset": record.get("timezoneOffset", 0),
        "isReadOnly": True,
    }
    return Document(collection, key, time_ms, body, is_read_only=True)


def rendered_treatment(record: Record, event_type: str, members: Mapping[str, Any]) -> Document:
    """The treatment of a record."""
    common: dict[str, Any] = {
        "eventType": event_type,
        "created_at": iso_time(max(0, time_ms_of(record))),
        "enteredBy": app_of(record),
    }
    return rendered(Collection.TREATMENTS, record, {**common, **members})
