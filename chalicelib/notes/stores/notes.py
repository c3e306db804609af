"""Notes in the accounts table: each note by its id, in the list of its owner, and a reply in its thread, too.

Each change is one transaction over all of these items, so they always agree.
"""

from collections.abc import Sequence

from chalicelib.access.user_ids import fits_key
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import Condition, absent, equals, exists
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Check, Delete, Item, Key, Put, Query, Range, Table, Write
from chalicelib.errors import NoteNotFoundError
from chalicelib.notes.note import Note, TimeRange
from chalicelib.notes.stores.keys import NOTE_SK, list_key, list_pk, note_key, reply_key, thread_pk, time_sk

NOTES_OF_A_TRANSACTION = MAX_TRANSACTION_WRITES // 3
"""A note has up to three items."""


def note_attributes(note: Note) -> Item:
    """The attributes of a note's items, without their keys."""
    parent = {} if note.parent_id is None else {"parent_id": note.parent_id}
    return {
        "id": note.id,
        "guid": note.guid,
        "owner_id": note.owner_id,
        "author_id": note.author_id,
        "time_ms": note.time_ms,
        "timestamp": note.timestamp,
        "text": note.text,
        "created_time_ms": note.created_time_ms,
        "version": note.version,
        **parent,
    }


def note_from_item(item: Item) -> Note:
    """The note of any of its items."""
    return Note(
        id=item["id"],
        guid=item["guid"],
        owner_id=item["owner_id"],
        author_id=item["author_id"],
        time_ms=item["time_ms"],
        timestamp=item["timestamp"],
        text=item["text"],
        created_time_ms=item["created_time_ms"],
        parent_id=item.get("parent_id"),
        version=item["version"],
    )


class StoredNotes:
    """The port `Notes` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, note_id: str) -> Note | None:
        """One read."""
        item = self._accounts.get(note_key(note_id)) if fits_key(note_id) else None
        return None if item is None else note_from_item(item)

    def thread(self, note_id: str, limit: int) -> list[Note]:
        """One query."""
        if not fits_key(note_id):
            return []
        items = list(self._accounts.query(Query(thread_pk(note_id), limit=limit)))
        return [note_from_item(item) for item in items] if any(item["sk"] == NOTE_SK for item in items) else []

    def of_owner(self, owner_id: str, times: TimeRange, limit: int, *, with_replies: bool) -> list[Note]:
        """One query."""
        if not fits_key(owner_id) or _is_empty(times):
            return []
        query = Query(
            list_pk(owner_id),
            _sort_keys(times),
            where=None if with_replies else absent("parent_id"),
            newest_first=True,
            limit=limit,
        )
        return [note_from_item(item) for item in self._accounts.query(query)]

    def add(self, note: Note) -> None:
        """One transaction."""
        own, *others = _keys(note)
        writes: list[Write] = [Put(own | note_attributes(note), absent())]
        writes += [Put(key | note_attributes(note)) for key in others]
        if note.parent_id is not None:
            writes.append(Check(note_key(note.parent_id), exists()))
        try:
            self._accounts.transact(writes)
        except TransactionRefusedError as refused:
            if not refused.failed(0):
                raise NoteNotFoundError(note.parent_id or "") from refused

    def replace(self, old: Note, new: Note) -> None:
        """One transaction, on the condition that the version is still the old one."""
        own, *others = _keys(new)
        moved_from = [key for key in _keys(old) if key not in others and key != own]
        puts = [Put(key | note_attributes(new)) for key in others]
        self._change([Put(own | note_attributes(new), _has_version(old)), *puts, *map(Delete, moved_from)])

    def remove(self, note: Note) -> None:
        """One transaction, on the condition that the version is still this one."""
        own, *others = _keys(note)
        self._change([Delete(own, _has_version(note)), *map(Delete, others)])

    def remove_all(self, owner_id: str) -> None:
        """One query, and one transaction for each 33 notes."""
        if not fits_key(owner_id):
            return
        listed = [note_from_item(item) for item in self._accounts.query(Query(list_pk(owner_id)))]
        for first in range(0, len(listed), NOTES_OF_A_TRANSACTION):
            notes = listed[first : first + NOTES_OF_A_TRANSACTION]
            self._accounts.transact([Delete(key) for note in notes for key in _keys(note)])

    def _change(self, writes: Sequence[Write]) -> None:
        """Carry out the writes of a change of one note.

        Raises:
            WriteConflictError: a condition does not hold.
        """
        try:
            self._accounts.transact(writes)
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused


def _keys(note: Note) -> list[Key]:
    """The keys of a note's items, its own first."""
    keys = [note_key(note.id), list_key(note.owner_id, note.time_ms, note.id)]
    return keys if note.parent_id is None else [*keys, reply_key(note.parent_id, note.id)]


def _has_version(note: Note) -> Condition:
    return equals("version", note.version)


def _is_empty(times: TimeRange) -> bool:
    return times.from_ms is not None and times.before_ms is not None and times.before_ms <= times.from_ms


def _sort_keys(times: TimeRange) -> Range | None:
    """The sort keys of a range of times. A bound without "#" comes before all notes of its millisecond."""
    if times.from_ms is None:
        return None if times.before_ms is None else Range(below=time_sk(times.before_ms))
    # "~" comes after every digit. DynamoDB has no range with one bound outside.
    end = "~" if times.before_ms is None else time_sk(times.before_ms)
    return Range(at_least=time_sk(times.from_ms), at_most=end)
