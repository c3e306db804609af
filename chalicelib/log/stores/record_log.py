"""The record log: one item for each entry, with its body or, if that is large, the name of the parts that hold it.

The transaction that commits an entry also counts up the data set's head. So numbers have no holes, and an add that
races with a close comes before it or is refused. Parts are put before the transaction: without an entry, nobody reads
them.
"""

import dataclasses
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, all_of, equals
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Key, Put, Query, Range, Table, Update, Write
from chalicelib.errors import DataSetClosedError, DataSetNotFoundError, StorageQuotaError, UnavailableError
from chalicelib.frozen import frozen
from chalicelib.log.backlog import backlog_bytes
from chalicelib.log.data_set import DataSetHead, OwnerState
from chalicelib.log.entry import Entry, EntryKind, NewEntry
from chalicelib.log.freshness import Ingested
from chalicelib.log.ports import FROM_THE_FIRST, NO_TIMES_MS, DataSetWrite, OwnerWrites
from chalicelib.log.stores.backlog import backlog_update
from chalicelib.log.stores.data_sets import (
    data_set_item,
    description_bytes,
    head_from_item,
    head_item,
    is_head_of,
)
from chalicelib.log.stores.growth import Growth
from chalicelib.log.stores.keys import (
    continuous_log_partition,
    entry_key,
    entry_number,
    head_key,
    log_of,
    normal_log_partition,
    owner_key,
    part_key,
    part_owner,
)
from chalicelib.log.stores.owner import (
    freshness_changes,
    newest_value,
    owner_change,
    owner_from_item,
    owner_growth,
    slot_name,
    slot_value,
)

INLINE_BYTES = 8 * 1024
"""Bodies up to this size are part of the entry: a transaction costs twice what a plain write does."""
PART_BYTES = 380 * 1024
"""An item may have 400 KB with its keys (a limit of DynamoDB)."""
PARTS_AT_ONCE = 40
"""Parts that are read together, so that they fit into the 16 MB of a response."""
READ_AHEAD_BYTES = 4 * 1024 * 1024
"""Bytes of bodies that are read ahead of entries that are read one by one."""

MAX_ATTEMPTS = 10
"""Of the requests that append to one data set at once, one wins each time: this is how many may come together."""

_KINDS = {kind.value: kind for kind in EntryKind}
_HEAD, _ENTRY, _OWNER = range(3)
"""The positions of the transaction's writes."""


@frozen
class _StagedBody:
    """A body that is stored in parts."""

    data_set_id: str
    prefix: str
    part_count: int

    @property
    def keys(self) -> list[Key]:
        """The keys of its parts, in order."""
        return [part_key(self.data_set_id, self.prefix, index) for index in range(self.part_count)]


