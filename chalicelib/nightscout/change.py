"""Stores and deletes documents, and the Tidepool data that is derived from them, in one step.

Documents and data are stored as one entry each, in two logs. One transaction commits both, so readers of either API see
a change in both or in none. A repetition that changes nothing writes nothing. A deleted document stays as one that
is not valid, from which nothing is derived, so apps that ask for changes learn of it. Source: nightscout-api 14 and 17.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.conflicts import WriteConflictError, retry_on_conflict
from chalicelib.durations import DAY_MS
from chalicelib.errors import TooLargeError
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.log.entry import EntryKind, NewEntry, SelectorKind, Selectors, encode_selectors
from chalicelib.log.ports import DataSetWrite, OwnerWrites
from chalicelib.model.datum import Datum
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN
from chalicelib.nightscout.document import MAX_BYTES, VALID, Collection, Document, as_datum, new_id
from chalicelib.nightscout.document_view import DocumentView
from chalicelib.nightscout.mapping.derive import derived_records, origin_ids, timeline_origin_id
from chalicelib.nightscout.mapping.timelines import Lasting, days_around, lasting, timeline_of
from chalicelib.nightscout.modification import in_order, modification_datum, modification_origin, newest_time_ms
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.scheduled_rates import with_scheduled_rates
from chalicelib.nightscout.user_documents import open_data_set
from chalicelib.tiles.ports import TileMissingError
from chalicelib.uploads.add import new_entry, newest_of
from chalicelib.uploads.lenient import valid_data

Result = TypeVar("Result")
MAX_ATTEMPTS = 32
"""The attempts of a change of documents: an app that was offline sends what it has, one request for each document."""


@frozen
class Draft:
    """A document as it was sent and completed, before it meets the one that has its key."""

    key: str
    time_ms: int
    body: dict[str, Any]
    """With `_id` if the client chose one."""
    is_merged: bool = False
    """True if members that the stored document has and this one lacks stay; otherwise it is replaced."""
    is_time_in_key: bool = True
    """True if documents of one key have one time, so that a new time is a new document."""
    is_kept: bool = False
    """True if a stored document with its key stays as it is."""
    alternate_key: str = ""
    """The key of the document that its `_id` may name; that one is replaced if there is one."""


@frozen
class Change:
    """Documents to store, the origin ids of derived records that may be obsolete, and the keys of documents of which
    nothing stays."""

    documents: Sequence[Document] = ()
    lasting: Sequence[Lasting] = ()
    """The documents of timelines that have to be derived again; of other documents, those to store."""
    obsolete: frozenset[str] = frozenset()
    removed_keys: frozenset[str] = frozenset()


def store_documents(
    call: Call, user_id: str, collection: Collection, drafts: Sequence[Draft], ports: NightscoutPorts
) -> list[Document]:
    """Store documents, each in place of the one with its key, and return them in the order of the drafts. Of several
    with one key, the last one is stored.

    Raises:
        TooLargeError: a document takes more than `MAX_BYTES`; nothing was stored.
        ConflictError: the user has closed too many data sets of derived data.
        UnavailableError: each attempt met another change.
    """

    def attempt() -> list[Document]:
        owner, stored, view = stored_documents(user_id, collection, drafts, ports)
        after = dict(stored)
        placed = [_placed(collection, draft, after) for draft in drafts]
        changed = [document for key, document in after.items() if stored.get(key) != document]
        replaced = [stored[document.key] for document in changed if document.key in stored]
        committed = commit_change(call, user_id, owner, change_of(view, changed, replaced), ports)
        return [committed.get(document.key, document) for document in placed]

    return retried(attempt)


def delete_documents(call: Call, user_id: str, found: Sequence[Document], ports: NightscoutPorts) -> int:
    """Delete documents with all that is derived from them, and return their number. They stay as ones that are not
    valid. Those that are made of data of another API stay as they are, and do not count, nor do those that are gone
    since they were found: what was erased must not come back as a deleted document.

    Raises:
        UnavailableError: each attempt met another change.
    """
    keys = {document.key for document in found if not document.is_read_only}

    def attempt() -> int:
        view = DocumentView(ports.tiles.current(documents_owner_id(user_id)), ports)
        stored = list(view.with_keys(found[0].collection, keys).values())
        deleted = [replace(document, body=document.body | {VALID: False}) for document in stored]
        if deleted:
            commit_change(call, user_id, view.owner, change_of(view, deleted, stored), ports)
        return len(deleted)

    return retried(attempt) if keys else 0


def retried(attempt: Callable[[], Result]) -> Result:
    """The result of an attempt, which is repeated if another write came first.

    Raises:
        UnavailableError: each attempt met another change.
    """

    def without_missing_tiles() -> Result:
        try:
            return attempt()
        except TileMissingError as error:  # a compaction replaced the manifest long ago
            raise WriteConflictError from error

    return retry_on_conflict(without_missing_tiles, MAX_ATTEMPTS)


def stored_documents(
    user_id: str, collection: Collection, drafts: Sequence[Draft], ports: NightscoutPorts
) -> tuple[OwnerState, dict[str, Document], DocumentView | None]:
    """The owner of the documents, the stored documents that have keys of these drafts, deleted ones among them, and the
    view that found them.

    Nothing is looked up for documents that are newer than all of their collection, as those of a phone are, unless they
    may end another one.
    """
    owner = ports.data.data_sets.owner(documents_owner_id(user_id))
    newest_ms = newest_time_ms(owner).get(collection)
    is_new = newest_ms is None or all(draft.is_time_in_key and draft.time_ms > newest_ms for draft in drafts)
    if is_new and not any(_lasts(collection, draft) for draft in drafts):
        return owner, {}, None
    view = DocumentView(ports.tiles.current(owner.id), ports)
    by_time = {draft.key: draft.time_ms // DAY_MS for draft in drafts if draft.is_time_in_key}
    found: dict[str, Document] = {}
    if by_time:
        found = view.with_keys(collection, by_time.keys(), by_time.values(), with_deleted=True)
    named = {key for draft in drafts for key in (draft.key, draft.alternate_key) if key}
    if others := named - by_time.keys():
        found |= view.with_keys(collection, others, with_deleted=True)
    return view.owner, found, view


def _lasts(collection: Collection, draft: Draft) -> bool:
    return timeline_of(Document(collection, draft.key, draft.time_ms, draft.body)) is not None


def _lasting(view: DocumentView | None, changed: Sequence[Document], replaced: Sequence[Document]) -> Sequence[Lasting]:
    """The documents of timelines that have to be derived again after a change."""
    touched = [document for document in (*changed, *replaced) if timeline_of(document) is not None]
    if view is None or not touched:
        return ()
    gone = {document.key for document in replaced}
    around = view.on_days(Collection.TREATMENTS, days_around(touched))
    return [*lasting([document for document in around if document.key not in gone], changed, replaced)]


def _placed(collection: Collection, draft: Draft, documents: dict[str, Document]) -> Document:
    """The document of a draft, which takes its place among the documents."""
    key = draft.alternate_key if draft.alternate_key in documents else draft.key
    stored = documents.get(key)
    if stored is not None and draft.is_kept and not stored.is_deleted:
        return stored
    kept = {} if stored is None or stored.is_deleted or not draft.is_merged else stored.body
    # The stored `_id` stays; otherwise that of the client counts, else one follows from time and key.
    document_id = draft.body.get("_id") or new_id(draft.time_ms, key) if stored is None else stored.id
    body = {**kept, **draft.body, "_id": document_id}
    if len(json_text.encode(body)) > MAX_BYTES:
        raise TooLargeError(MAX_BYTES, f"a document may have at most {MAX_BYTES} bytes")
    document = Document(collection, key, draft.time_ms, body)
    documents[key] = document
    return document


def change_of(
    view: DocumentView | None,
    changed: Sequence[Document],
    replaced: Sequence[Document],
    removed_keys: frozenset[str] = frozenset(),
) -> Change:
    """The change that stores documents in place of others, with what has to be derived again.

    Args:
        view: the documents as they were; None if none of these lasts until the next one of its kind.
        replaced: what was in the places of the changed ones, and what is removed.
    """
    again = _lasting(view, changed, replaced)
    of_replaced = (origin_id for document in replaced for origin_id in origin_ids(document))
    # Of what is derived again, a record may have become empty.
    obsolete = frozenset((*of_replaced, *(timeline_origin_id(document) for document, _ in again)))
    return Change(changed, again, obsolete, removed_keys)


def commit_change(
    call: Call, user_id: str, owner: OwnerState, change: Change, ports: NightscoutPorts
) -> dict[str, Document]:
    """Write a change of documents, and of the data that is derived from them. Returns the documents as stored, by key.

    Raises:
        WriteConflictError: the documents' owner has changed since it was read.
        ConflictError: the user has closed too many data sets of derived data.
    """
    documents = list(in_order(owner, change.documents, call.now_ms))
    valid = [document for document in documents if not document.is_deleted]
    others = [Lasting(document, None) for document in valid if timeline_of(document) is None]
    lasts = with_scheduled_rates(change.lasting, owner.id, ports)
    records = [record for lasting in (*others, *lasts) for record in derived_records(*lasting)]
    derived = valid_data(records, DATASET_DELETE_ORIGIN, call.new_id).data
    kept = {datum.body["origin"]["id"] for datum in derived}
    removed = change.removed_keys | {modification_origin(key) for key in change.removed_keys}
    data = [*map(as_datum, documents), *map(modification_datum, documents)]
    commits = [_owner_writes(call, owner, data, removed, ports)]
    if derived or change.obsolete - kept:
        user = ports.data.data_sets.owner(user_id)
        commits.append(_owner_writes(call, user, derived, change.obsolete - kept, ports))
    ports.data.log.commit_together([commit for commit in commits if commit.writes])
    return {document.key: document for document in documents}


def _owner_writes(
    call: Call, owner: OwnerState, data: Sequence[Datum], deleted: frozenset[str], ports: NightscoutPorts
) -> OwnerWrites:
    """The writes that add data to an owner's data set, and delete the records with these origin ids before."""
    if not data and not deleted:
        return OwnerWrites(owner, ())
    target = open_data_set(call, owner, ports.data)
    selectors = Selectors(SelectorKind.ORIGIN, deleted)
    write = DataSetWrite(
        target.head,
        created=target.created,
        replaced=target.replaced,
        deletion=NewEntry(EntryKind.DELETE, call.now_ms, encode_selectors(selectors)) if deleted else None,
        entry=new_entry(call, target.head, data, None, None) if data else None,
        newest_times_ms=newest_of(data),
    )
    return OwnerWrites(owner, (write,))
