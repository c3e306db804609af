"""Creating, replacing, changing and deleting documents as v3 does. Source: nightscout-api 9.

A write that changes nothing stores nothing, and answers as the first one did.
"""

from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.errors import InvalidRequestError, NotFoundError
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.all_documents import AllDocuments
from chalicelib.nightscout.change import Draft, change_of, commit_change, retried, stored_documents
from chalicelib.nightscout.document import MAX_BYTES, VALID, Collection, Document, document_key, new_id
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.modification import SRV_MODIFIED
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.times import MAX_MS, read_iso
from chalicelib.nightscout.v3.access import Right, require
from chalicelib.nightscout.v3.errors import ModifiedDocumentError
from chalicelib.nightscout.v3.find import identifier_key, keys_of_name, named_document
from chalicelib.nightscout.v3.members import (
    IDENTIFIER,
    IMMUTABLE,
    MODIFIED_BY,
    OF_SERVER,
    SRV_CREATED,
    SUBJECT,
    completed,
    duration_of,
    require_unchanged,
    sent_document,
    shown,
)

ANY_TIME_MS = 1 << 62
_OF_CLIENT = tuple(name for name in IMMUTABLE if name not in (*OF_SERVER, IDENTIFIER))


@frozen
class WriteResult:
    """A document as it was written, and the identifier of the one that it replaced; None for a new one."""

    document: Document
    replaced: str | None = None

    @property
    def identifier(self) -> str:
        """The identifier of the document."""
        return str(shown(self.document)[IDENTIFIER])


@frozen
class Target:
    """The target of a request: the documents of a user in a collection, one of them by name, if nobody modified it
    after a time."""

    user_id: str
    collection: Collection
    identifier: str = ""
    unmodified_since_ms: int = ANY_TIME_MS


@frozen
class DocumentsBefore:
    """The documents as a write found them: the counters, and the view, if anything had to be looked up."""

    owner: OwnerState
    view: DocumentView | None


def create_document(call: Call, target: Target, sent: Any, ports: NightscoutPorts) -> WriteResult:
    """Store a document. It replaces the one with its identifier, else the one that v1 stored for the same event.

    Args:
        sent: the JSON value of the body.

    Raises:
        MissingPermissionError: the credential may not upload.
        InvalidRequestError: the document is bad or too large, or an immutable member would change.
    """
    require(call, target.user_id, target.collection, Right.CREATE)
    received = sent_document(sent)
    body = completed(received)
    draft = _draft(target.collection, body, is_named=received.get(IDENTIFIER) is not None)
    others = keys_of_name(target.collection, body[IDENTIFIER]) - {draft.key}
    drafts = [draft, *(Draft(key, draft.time_ms, body, is_time_in_key=False) for key in sorted(others))]

    def attempt() -> WriteResult:
        owner, stored, view = stored_documents(target.user_id, target.collection, drafts, ports)
        seen = DocumentsBefore(owner, view)
        known = next((stored[key] for key in (draft.key, draft.alternate_key, *others) if key in stored), None)
        if known is None:
            return WriteResult(_commit(call, target, seen, (None, _new(call, target.collection, draft)), ports))
        if not known.is_deleted:
            require_unchanged(body, known, _OF_CLIENT)
        after = _replacement(call, known, body)
        if known.key == draft.alternate_key:  # from now on it is found by its identifier
            after = Document(after.collection, draft.key, after.time_ms, after.body)
        return WriteResult(_commit(call, target, seen, (known, after), ports), str(shown(known)[IDENTIFIER]))

    return retried(attempt)


def replace_document(call: Call, target: Target, sent: Any, ports: NightscoutPorts) -> WriteResult:
    """Store a document in place of the one that the target names, or as a new one.

    Raises:
        MissingPermissionError: the credential may not upload.
        InvalidRequestError: as `create_document`, or the document was deleted.
        ModifiedDocumentError: it was modified after the time that the client knows.
    """
    require(call, target.user_id, target.collection, Right.UPDATE)
    received = sent_document(sent) | {IDENTIFIER: target.identifier}
    body = completed(received)

    def attempt() -> WriteResult:
        seen, known = _named(target, ports)
        if known is None:
            draft = _draft(target.collection, body, is_named=True)
            return WriteResult(_commit(call, target, seen, (None, _new(call, target.collection, draft)), ports))
        _require_changeable(known, target)
        require_unchanged(received | body, known)
        return WriteResult(
            _commit(call, target, seen, (known, _replacement(call, known, body)), ports), target.identifier
        )

    return retried(attempt)


def change_document(call: Call, target: Target, sent: Any, ports: NightscoutPorts) -> Document:
    """Set the members that were sent of the document that the target names, and return it as stored.

    Raises:
        MissingPermissionError: the credential may not upload.
        InvalidRequestError: the body is bad, an immutable member would change, or the document was deleted.
        NotFoundError: there is no such document.
        ModifiedDocumentError: it was modified after the time that the client knows.
    """
    require(call, target.user_id, target.collection, Right.UPDATE)
    changes = sent_document(sent)

    def attempt() -> Document:
        seen, known = _named(target, ports)
        if known is None:
            raise NotFoundError(target.identifier)
        _require_changeable(known, target)
        require_unchanged(changes, known)
        immutable = {*OF_SERVER, VALID, *(name for name in IMMUTABLE if name in shown(known))}
        kept = {name: value for name, value in changes.items() if name not in immutable}
        body = known.body | kept | duration_of(kept, known.body)
        if body == known.body:
            return known
        body |= {MODIFIED_BY: _subject(call), SRV_MODIFIED: known.modified_ms}
        after = Document(known.collection, known.key, known.time_ms, body)
        return _commit(call, target, seen, (known, after), ports)

    return retried(attempt)