class StoredRecordLog:
    """The port `RecordLog` on the data table. Users store no more than `quota_bytes`, unless it is None."""

    def __init__(self, data: Table, quota_bytes: int | None = None) -> None:
        self._data = data
        self._quota_bytes = quota_bytes

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """See `RecordLog.append`: one transaction, before it one batch of puts when the body is large.

        The transaction is repeated with the next number when another request took this one, and once when the data set
        has no slot in its owner's freshness.
        """
        content = self._content(head, entry)
        growth = Growth(entry.stored_bytes, self._quota_bytes)
        owner: OwnerState | None = None
        for _ in range(MAX_ATTEMPTS):
            ingested = head.ingested.after(head.last_number + 1, newest_times_ms, entry.stored_time_ms)
            writes = [
                _head_update(head, ingested, growth),
                _entry_put(head, ingested.last_number, content),
                _owner_write(head, ingested, owner, growth),
                *_backlog_updates(head, ingested.last_number, entry),
            ]
            try:
                self._data.transact(writes)
            except TransactionRefusedError as refused:
                head, owner = self._reloaded(head, owner, refused)
                if owner is not None:
                    self._require_room(growth, owner, head, content)
            else:
                return ingested.last_number
        raise UnavailableError

    def commit(self, owner: OwnerState, writes: Sequence[DataSetWrite]) -> None:
        """See `RecordLog.commit`: one transaction, before it a batch of puts for each large body."""
        self.commit_together([OwnerWrites(owner, writes)])

    def commit_together(self, commits: Sequence[OwnerWrites]) -> None:
        """See `RecordLog.commit_together`: one transaction, before it a batch of puts for each large body."""
        transaction = [write for commit in commits for write in self._owner_writes(commit.owner, commit.writes)]
        if not transaction:
            return
        try:
            self._data.transact(transaction)
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def _owner_writes(self, owner: OwnerState, writes: Sequence[DataSetWrite]) -> list[Write]:
        """The writes of the data sets of one owner, of the owner's counters and backlog; none if nothing changes."""
        transaction: list[Write] = []
        freshness, states, added_bytes, now_ms = owner.freshness, 0, 0, 0
        growth = Growth(sum(map(_stored_bytes, writes)), self._quota_bytes)
        growth.require_room(owner.stored_bytes)
        for write in writes:
            head, ingested = write.head, write.head.ingested
            for entry in (write.deletion, write.entry):
                if entry is not None:
                    now_ms = entry.stored_time_ms
                    times_ms = write.newest_times_ms if entry is write.entry else NO_TIMES_MS
                    ingested = ingested.after(ingested.last_number + 1, times_ms, now_ms)
                    transaction.append(_entry_put(head, ingested.last_number, self._content(head, entry)))
                    added_bytes += backlog_bytes(entry, ingested.last_number) or 0
            transaction += _data_set_writes(write, ingested)
            states += (write.created is not None) + (write.changed is not None)
            if head.is_continuous:
                freshness = freshness.with_slot(head.id, ingested)
        if not transaction:
            return []
        seen = {"epoch": owner.epoch, "changes": owner.change_count}
        changes = freshness_changes(owner, freshness)
        transaction.append(owner_change(owner.id, seen=seen, states=states, set_to=changes, growth=growth))
        if added_bytes:
            transaction.append(backlog_update(owner.id, added_bytes, now_ms))
        return transaction

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """See `RecordLog.entries`: one query for the continuous data sets, one for each normal one, and the parts."""
        return self._with_bodies(list(self._entry_items(owner, normal_ids, after)))

    def continuous_entries(self, owner: OwnerState, after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.continuous_entries`: one query, and the parts."""
        return self._with_bodies(list(self._continuous_items(owner, after)))

    def normal_entries(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.normal_entries`: one query for each data set, and the parts."""
        return self._with_bodies(list(self._normal_items(owner, normal_ids, after)))

    def each_entry(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> Iterator[Entry]:
        """See `RecordLog.each_entry`: the queries of `entries`, page after page, and the parts in small batches."""
        for items in _batches(self._entry_items(owner, normal_ids, after)):
            yield from self._with_bodies(items)

    def entries_of(self, owner: OwnerState, data_set_id: str, *, is_continuous: bool) -> list[Entry]:
        """The entries of one data set, by number: one query, and the parts."""
        partition, prefix = log_of(owner.id, owner.epoch, data_set_id, is_continuous=is_continuous)
        return self._with_bodies([item for item in self._data.query(Query(partition)) if item["sk"].startswith(prefix)])

    def _require_room(self, growth: Growth, owner: OwnerState, head: DataSetHead, content: Item) -> None:
        """Raise unless the owner has room for an entry, and remove the parts that were put for it.

        Raises:
            StorageQuotaError: there is none.
        """
        try:
            growth.require_room(owner.stored_bytes)
        except StorageQuotaError:
            if "staged" in content:
                staged = _StagedBody(head.id, content["staged"], content["parts"])
                self._data.batch_write([Delete(key) for key in staged.keys])
            raise

    def _entry_items(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> Iterator[Item]:
        yield from self._continuous_items(owner, after)
        yield from self._normal_items(owner, normal_ids, after)

    def _continuous_items(self, owner: OwnerState, after: Mapping[str, int]) -> Iterator[Item]:
        items = self._data.query(Query(continuous_log_partition(owner.id, owner.epoch)))
        return (item for item in items if item["number"] > after.get(item["data_set_id"], 0))

    def _normal_items(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> Iterator[Item]:
        for data_set_id in normal_ids:
            number = after.get(data_set_id, 0)
            partition = normal_log_partition(owner.id, owner.epoch, data_set_id)
            yield from self._data.query(Query(partition, Range(above=entry_number(number)) if number else None))

    def _reloaded(
        self, head: DataSetHead, owner: OwnerState | None, refused: TransactionRefusedError
    ) -> tuple[DataSetHead, OwnerState | None]:
        """Head and owner as stored, those of the two because of which a transaction was refused.

        Raises:
            DataSetNotFoundError, DataSetClosedError: see `RecordLog.append`.
        """
        if refused.failed(_OWNER):
            owner = owner_from_item(head.owner_id, self._stored_item(_OWNER, refused, owner_key(head.owner_id)))
            if owner.epoch != head.epoch:
                raise DataSetNotFoundError(head.id) from refused
        if refused.failed(_HEAD):
            item = self._stored_item(_HEAD, refused, head_key(head.id))
            if item is None:
                raise DataSetNotFoundError(head.id) from refused
            head = head_from_item(item)
            if head.is_closed:
                raise DataSetClosedError(head.id) from refused
        return head, owner

    def _stored_item(self, index: int, refused: TransactionRefusedError, key: Key) -> Item | None:
        """The item for which a write was refused; read unless the refusal has it."""
        return refused.stored(index) or self._data.get(key)

    def _content(self, head: DataSetHead, entry: NewEntry) -> Item:
        """The attributes of an entry that hold its body or name the parts of it, which are put first."""
        content: Item = {"kind": entry.kind.value, "stored_time_ms": entry.stored_time_ms}
        if entry.outline is not None:
            content["outline"] = entry.outline
        if len(entry.body) <= INLINE_BYTES:
            return content | {"body": entry.body}
        parts = [entry.body[start : start + PART_BYTES] for start in range(0, len(entry.body), PART_BYTES)]
        prefix = f"{entry.stored_time_ms:013d}#{part_owner(head.owner_id, head.epoch)}{secrets.token_hex(8)}"
        staged = _StagedBody(head.id, prefix, len(parts))
        self._data.batch_write([Put(key | {"body": part}) for key, part in zip(staged.keys, parts, strict=True)])
        return content | {"staged": staged.prefix, "parts": staged.part_count}

    def _with_bodies(self, items: Sequence[Item]) -> list[Entry]:
        staged = [_StagedBody(item["data_set_id"], item["staged"], item["parts"]) for item in items if "staged" in item]
        bodies = self._bodies(staged)
        return [_entry_from_item(item, bodies) for item in items]

    def _bodies(self, staged: Sequence[_StagedBody]) -> dict[str, bytes]:
        """The bodies that are stored in parts, by the prefix of their parts."""
        keys = [key for body in staged for key in body.keys]
        parts: dict[str, bytes] = {}
        for start in range(0, len(keys), PARTS_AT_ONCE):
            items = self._data.batch_get(keys[start : start + PARTS_AT_ONCE])
            parts |= {item["sk"]: item["body"] for item in items if item is not None}
        return {body.prefix: b"".join(parts[key["sk"]] for key in body.keys) for body in staged}


def _stored_bytes(write: DataSetWrite) -> int:
    """The number that a write adds to the bytes of its data set."""
    opened = 0 if write.created is None else description_bytes(write.created)
    return opened + sum(entry.stored_bytes for entry in (write.deletion, write.entry) if entry is not None)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items of entries in batches, whose bodies have `READ_AHEAD_BYTES` together or more by one."""
    batch: list[Item] = []
    size_bytes = 0
    for item in items:
        batch.append(item)
        size_bytes += len(item["body"]) if "body" in item else item["parts"] * PART_BYTES
        if size_bytes >= READ_AHEAD_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _data_set_writes(write: DataSetWrite, ingested: Ingested) -> list[Write]:
    """The writes of head and description."""
    if write.created is not None:
        condition = absent() if write.replaced is None else is_head_of(write.replaced)
        head = dataclasses.replace(
            write.head,
            last_number=ingested.last_number,
            newest=ingested.newest,
            stored_bytes=_stored_bytes(write),
        )
        return [Put(head_item(head), condition), Put(data_set_item(write.created))]
    writes: list[Write] = []
    if write.changed is not None:
        is_unchanged = equals("state_version", write.changed.state_version - 1)
        writes.append(Put(data_set_item(write.changed), is_unchanged))
    if ingested.last_number != write.head.last_number or write.changed is not None:
        update = _head_update(write.head, ingested, Growth(_stored_bytes(write)))
        writes.append(dataclasses.replace(update, set={**update.set, "client": write.head.client}))
    return writes


def _head_update(head: DataSetHead, ingested: Ingested, growth: Growth) -> Update:
    return Update(
        head_key(head.id),
        set={"last_number": ingested.last_number, "newest": newest_value(ingested.newest)},
        add=growth.added,
        condition=all_of(equals("last_number", head.last_number), equals("is_closed", False)),
        return_stored=True,
    )


def _entry_put(head: DataSetHead, number: int, content: Item) -> Put:
    key = entry_key(head.owner_id, head.epoch, head.id, number, is_continuous=head.is_continuous)
    return Put({**key, "data_set_id": head.id, "number": number, **content}, absent())


def _owner_write(head: DataSetHead, ingested: Ingested, owner: OwnerState | None, growth: Growth) -> Write:
    """The write of the owner; `owner` is given once a refusal has shown that the data set has no slot."""
    if not head.is_continuous:  # nobody sees its data before it is closed
        return owner_growth(head.owner_id, head.epoch, growth)
    if owner is None:
        slot = slot_name(head.epoch, head.id)
        set_to = {slot: slot_value(ingested)}
        return owner_change(head.owner_id, seen={"epoch": head.epoch}, set_to=set_to, has=slot, growth=growth)
    seen = {"epoch": head.epoch, "changes": owner.change_count}
    changes = freshness_changes(owner, owner.freshness.with_slot(head.id, ingested))
    return owner_change(head.owner_id, seen=seen, set_to=changes, growth=growth)


def _backlog_updates(head: DataSetHead, number: int, entry: NewEntry) -> list[Update]:
    added_bytes = backlog_bytes(entry, number)
    return [] if added_bytes is None else [backlog_update(head.owner_id, added_bytes, entry.stored_time_ms)]


def _entry_from_item(item: Item, bodies: Mapping[str, bytes]) -> Entry:
    body = item["body"] if "body" in item else bodies[item["staged"]]
    kind = _KINDS[item["kind"]]
    return Entry(item["data_set_id"], item["number"], kind, item["stored_time_ms"], body, item.get("outline"))
