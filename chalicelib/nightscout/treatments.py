"""Treatments: doses, meals, fingersticks and events, as Nightscout's v1 stores and finds them.

Source: nightscout-api 4 and 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import MINUTE_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.model.json_values import is_number
from chalicelib.nightscout.change import Draft, delete_documents, store_documents
from chalicelib.nightscout.document import Collection, Document, document_key, is_object_id, is_uuid, key_of_id
from chalicelib.nightscout.find import Fields, Find, parse_find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import (
    FoundDocuments,
    Matches,
    Query,
    find_by_id_of_server,
    find_by_keys,
    find_documents,
)
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import iso_time, read_iso, read_time_ms

DEFAULT_COUNT = 100
DEFAULT_COUNT_OF_FIND = 1000
MEMORY_MS = 60 * 60 * MINUTE_MS
"""Time that Nightscout keeps treatments in memory."""
ANY = "*"
FIELDS = Fields(
    date="created_at",
    integers=frozenset({"insulin", "carbs", "glucose"}),
    expressions=frozenset({"notes", "eventType", "enteredBy"}),
)
ANNOUNCEMENT = "Announcement"
MAX_PRE_BOLUS_MINUTES = 24 * 60
_NULL_WHERE_ABSENT = {"carbs": None, "insulin": None}
_NUMBERS = (
    "glucose",
    "targetTop",
    "targetBottom",
    "carbs",
    "insulin",
    "duration",
    "percent",
    "absolute",
    "relative",
    "preBolus",
)
_DROPPED_IF_EMPTY = ("targetTop", "targetBottom", "carbs", "insulin", "percent", "relative", "notes", "preBolus")
_OF_GLUCOSE = ("glucose", "glucoseType", "units")


def store_treatments(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store treatments, and return them as stored, in the order sent. One with the key of a stored one replaces it. A
    meal that is eaten some minutes after its bolus becomes two treatments.

    Args:
        sent: the JSON value of the body.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is neither an object nor an array of objects.
        TooLargeError: a treatment is too large. In all these cases nothing was stored.
    """
    call.require(user_id)
    stored = store_documents(call, user_id, Collection.TREATMENTS, _drafts(call, sent), ports)
    return [document.body for document in stored]