def delete_document(call: Call, target: Target, ports: NightscoutPorts, *, is_permanent: bool = False) -> None:
    """Delete the document that the target names, with the data that is derived from it. It stays as a deleted one
    unless it is deleted permanently. Deleting it again changes nothing.

    Raises:
        MissingPermissionError: the credential may not upload.
        NotFoundError: there is no such document.
        InvalidRequestError: it is read-only.
        ModifiedDocumentError: it was modified after the time that the client knows.
    """
    require(call, target.user_id, target.collection, Right.DELETE)

    def attempt() -> None:
        seen, known = _named(target, ports)
        if known is None:
            raise NotFoundError(target.identifier)
        require_unchanged({}, known)
        if is_permanent:
            change = change_of(seen.view, (), [known], frozenset({known.key}))
            commit_change(call, target.user_id, seen.owner, change, ports)
        elif not known.is_deleted:
            _require_changeable(known, target)
            body = known.body | {VALID: False, MODIFIED_BY: _subject(call), SRV_MODIFIED: known.modified_ms}
            _commit(call, target, seen, (known, Document(known.collection, known.key, known.time_ms, body)), ports)

    retried(attempt)


def _draft(collection: Collection, body: dict[str, Any], *, is_named: bool) -> Draft:
    """The document with its key and time, and the key of the one that v1 may have stored for the same event."""
    key = identifier_key(collection, body[IDENTIFIER])
    time_ms, alternate_key = min(body["date"], MAX_MS), ""
    if collection is Collection.ENTRIES and isinstance(body.get("type"), str):
        alternate_key = document_key(collection, body["created_at"], body["type"])
    elif collection is Collection.TREATMENTS:
        alternate_key = document_key(collection, body["created_at"], str(body.get("eventType", "")))
    elif collection is Collection.PROFILE and (start := read_iso(body.get("startDate"))) is not None:
        time_ms = start.time_ms if start.time_ms > 0 else time_ms  # by which v1 orders profiles
    is_time_in_key = not is_named and collection is not Collection.PROFILE
    return Draft(key, time_ms, body, is_time_in_key=is_time_in_key, alternate_key=alternate_key)


def _named(target: Target, ports: NightscoutPorts) -> tuple[DocumentsBefore, Document | None]:
    documents = AllDocuments(target.user_id, target.collection, ports)
    seen = DocumentsBefore(documents.stored.owner, documents.stored)
    return seen, named_document(documents, target.collection, target.identifier)


def _require_changeable(known: Document, target: Target) -> None:
    if known.is_deleted:
        # Nightscout answers 410, after which AndroidAPS sends the same again, and nothing else meanwhile.
        raise InvalidRequestError("Trying to modify deleted document")
    if known.modified_ms // 1000 * 1000 > target.unmodified_since_ms:
        raise ModifiedDocumentError


def _new(call: Call, collection: Collection, draft: Draft) -> Document:
    of_server = {SRV_CREATED: call.now_ms, SRV_MODIFIED: call.now_ms, SUBJECT: _subject(call)}
    body = {**draft.body, **of_server, "_id": new_id(draft.time_ms, draft.key)}
    return Document(collection, draft.key, draft.time_ms, body)


def _replacement(call: Call, known: Document, body: dict[str, Any]) -> Document:
    """A document in place of a known one, whose `_id` and time of creation stay. It names who sent it, unless it is
    equal.
    """
    before = shown(known)
    of_server = {
        SRV_CREATED: before.get(SRV_CREATED, before[SRV_MODIFIED]),
        SRV_MODIFIED: before[SRV_MODIFIED],
        SUBJECT: before.get(SUBJECT),
        "_id": known.id,
    }
    after = {**body, **of_server}
    if after != known.body:
        after = {**body, **duration_of(body, {}), **of_server, SUBJECT: _subject(call)}
    time_ms = _draft(known.collection, body, is_named=True).time_ms
    return Document(known.collection, known.key, time_ms, after)


def _commit(
    call: Call,
    target: Target,
    seen: DocumentsBefore,
    step: tuple[Document | None, Document],
    ports: NightscoutPorts,
) -> Document:
    """Store a document in place of another one or none, unless they are equal, and return it as stored.

    Raises:
        InvalidRequestError: it is too large.
    """
    before, after = step
    if before == after and before is not None:
        return before
    if len(json_text.encode(after.body)) > MAX_BYTES:
        raise InvalidRequestError(f"a document may have at most {MAX_BYTES} bytes")
    removed = frozenset() if before is None or before.key == after.key else frozenset({before.key})
    change = change_of(seen.view, [after], [] if before is None else [before], removed)
    committed = commit_change(call, target.user_id, seen.owner, change, ports)
    return committed[after.key]


def _subject(call: Call) -> str:
    credential = call.caller.nightscout_credential
    return "" if credential is None else credential.name
