"""Entries: readings of sensors and meters, as Nightscout's v1 stores and finds them. Source: nightscout-api 4, 5."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.errors import InvalidRequestError, NotFoundError
from chalicelib.frozen import frozen
from chalicelib.nightscout.change import Draft, delete_documents, store_documents
from chalicelib.nightscout.document import Collection, Document, document_key, is_object_id
from chalicelib.nightscout.find import Comparison, Fields, Find, parse_find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import DEFAULT_DAYS, Span, find_by_id, search
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import DAY_MS, iso_time, read_iso, read_time_ms

DEFAULT_COUNT = 10
ANY_TYPE = "*"
CURRENT = "current"
MEMORY_DAYS = 2
"""The days of which Nightscout answers entries from memory, with `mills`, if a query names count and type only."""
FIELDS = Fields(
    date="date",
    is_date_number=True,
    integers=frozenset({"sgv", "mbg", "filtered", "unfiltered", "rssi", "noise"}),
)
_FROM = ("$gte", "$gt", "$eq")
_TO = ("$lte", "$lt", "$eq")
_TEXT_MARGIN_MS = DAY_MS
"""`dateString` is compared as a text, and may lie beside `date` by as much as its offset."""

Query = Mapping[str, Sequence[str]]


@frozen
class FoundEntries:
    """Entries, newest first, and when the newest was measured."""

    bodies: list[dict[str, Any]]
    newest_ms: int | None


def store_entries(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store entries, and return them as stored, in the order sent. An entry with the time and type of a stored one is
    merged over it. A single object without `date` stores nothing, as in Nightscout.

    Args:
        sent: the JSON value of the body.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is no object or array of objects, or an entry of an array has no `date`.
        TooLargeError: an entry is too large. In all these cases nothing was stored.
    """
    call.require(user_id)
    if isinstance(sent, dict) and "date" not in sent:
        return []
    drafts = [_draft(entry, index) for index, entry in enumerate(sent_documents(sent))]
    return [document.body for document in store_documents(call, user_id, Collection.ENTRIES, drafts, ports)]


def find_entries(call: Call, user_id: str, query: Query, ports: NightscoutPorts, kind: str = "") -> FoundEntries:
    """The newest entries that a query finds.

    Args:
        kind: what follows in the path: a type, `current`, an `_id`, or nothing.

    Raises:
        UnauthorizedError: the credential may not read.
        NotFoundError: `kind` is an `_id` that no entry has.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    if is_object_id(kind):
        document = find_by_id(user_id, Collection.ENTRIES, kind, ports)
        if document is None:
            raise NotFoundError(kind)
        return _found([document])
    find = parse_find({} if kind == CURRENT else query, FIELDS)
    if kind == CURRENT:
        find = replace(find, count=1)
    from_memory = not find.comparisons and not find.groups and kind != CURRENT
    documents = _search(call, user_id, _of_type(find, "" if kind == CURRENT else kind), ports)
    found = _found(documents)
    if not from_memory:
        return found
    memory_from_ms = call.now_ms - MEMORY_DAYS * DAY_MS
    bodies = [body | {"mills": body["date"]} if body["date"] >= memory_from_ms else body for body in found.bodies]
    return replace(found, bodies=bodies)


def delete_entries(call: Call, user_id: str, query: Query, ports: NightscoutPorts, kind: str = "") -> int:
    """Delete the entries that a query finds, with the data that is derived from them, and return their number.

    Args:
        kind: what follows in the path: a type, `*` for all, an `_id`, or nothing.

    Raises:
        As `find_entries`, but for an unknown `_id`, which deletes nothing.
    """
    call.require(user_id)
    if is_object_id(kind):
        document = find_by_id(user_id, Collection.ENTRIES, kind, ports)
        documents = [] if document is None else [document]
    else:
        find = _of_type(parse_find(query, FIELDS), "" if kind == ANY_TYPE else kind)
        documents = _search(call, user_id, replace(find, count=None), ports, is_bounded=False)
    delete_documents(call, user_id, documents, ports)
    return len(documents)


def _draft(sent: Mapping[str, Any], index: int) -> Draft:
    """The entry as it is stored, but for its `_id`.

    Raises:
        InvalidRequestError: it has no time.
    """
    date_ms = read_time_ms(sent.get("date"))
    if date_ms is None:
        raise InvalidRequestError(f"[{index}].date has to be a time in milliseconds since the epoch")
    body = dict(sent)
    if "_id" in body and not is_object_id(body["_id"]):
        # Apps that number their entries by UUID find them by it.
        body.setdefault("identifier", body["_id"])
        del body["_id"]
    zoned = read_iso(body.get("dateString"))
    body["utcOffset"] = 0 if zoned is None else zoned.offset_minutes
    body["sysTime"] = iso_time(date_ms if zoned is None else zoned.time_ms)
    if zoned is not None:
        body["dateString"] = body["sysTime"]
    return Draft(_key(body), date_ms, body, is_merged=True)


def _key(body: Mapping[str, Any]) -> str:
    """The key of an entry: time and type. Without a type, only an equal entry is the same one."""
    kind = body.get("type")
    if isinstance(kind, str) and kind:
        return document_key(Collection.ENTRIES, body["sysTime"], kind)
    return document_key(Collection.ENTRIES, json_text.encode(body).decode())


def _of_type(find: Find, kind: str) -> Find:
    if not kind:
        return find
    return replace(find, comparisons=(*find.comparisons, Comparison("type", "$eq", kind)))


def _search(call: Call, user_id: str, find: Find, ports: NightscoutPorts, *, is_bounded: bool = True) -> list[Document]:
    ids = find.values_of("_id", "$eq")
    if ids and is_object_id(ids[0]):
        document = find_by_id(user_id, Collection.ENTRIES, ids[0], ports)
        return [document] if document is not None and find.matches(document.body) else []
    if is_bounded and find.count is None:
        find = replace(find, count=DEFAULT_COUNT)
    return search(user_id, Collection.ENTRIES, find, _span(call, find), ports)


def _span(call: Call, find: Find) -> Span:
    """The time in which to search: without a condition on the date, the last days only."""
    if not find.has("date", "dateString", "_id"):
        return Span(from_ms=call.now_ms - DEFAULT_DAYS * DAY_MS)
    from_ms = [value for operator in _FROM for value in find.values_of("date", operator)]
    to_ms = [value for operator in _TO for value in find.values_of("date", operator)]
    from_ms += [time_ms - _TEXT_MARGIN_MS for time_ms in _text_times(find, _FROM)]
    to_ms += [time_ms + _TEXT_MARGIN_MS for time_ms in _text_times(find, _TO)]
    return Span(max(from_ms, default=None), min(to_ms, default=None))


def _text_times(find: Find, operators: Sequence[str]) -> list[int]:
    texts = [value for operator in operators for value in find.values_of("dateString", operator)]
    return [moment.time_ms for text in texts if (moment := read_iso(text)) is not None]


def _found(documents: Sequence[Document]) -> FoundEntries:
    return FoundEntries(
        [document.body for document in documents], max((one.time_ms for one in documents), default=None)
    )
