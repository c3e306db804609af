"""Stores documents of another site or of an export as they are, with their `_id`. Source: nightscout-api 18.

A document that is here stays as it is, also a deleted one: a repetition stores nothing, and an import undoes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.errors import FieldError, InvalidFieldsError, InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.model.errors import NESTED_TOO_DEEPLY, VALUE_NOT_EXISTS, Fault, type_not, value_not_valid
from chalicelib.model.free_form import is_too_deep
from chalicelib.nightscout.change import Draft, change_of, commit_change, retried, stored_documents
from chalicelib.nightscout.device_status.status import COLLECTION as DEVICE_STATUS
from chalicelib.nightscout.document import (
    MAX_BYTES,
    VALID,
    Collection,
    Document,
    document_key,
    is_object_id,
    key_of_id,
    new_id,
    second_of_id,
)
from chalicelib.nightscout.modification import SRV_MODIFIED
from chalicelib.nightscout.ports import DeviceStatus, NightscoutPorts
from chalicelib.nightscout.sent_documents import MAX_DOCUMENTS, sent_documents
from chalicelib.nightscout.times import iso_time, read_iso, read_time_ms
from chalicelib.nightscout.transfer.list import collection_of
from chalicelib.nightscout.v3.find import identifier_key
from chalicelib.nightscout.v3.members import IDENTIFIER, MODIFIED_BY, SRV_CREATED, SUBJECT

_TIMES: Mapping[str, tuple[str, ...]] = {
    Collection.ENTRIES: ("date", "dateString", "created_at"),
    Collection.PROFILE: ("startDate", "created_at", "date"),
}
_OTHER_TIMES = ("created_at", "date")
_OF_A_SERVER = frozenset({"_id", "utcOffset", SRV_CREATED, SRV_MODIFIED, SUBJECT, MODIFIED_BY, VALID})
"""The members in which a document differs on two servers that an app sent it to."""


@frozen
class RestoreCounts:
    """The numbers of documents that were stored, and of those that were here already."""

    stored: int
    known: int

    @property
    def body(self) -> dict[str, int]:
        """The counts as they are answered."""
        return {"stored": self.stored, "known": self.known}


def restore_documents(
    call: Call, user_id: str, collection_name: str, read_body: Callable[[], Any], ports: NightscoutPorts
) -> RestoreCounts:
    """Store documents as they are, each with its `_id`, but for `srvModified`, which is the time of storing.

    Args:
        collection_name: a collection, or `devicestatus`.
        read_body: reads the JSON value of the body.

    Raises:
        UnauthorizedError: the caller may not upload.
        NotFoundError: there is no such collection.
        MissingJsonError, MalformedJsonError: the body is not JSON.
        InvalidFieldsError: documents are bad, each named by a pointer; nothing was stored.
        InvalidRequestError: there are too many; nothing was stored.
        ConflictError: the user has closed too many data sets of derived data.
        UnavailableError: each attempt met another change.
    """
    call.require(user_id)
    if collection_name == DEVICE_STATUS:
        return _restore_device_statuses(call, user_id, _checked(read_body()), ports)
    collection = collection_of(collection_name)
    documents = _checked(read_body())
    places = [_places(collection, document) for document in documents]
    drafts = [
        Draft(keys[0], _time_ms(collection, body), body, is_time_in_key=has_time, alternate_key=keys[-1])
        for body, (keys, has_time) in zip(documents, places, strict=True)
    ]

    def attempt() -> int:
        owner, taken, view = stored_documents(user_id, collection, drafts, ports)
        new = []
        for draft in drafts:
            key = _free_key(collection, draft, taken)
            if key is not None:
                taken[key] = Document(collection, key, draft.time_ms, draft.body)
                new.append(taken[key])
        if new:
            commit_change(call, user_id, owner, change_of(view, new, ()), ports)
        return len(new)

    stored = retried(attempt) if drafts else 0
    return RestoreCounts(stored, len(drafts) - stored)


def _restore_device_statuses(
    call: Call, user_id: str, bodies: list[dict[str, Any]], ports: NightscoutPorts
) -> RestoreCounts:
    """Store device statuses. They count as new each time: the time for which they are kept begins again."""
    statuses = [DeviceStatus(body["_id"], _time_ms(DEVICE_STATUS, body), "", json_text.encode(body)) for body in bodies]
    if statuses:
        owner = ports.data.data_sets.owner(user_id)
        once = {(status.time_ms, status.id): status for status in statuses}
        ports.device_statuses.add(owner, [*once.values()], call.now_ms)
    return RestoreCounts(len(statuses), 0)


def _checked(sent: Any) -> list[dict[str, Any]]:
    """The documents of a body, without what does not belong into documents.

    Raises:
        InvalidFieldsError: it is not an array, or some of them cannot be stored.
        InvalidRequestError: there are too many.
    """
    if not isinstance(sent, list):
        raise InvalidFieldsError((type_not("array", sent).at(""),))
    if len(sent) > MAX_DOCUMENTS:
        raise InvalidRequestError(f"a request may have at most {MAX_DOCUMENTS} documents")
    errors = [error for index, document in enumerate(sent) if (error := _error(index, document)) is not None]
    if errors:
        raise InvalidFieldsError(errors)
    return sent_documents(sent)


def _error(index: int, document: Any) -> FieldError | None:
    """The fault of a document; None if it can be stored."""
    if not isinstance(document, dict):
        return type_not("object", document).at(f"/{index}")
    if is_too_deep(document):
        return NESTED_TOO_DEEPLY.at(f"/{index}")
    document_id = document.get("_id")
    if document_id is None:
        return VALUE_NOT_EXISTS.at(f"/{index}/_id")
    if not is_object_id(document_id):
        return value_not_valid(str(document_id)[:100], "as id of 24 hexadecimal digits").at(f"/{index}/_id")
    if len(json_text.encode(document)) > MAX_BYTES:
        return Fault("value-not-valid", "value is not valid", f"a document has at most {MAX_BYTES} bytes").at(
            f"/{index}"
        )
    return None


def _time_ms(collection: str, body: Mapping[str, Any]) -> int:
    """The time of a document: the first of its times that can be read, else that of its `_id`."""
    for name in _TIMES.get(collection, _OTHER_TIMES):
        moment = read_iso(body.get(name))
        time_ms = read_time_ms(body.get(name)) if moment is None else moment.time_ms
        if time_ms is not None and time_ms > 0:
            return time_ms
    return second_of_id(body["_id"]) * 1000


def _places(collection: Collection, body: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The keys that a document may have, the best one first, and whether documents with that key have one time.

    It has the key by which its app finds it again: that of its identifier, or of its time and type. Where that is
    taken by another document, as a site may have two of one time, it has that of its `_id`.
    """
    document_id, identifier, time_ms = body["_id"], body.get(IDENTIFIER), _time_ms(collection, body)
    key_of_own_id = document_key(collection, "_id", document_id)
    is_named = isinstance(identifier, str) and identifier != ""
    if is_named and (collection is Collection.TREATMENTS or SRV_CREATED in body):
        return (identifier_key(collection, str(identifier)), key_of_own_id), False
    if collection is Collection.ENTRIES and isinstance(body.get("type"), str) and body["type"]:
        moment = read_iso(body.get("sysTime"))
        time = iso_time(time_ms if moment is None else moment.time_ms)
        return (document_key(collection, time, body["type"]), key_of_own_id), True
    if collection is Collection.TREATMENTS and not _is_named_by_uuid(body):
        key = document_key(collection, iso_time(time_ms), str(body.get("eventType", "")))
        return (key, key_of_own_id), True
    if second_of_id(document_id) == time_ms // 1000:  # which a server made, or might have made
        return (key_of_id(document_id), key_of_own_id), False
    return (key_of_own_id,), False


def _is_named_by_uuid(body: Mapping[str, Any]) -> bool:
    """Whether an app chose the `_id`, as xDrip+ does: the first digits of the UUID by which it knows the document."""
    return str(body.get("uuid", "")).replace("-", "").lower().startswith(body["_id"])


def _free_key(collection: Collection, draft: Draft, taken: Mapping[str, Document]) -> str | None:
    """The first key of a draft that no other document has; None if the document itself is here."""
    for key in (draft.key, draft.alternate_key):
        other = taken.get(key)
        if other is None:
            return key
        if _is_same(collection, other, draft):
            return None
    return None


def _is_same(collection: Collection, other: Document, draft: Draft) -> bool:
    """Whether a stored document with the key of another one is that one: it has its `_id`, or an app sent it here."""
    if other.id == draft.body["_id"]:
        return True
    if other.id != new_id(other.time_ms, other.key):
        return False
    return collection is Collection.ENTRIES or _content(other.body) == _content(draft.body)


def _content(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _OF_A_SERVER}
