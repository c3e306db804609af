"""Derives Tidepool records from documents. A record that the data model refuses is left out; its document stays.

Source: nightscout-api 14.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.mapping.entries import ENTRY_PARTS, records_of_entry
from chalicelib.nightscout.mapping.profiles import PROFILE_PARTS, records_of_profile
from chalicelib.nightscout.mapping.timelines import TIMELINE_PARTS, cut, timeline_of
from chalicelib.nightscout.mapping.treatments import TREATMENT_PARTS, records_of_treatment
from chalicelib.nightscout.times import MAX_MS, iso_time

Records = Mapping[str, Mapping[str, Any]]
"""The records of a document without the members that all have, by the part of the document that each stands for."""


@frozen
class _Mapping:
    """The mapping of a collection, and the parts that its documents may have."""

    records_of: Callable[[Mapping[str, Any]], Records]
    parts: tuple[str, ...]


_NOTHING = _Mapping(lambda _body: {}, ())
_MAPPINGS: Mapping[Collection, _Mapping] = {
    Collection.ENTRIES: _Mapping(records_of_entry, ENTRY_PARTS),
    Collection.TREATMENTS: _Mapping(records_of_treatment, TREATMENT_PARTS),
    Collection.PROFILE: _Mapping(records_of_profile, PROFILE_PARTS),
    Collection.FOOD: _NOTHING,
    Collection.ACTIVITY: _NOTHING,
    Collection.SETTINGS: _NOTHING,
}
NO_DEVICE = "nightscout"
"""The device of a document that names none."""
MAX_NAME_LENGTH = 100
"""Longer names would make the data model refuse the record."""


def derived_records(document: Document, until_ms: int | None = None) -> Iterator[dict[str, Any]]:
    """The records that are derived from a document, as a client would send them; none from one of no real time.

    Args:
        until_ms: the time of the next document of its timeline, which ends it (`timelines`); None if there is none.
    """
    if document.time_ms >= MAX_MS:
        return
    body = document.body
    lasts = TIMELINE_PARTS.get(timeline_of(document) or "")
    for part, whole in _MAPPINGS[document.collection].records_of(body).items():
        record = cut(whole, document.time_ms, until_ms) if part == lasts else whole
        if record is None:
            continue
        yield {**_common(document), **record, "origin": {"id": _origin_id(document, part), **_origin(body)}}


def origin_ids(document: Document) -> Iterator[str]:
    """The origin ids of all records that may ever have been derived from a document."""
    return (_origin_id(document, part) for part in _MAPPINGS[document.collection].parts)


def timeline_origin_id(document: Document) -> str:
    """The origin id of the record that a document of a timeline derives."""
    return _origin_id(document, TIMELINE_PARTS[str(document.body["eventType"])])


def _origin_id(document: Document, part: str) -> str:
    return f"ns:{document.collection}:{document.id}:{part}"


def _origin(body: Mapping[str, Any]) -> dict[str, Any]:
    """The origin of what an app sent: its name, if the document has one."""
    name = next((body[field] for field in ("app", "enteredBy", "device") if _is_name(body.get(field))), None)
    return {"type": "application"} if name is None else {"type": "application", "name": name}


def _common(document: Document) -> dict[str, Any]:
    body = document.body
    device = next((body[field] for field in ("device", "enteredBy") if _is_name(body.get(field))), NO_DEVICE)
    source = {"collection": str(document.collection), "_id": document.id}
    if _is_name(body.get("eventType")):
        source["eventType"] = body["eventType"]
    common: dict[str, Any] = {
        "time": iso_time(document.time_ms),
        "deviceId": device,
        "payload": {"nightscout": source},
    }
    offset = body.get("utcOffset")
    if isinstance(offset, int) and not isinstance(offset, bool):
        common["timezoneOffset"] = offset
    return common


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_NAME_LENGTH
