"""Data sets: a small head for adding data, and a description for everything else.

One transaction writes both, with the owner's counters.
"""

from collections.abc import Sequence
from itertools import islice

from chalicelib import json_text
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import Condition, absent, all_of, equals
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Item, Put, Query, Table, Update, Write
from chalicelib.errors import DataSetExistsError
from chalicelib.log.backlog import URGENT_BYTES
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState, deletes, head_of
from chalicelib.log.entry import ITEM_BYTES
from chalicelib.log.freshness import UNKNOWN, Freshness
from chalicelib.log.stores.backlog import backlog_update
from chalicelib.log.stores.growth import BYTES, Growth
from chalicelib.log.stores.keys import (
    backlog_key,
    data_set_key,
    data_sets_partition,
    head_key,
    owner_key,
    purge_request_id,
    purge_request_key,
)
from chalicelib.log.stores.owner import (
    Changes,
    freshness_changes,
    newest_from_value,
    newest_value,
    owner_change,
    owner_from_item,
)
from chalicelib.log.truncation import truncates

HEADS_CHECKED = 90
"""Logs that a closing compares when it truncates them: a transaction has at most a hundred writes.
Continuous data sets come first; those beyond are uploads that were never closed."""


_OWNER = 2
"""The position of the owner's write among those that open a data set."""


