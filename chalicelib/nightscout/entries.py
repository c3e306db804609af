"""Entries: readings of sensors and meters, as Nightscout's v1 stores and finds them. Source: nightscout-api 4, 5."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError, NotFoundError
from chalicelib.nightscout.change import Draft, delete_documents, store_documents
from chalicelib.nightscout.document import Collection, document_key, is_object_id, is_uuid
from chalicelib.nightscout.find import Comparison, Fields, Find, parse_find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Matches, Query, find_by_id, find_by_identifier, find_documents
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import iso_time, read_iso, read_time_ms

DEFAULT_COUNT = 10
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
"""A date in a form."""
MEMORY_MS = 2 * DAY_MS
"""Time that Nightscout keeps entries in memory."""
ANY_TYPE = "*"
CURRENT = "current"
FIELDS = Fields(
    date="date",
    is_date_number=True,
    integers=frozenset({"sgv", "mbg", "filtered", "unfiltered", "rssi", "noise"}),
    text_dates=frozenset({"dateString"}),
)


def store_entries(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store entries, and return them as stored, in the order sent. An entry with the time and type of a stored one is
    merged over it. A single object without `date` stores nothing, as in Nightscout.

    Args:
        sent: the JSON value of the body.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is neither an object nor an array of objects, or an entry of an array has no
            `date`.
        TooLargeError: an entry is too large. In all these cases nothing was stored.
    """
    call.require(user_id)
    drafts = [_draft(entry, index) for index, entry in enumerate(sent_entries(sent))]
    return [document.body for document in store_documents(call, user_id, Collection.ENTRIES, drafts, ports)]


def sent_entries(sent: Any) -> list[dict[str, Any]]:
    """The entries of a body; none for a single object without `date`.

    Raises:
        InvalidRequestError: the body is neither an object nor an array of objects.
    """
    return [] if isinstance(sent, dict) and "date" not in sent else sent_documents(sent)


def find_entries(call: Call, user_id: str, query: Query, ports: NightscoutPorts, kind: str = "") -> FoundDocuments:
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
        return FoundDocuments.of([document])
    if kind == CURRENT:
        return FoundDocuments.of_matches(_search(call, user_id, Find(count=1), ports))
    find = _of_type(parse_find(query, FIELDS), kind)
    matches = _search(call, user_id, find, ports)
    found = FoundDocuments.of_matches(matches)
    if find.groups or any((condition.field, condition.operator) != ("type", "$eq") for condition in find.comparisons):
        return found
    return found.with_mills(matches.documents, find.count or DEFAULT_COUNT, (call.now_ms, MEMORY_MS))


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
        documents = _search(call, user_id, replace(find, count=None), ports, is_bounded=False).documents
    return delete_documents(call, user_id, documents, ports)


def _draft(sent: Mapping[str, Any], index: int) -> Draft:
    """The entry as it is stored, but for its `_id`.

    Raises:
        InvalidRequestError: it has no time.
    """
    date = sent.get("date")
    date_ms = read_time_ms(int(date) if isinstance(date, str) and _DIGITS.fullmatch(date) else date)
    if date_ms is None:
        raise InvalidRequestError(f"[{index}].date has to be a time in milliseconds since the epoch")
    body = dict(sent)
    if "_id" in body and not is_object_id(body["_id"]):
        # Apps that number their entries by UUID find them by it.
        name = body.pop("_id")
        if name is not None:
            body.setdefault("identifier", name)
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
    """The query for entries of a type, which counts in place of its own conditions on the type."""
    if not kind:
        return find
    others = (comparison for comparison in find.comparisons if comparison.field != "type")
    return replace(find, comparisons=(*others, Comparison("type", "$eq", kind)))


def _search(call: Call, user_id: str, find: Find, ports: NightscoutPorts, *, is_bounded: bool = True) -> Matches:
    ids = find.values_of("_id", "$eq")
    if ids and is_object_id(ids[0]):
        document = find_by_id(user_id, Collection.ENTRIES, ids[0], ports)
        return Matches([document] if document is not None and find.matches(document.body_of_v1) else [])
    if ids and is_uuid(ids[0]):
        comparisons = (comparison for comparison in find.comparisons if comparison.field != "_id")
        others = replace(find, comparisons=tuple(comparisons))
        named = find_by_identifier(user_id, Collection.ENTRIES, ids[0], ports)
        return Matches([document for document in named if others.matches(document.body_of_v1)][: find.count])
    if is_bounded and find.count is None:
        find = replace(find, count=DEFAULT_COUNT)
    matches = find_documents(call, user_id, Collection.ENTRIES, (find, FIELDS), ports)
    # Another order tells which entries are picked; they are answered newest first all the same.
    return replace(matches, documents=sorted(matches.documents, key=lambda document: document.time_ms, reverse=True))
