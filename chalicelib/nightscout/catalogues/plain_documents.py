"""Documents that are kept as they were sent, but for their `_id` and the time: food and activity. Profiles are deleted
as they are.

Source: nightscout-api 7.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.nightscout.change import Draft, delete_documents, store_documents
from chalicelib.nightscout.document import (
    REPLACED_ID,
    STORED_ID,
    Collection,
    chosen_id,
    document_key,
    key_of_id,
    require_object_id,
)
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import find_by_keys
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import iso_time, read_iso


def store_plain(
    call: Call, user_id: str, collection: Collection, sent: Any, ports: NightscoutPorts
) -> list[dict[str, Any]]:
    """Store documents, and return them as stored, in the order sent. One with the `_id` of a stored one replaces it. Of
    those without, an equal one is the same one, and a time that is not sent is now.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is neither an object nor an array of objects, or has an `_id` of another form.
        TooLargeError: a document is too large. In all these cases nothing was stored.
    """
    call.require(user_id)
    drafts = [_draft(collection, document, call.now_ms, STORED_ID) for document in sent_documents(sent)]
    return [document.body for document in store_documents(call, user_id, collection, drafts, ports)]


def replace_plain(
    call: Call, user_id: str, collection: Collection, sent: Any, ports: NightscoutPorts
) -> list[dict[str, Any]]:
    """Store documents in place of those with their `_id`s, and return them as stored, in the order sent.

    Raises:
        As `store_plain`.
    """
    call.require(user_id)
    drafts = [_draft(collection, document, call.now_ms, REPLACED_ID) for document in sent_documents(sent)]
    return [document.body for document in store_documents(call, user_id, collection, drafts, ports)]


def delete_plain(call: Call, user_id: str, collection: Collection, document_id: str, ports: NightscoutPorts) -> None:
    """Delete the document with this `_id`; an unknown one is not an error.

    Raises:
        UnauthorizedError: the credential may not delete.
        InvalidIdError: the `_id` has another form.
    """
    call.require(user_id)
    require_object_id(document_id)
    keys = {key_of_id(document_id), document_key(collection, "_id", document_id)}
    found = find_by_keys(user_id, collection, keys, ports)
    delete_documents(call, user_id, [document for document in found if document.id == document_id], ports)


def _draft(collection: Collection, sent: Mapping[str, Any], now_ms: int, id_rule: str) -> Draft:
    document_id = chosen_id(sent, id_rule)
    body = {name: value for name, value in sent.items() if name != "_id" or value is not None}
    created = read_iso(body.get("created_at"))
    is_timed = created is not None and created.time_ms > 0
    time_ms = created.time_ms if created is not None and is_timed else now_ms
    content = json_text.encode(body).decode()
    if not is_timed:
        body["created_at"] = iso_time(now_ms)
    if document_id is None:
        return Draft(document_key(collection, content), time_ms, body, is_time_in_key=is_timed, is_kept=not is_timed)
    key = document_key(collection, "_id", document_id)
    return Draft(key, time_ms, body, is_time_in_key=False, alternate_key=key_of_id(document_id))