class StoredDataSets:
    """The port `DataSetStore` on the data table. Users store no more than `quota_bytes`, unless it is None."""

    def __init__(self, data: Table, quota_bytes: int | None = None) -> None:
        self._data = data
        self._quota_bytes = quota_bytes

    def head(self, data_set_id: str) -> DataSetHead | None:
        """See `DataSetHeads.head`: one read."""
        item = self._data.get(head_key(data_set_id))
        return None if item is None else head_from_item(item)

    def is_current(self, head: DataSetHead) -> bool:
        """See `DataSetHeads.is_current`: one read."""
        return self.owner(head.owner_id).epoch == head.epoch

    def owner(self, owner_id: str) -> OwnerState:
        """See `DataSetStore.owner`: one read."""
        return owner_from_item(owner_id, self._data.get(owner_key(owner_id)))

    def owners(self, owner_ids: Sequence[str]) -> list[OwnerState]:
        """See `DataSetReader.owners`: one batch for each hundred, at half the price."""
        items = self._data.batch_get([owner_key(owner_id) for owner_id in owner_ids], may_lag=True)
        return [owner_from_item(owner_id, item) for owner_id, item in zip(owner_ids, items, strict=True)]

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """See `DataSetStore.of_owner`: one query."""
        items = self._data.query(Query(data_sets_partition(owner.id, owner.epoch), newest_first=True))
        return [_data_set_from_item(item, owner) for item in items]

    def create(self, data_set: DataSet) -> None:
        """See `DataSetStore.create`: one transaction; before it one read, when the data set gets a slot of its own in
        the owner's freshness. For an id that erased data had, two reads and another transaction."""
        growth = Growth(description_bytes(data_set), self._quota_bytes)
        try:
            self._data.transact(self._opening(data_set, absent(), growth))
        except TransactionRefusedError as refused:
            if not refused.failed(0):
                growth.require_room((refused.stored(_OWNER) or {}).get(BYTES, 0))
                raise WriteConflictError from refused
            head = self.head(data_set.id)
            if head is None or self.is_current(head):
                raise DataSetExistsError(data_set.id) from refused
            self._transact(self._opening(data_set, is_head_of(head), growth))

    def replace(self, before: DataSet, after: DataSet) -> None:
        """See `DataSetStore.replace`: one transaction; before it one read, when a normal data set closes."""
        writes: list[Write] = [Put(data_set_item(after), equals("state_version", before.state_version))]
        if after.close_sequence is not None and not before.is_closed:
            writes += self._closing(after, after.close_sequence)
            if truncates(after):
                open_logs = islice(after.truncated_at_close.items(), HEADS_CHECKED)
                writes += [_head_check(data_set_id, last_number) for data_set_id, last_number in open_logs]
                writes.append(_purge_request(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        else:
            writes.append(owner_change(after.owner_id, seen={"epoch": after.epoch}, states=1))
            if deletes(before, after):
                writes.append(_head_check(after.id, after.deleted_through))
                writes.append(_purge_request(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        if after.is_closed != before.is_closed or deletes(before, after):
            writes.append(backlog_update(after.owner_id, URGENT_BYTES, after.modified_time_ms))
        self._transact(writes)

    def erase(self, owner_id: str, now_ms: int) -> None:
        """See `DataSetStore.erase`: one read, and one transaction."""
        owner = self.owner(owner_id)
        started = {"epoch": owner.epoch + 1, "states": None, BYTES: None}
        changes: Changes = {**started, **freshness_changes(owner, Freshness())}
        self._transact(
            [
                owner_change(owner_id, seen={"epoch": owner.epoch}, set_to=changes),
                _purge_request(now_ms, owner_id, owner.epoch),
                Delete(backlog_key(owner_id)),
            ]
        )

    def _opening(self, data_set: DataSet, condition: Condition, growth: Growth) -> list[Write]:
        head = Put(head_item(head_of(data_set)) | growth.added, condition)
        return [head, Put(data_set_item(data_set)), self._owner_opening(data_set, growth)]

    def _owner_opening(self, data_set: DataSet, growth: Growth) -> Update:
        seen = {"epoch": data_set.epoch}
        if not data_set.is_continuous:
            return owner_change(data_set.owner_id, seen=seen, states=1, growth=growth)
        owner = self.owner(data_set.owner_id)
        changes = freshness_changes(owner, owner.freshness.with_slot(data_set.id, head_of(data_set).ingested))
        if len(changes) > 1:  # others lost their slots, and were merged as they were read
            seen["changes"] = owner.change_count
        return owner_change(data_set.owner_id, seen=seen, states=1, set_to=changes, growth=growth)

    def _closing(self, after: DataSet, close_sequence: int) -> list[Write]:
        """The writes of head and owner. For a normal data set, whose data is seen from now on, both are read first."""
        seen = {"epoch": after.epoch, "closings": close_sequence - 1}
        changes: dict[str, bytes | int | bool | None] = {"closings": close_sequence}
        is_unchanged = None
        if not after.is_continuous:
            owner, head = self._owner_and_head(after)
            seen["changes"] = owner.change_count
            changes |= freshness_changes(owner, owner.freshness.with_merged(head.ingested))
            is_unchanged = equals("last_number", head.last_number)
        return [
            Update(head_key(after.id), set={"is_closed": True}, condition=is_unchanged),
            owner_change(after.owner_id, seen=seen, states=1, set_to=changes),
        ]

    def _owner_and_head(self, after: DataSet) -> tuple[OwnerState, DataSetHead]:
        """Both as stored now: one read."""
        owner, head = self._data.batch_get([owner_key(after.owner_id), head_key(after.id)])
        if head is None:  # purged meanwhile
            raise WriteConflictError
        return owner_from_item(after.owner_id, owner), head_from_item(head)

    def _transact(self, writes: Sequence[Write]) -> None:
        try:
            self._data.transact(writes)
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused


def head_from_item(item: Item) -> DataSetHead:
    """The head that an item of `head_key` holds."""
    return DataSetHead(
        id=item["data_set_id"],
        owner_id=item["owner_id"],
        epoch=item["epoch"],
        created_time_ms=item["created_time_ms"],
        is_continuous=item["is_continuous"],
        deduplicator=item["deduplicator"],
        is_closed=item["is_closed"],
        last_number=item["last_number"],
        client=item.get("client", UNKNOWN),
        newest=newest_from_value(item["newest"]) if "newest" in item else {},
        is_legacy=item.get("is_legacy", False),
        stored_bytes=item.get(BYTES, 0),
    )


def head_item(head: DataSetHead) -> Item:
    """The attributes of a head, with its key."""
    return {
        **head_key(head.id),
        "data_set_id": head.id,
        "owner_id": head.owner_id,
        "epoch": head.epoch,
        "created_time_ms": head.created_time_ms,
        "is_continuous": head.is_continuous,
        "deduplicator": head.deduplicator,
        "is_closed": head.is_closed,
        "last_number": head.last_number,
        "client": head.client,
        "newest": newest_value(head.newest),
        **({"is_legacy": True} if head.is_legacy else {}),
        **({BYTES: head.stored_bytes} if head.stored_bytes else {}),
    }


def description_bytes(data_set: DataSet) -> int:
    """About how many bytes a new data set takes: its description, and two items."""
    return len(json_text.encode(data_set.description)) + 2 * ITEM_BYTES


def is_head_of(head: DataSetHead) -> Condition:
    """The condition that a head still belongs to the same owner and epoch."""
    return all_of(equals("epoch", head.epoch), equals("owner_id", head.owner_id))


def _head_check(data_set_id: str, last_number: int) -> Check:
    """The part of a transaction that refuses it once the log has a later entry."""
    return Check(head_key(data_set_id), equals("last_number", last_number))


def data_set_item(data_set: DataSet) -> Item:
    """The attributes of a data set, with its key."""
    item = {
        **data_set_key(data_set.owner_id, data_set.epoch, data_set.created_time_ms, data_set.id),
        "id": data_set.id,
        "created_time_ms": data_set.created_time_ms,
        "modified_time_ms": data_set.modified_time_ms,
        "revision": data_set.revision,
        "state_version": data_set.state_version,
        "close_order": data_set.close_sequence,
        "closed_time_ms": data_set.closed_time_ms,
        "deleted_time_ms": data_set.deleted_time_ms,
        "cut_off": data_set.deleted_through,
        "is_gone": data_set.is_purgeable,
        # As JSON text, so that what a client sent comes back as it was: DynamoDB's numbers and maps would change it.
        "description": json_text.encode(data_set.description),
        "open_when_closed": json_text.encode(data_set.truncated_at_close),
        "is_legacy": data_set.is_legacy or None,
    }
    return {name: value for name, value in item.items() if value is not None}


def _data_set_from_item(item: Item, owner: OwnerState) -> DataSet:
    return DataSet(
        id=item["id"],
        owner_id=owner.id,
        epoch=owner.epoch,
        created_time_ms=item["created_time_ms"],
        modified_time_ms=item["modified_time_ms"],
        description=json_text.decode(item["description"]),
        revision=item["revision"],
        state_version=item["state_version"],
        close_sequence=item.get("close_order"),
        closed_time_ms=item.get("closed_time_ms"),
        deleted_time_ms=item.get("deleted_time_ms"),
        deleted_through=item["cut_off"],
        is_purgeable=item["is_gone"],
        truncated_at_close=json_text.decode(item["open_when_closed"]),
        is_legacy=item.get("is_legacy", False),
    )


def _purge_request(time_ms: int, owner_id: str, epoch: int, data_set_id: str | None = None) -> Put:
    item = {
        **purge_request_key(purge_request_id(time_ms, owner_id, epoch, data_set_id or "")),
        "time_ms": time_ms,
        "owner_id": owner_id,
        "epoch": epoch,
    }
    return Put(item if data_set_id is None else item | {"data_set_id": data_set_id})