def replace_treatment(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> dict[str, Any]:
    """Store one treatment in place of the one with its key, and return it as stored. One that is made of data of
    another API stays as it is.

    Raises:
        As `store_treatments`, and for an array.
    """
    call.require(user_id)
    if not isinstance(sent, dict) or not sent:
        raise InvalidRequestError("the body has to be one treatment")
    known = _by_id(user_id, sent["_id"], ports) if is_object_id(sent.get("_id")) else []
    if known and known[0].is_read_only:
        return known[0].body
    drafts = _drafts(call, sent)
    if known and known[0].key == _event_key(drafts[0].body):  # it was moved here, so its `_id` is not its key
        drafts[0] = replace(drafts[0], alternate_key=known[0].key)
    return store_documents(call, user_id, Collection.TREATMENTS, drafts, ports)[0].body


def find_treatments(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> FoundDocuments:
    """The newest treatments that a query finds, with null for carbs and insulin where there are none.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    find = parse_find(query, FIELDS)
    default = DEFAULT_COUNT_OF_FIND if find.is_conditional else DEFAULT_COUNT
    matches = _find(call, user_id, replace(find, count=find.count or default), ports)
    found = FoundDocuments.of_matches(matches)
    found = replace(found, bodies=[_NULL_WHERE_ABSENT | body for body in found.bodies])
    if query.keys() - {"count"}:
        return found
    return found.with_mills(matches.documents, find.count or default, (call.now_ms, MEMORY_MS))


def delete_treatments(call: Call, user_id: str, query: Query, ports: NightscoutPorts, which: str = "") -> int:
    """Delete the treatments that a query finds, with the data that is derived from them, and return their number.

    Args:
        which: what follows in the path: an `_id`, a UUID that the client chose, `*` for all, or nothing. Any other text
            finds nothing.

    Raises:
        As `find_treatments`.
    """
    call.require(user_id)
    find = parse_find(query, FIELDS)
    if which and which != ANY:
        documents = [document for document in _by_id(user_id, which, ports) if find.matches(document.body)]
    else:
        documents = _find(call, user_id, replace(find, count=None), ports).documents
    return delete_documents(call, user_id, documents, ports)


def _find(call: Call, user_id: str, find: Find, ports: NightscoutPorts) -> Matches:
    ids = find.values_of("_id", "$eq")
    if not ids:
        return find_documents(call, user_id, Collection.TREATMENTS, (find, FIELDS), ports)
    by_id = replace(find, comparisons=tuple(condition for condition in find.comparisons if condition.field != "_id"))
    return Matches([document for document in _by_id(user_id, ids[0], ports) if by_id.matches(document.body)])


def _by_id(user_id: str, which: str, ports: NightscoutPorts) -> list[Document]:
    """The treatment that an `_id` or a UUID names."""
    if is_uuid(which):
        keys = {document_key(Collection.TREATMENTS, "identifier", which)}
        return find_by_keys(user_id, Collection.TREATMENTS, keys, ports)
    if not is_object_id(which):
        return []
    keys = {key_of_id(which), document_key(Collection.TREATMENTS, "_id", which)}
    found = find_by_keys(user_id, Collection.TREATMENTS, keys, ports)
    return [document for document in found if document.id == which] or _made(user_id, which, ports)


def _made(user_id: str, which: str, ports: NightscoutPorts) -> list[Document]:
    """The treatment with this `_id` that is made of data of another API."""
    document = find_by_id_of_server(user_id, Collection.TREATMENTS, which, ports)
    return [] if document is None else [document]


def _completed(sent: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """A treatment with its time, its numbers, and without what is empty."""
    body = {name: value for name, value in sent.items() if name != "eventTime"}
    created = _zoned(sent.get("created_at"))
    zoned = _zoned(sent["eventTime"]) if sent.get("eventTime") else created
    body["created_at"] = iso_time(now_ms if zoned is None else zoned[0])
    body["utcOffset"] = 0 if created is None else created[1]
    if "_id" in body and not is_object_id(body["_id"]):
        # Apps that number their treatments by UUID find them by it.
        name = body.pop("_id")
        if name is not None:
            body.setdefault("identifier", name)
    if isinstance(body.get("identifier"), str) and body["identifier"]:
        body.pop("_id", None)  # the treatment of that name has its own
    for name in _NUMBERS:
        if name in body:
            body[name] = _number(body[name])
    dropped = [name for name in _NUMBERS if name in body and body[name] is None]
    dropped += [name for name in _DROPPED_IF_EMPTY if name in body and not body[name]]
    if not body.get("glucose"):
        dropped += _OF_GLUCOSE
    if body.get("eventType") == ANNOUNCEMENT:
        body["isAnnouncement"] = True
    return {name: value for name, value in body.items() if name not in dropped}


def _parts(body: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """A treatment, or a bolus and the meal that follows it after `preBolus` minutes."""
    minutes = body.get("preBolus")
    if not minutes or "carbs" not in body or abs(minutes) > MAX_PRE_BOLUS_MINUTES:
        return [body]
    created = read_iso(body["created_at"])
    meal_ms = (0 if created is None else created.time_ms) + int(minutes * MINUTE_MS)
    meal = {"created_at": iso_time(max(0, meal_ms)), "carbs": body["carbs"]}
    meal |= {name: body[name] for name in ("eventType", "notes") if name in body}
    return [{name: value for name, value in body.items() if name != "carbs"}, meal]


def _drafts(call: Call, sent: Any) -> list[Draft]:
    """The treatments of a body, completed.

    Raises:
        InvalidRequestError: the body is neither an object nor an array of objects.
    """
    treatments = [part for document in sent_documents(sent) for part in _parts(_completed(document, call.now_ms))]
    return [_draft(treatment) for treatment in treatments]


def _draft(body: dict[str, Any]) -> Draft:
    created = read_iso(body["created_at"])
    time_ms = 0 if created is None else created.time_ms
    identifier, document_id = body.get("identifier"), body.get("_id")
    if isinstance(identifier, str) and identifier:
        key = document_key(Collection.TREATMENTS, "identifier", identifier)
        return Draft(key, time_ms, body, is_time_in_key=False)
    if isinstance(document_id, str):
        key = document_key(Collection.TREATMENTS, "_id", document_id)
        return Draft(key, time_ms, body, is_time_in_key=False, alternate_key=key_of_id(document_id))
    return Draft(_event_key(body), time_ms, body)


def _event_key(body: Mapping[str, Any]) -> str:
    """The key of a treatment whose app gives it no name: its time and type."""
    return document_key(Collection.TREATMENTS, body["created_at"], str(body.get("eventType", "")))


def _zoned(value: Any) -> tuple[int, int] | None:
    """The time of a text or a number, with its offset in minutes; None if it is unreadable."""
    if isinstance(value, str):
        moment = read_iso(value)
        return None if moment is None or moment.time_ms <= 0 else moment
    time_ms = read_time_ms(value)
    return None if time_ms is None else (time_ms, 0)


def _number(value: Any) -> int | float | None:
    """The number that a value is or spells: 0 for nothing, as in JavaScript; None if it is unreadable."""
    if value is None:
        return 0
    if isinstance(value, str):
        if not value.strip():
            return 0
        if "_" in value:
            return None
        try:
            value = float(value) if len(value) < 40 else None
        except ValueError:
            return None
        if value is not None and value == value and abs(value) < 1e15 and value == int(value):
            return int(value)
    return value if is_number(value) and abs(value) <= 1e15 else None
