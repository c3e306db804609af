"""Records that documents show already: an app may upload to both APIs. Source: nightscout-api 14, 17."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.durations import MINUTE_MS, SECOND_MS
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.mapping.derive import derived_records
from chalicelib.nightscout.rendering.record import mg_dl, time_ms_of

_GLUCOSE = ("cbg", "smbg")
_MEALS = ("food", "wizard")

Key = tuple[Any, ...]


def record_key(record: Mapping[str, Any]) -> Key:
    """The key that equal records of two uploads have: type and second; for glucose the minute and the value."""
    name, time_ms = record["type"], time_ms_of(record)
    if name in _GLUCOSE:
        return name, time_ms // MINUTE_MS, mg_dl(record["value"], record.get("units"))
    if name in _MEALS:
        return _MEALS[0], time_ms // SECOND_MS
    return name, record.get("subType") if name == "deviceEvent" else None, time_ms // SECOND_MS


def shown_keys(documents: Iterable[Document]) -> set[Key]:
    """The keys of the records that documents stand for."""
    keys: set[Key] = set()
    for document in documents:
        keys.update(map(record_key, derived_records(document)))
        if document.collection is Collection.TREATMENTS and document.body.get("eventType") == "Temp Basal":
            keys.add(("basal", None, document.time_ms // SECOND_MS))
    return keys
