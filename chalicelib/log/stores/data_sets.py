"""Data sets in DynamoDB: a small head for adding data, a description for everything else.

Both are written by one transaction, together with the owner's counters where these decide.
"""

import secrets
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib import json_text
from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.backoff import TRIES, pause_after
from chalicelib.engine.dynamodb import (
    TransactionConflictError,
    TransactionRefusedError,
    batch_get,
    client,
    query_pages,
    refusals,
)
from chalicelib.errors import DataSetExistsError, UnavailableError
from chalicelib.log.backlog import URGENT_BYTES
from chalicelib.log.data_set import DataOwner, DataSet, DataSetHead, deletes, head_of
from chalicelib.log.freshness import UNKNOWN, Freshness
from chalicelib.log.stores.backlog import mark_update
from chalicelib.log.stores.keys import (
    data_set_key,
    data_sets_partition,
    head_key,
    mark_key,
    owner_key,
    purge_order_id,
    purge_order_key,
)
from chalicelib.log.stores.owner import (
    freshness_changes,
    newest_from_value,
    newest_value,
    owner_change,
    owner_from_item,
)
from chalicelib.log.truncation import truncates

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]

HEADS_CHECKED = 90
"""Logs that must stand still while a closing truncates them; a transaction has a hundred writes (a limit of DynamoDB).
They come with those that take data and show it at once first; further ones are uploads that were never closed."""


class DynamoDataSets:
    """The port `DataSetStore` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def head(self, data_set_id: str) -> DataSetHead | None:
        """See `DataSetHeads.head`: one read."""
        item = self._get(head_key(data_set_id))
        return None if item is None else head_from_item(item)

    def is_current(self, head: DataSetHead) -> bool:
        """See `DataSetHeads.is_current`: one read."""
        return self.owner(head.owner_id).epoch == head.epoch

    def owner(self, owner_id: str) -> DataOwner:
        """See `DataSetStore.owner`: one read."""
        return owner_from_item(owner_id, self._get(owner_key(owner_id)))

    def of_owner(self, owner: DataOwner) -> list[DataSet]:
        """See `DataSetStore.of_owner`: one query."""
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": data_sets_partition(owner.id, owner.epoch)}},
            ConsistentRead=True,
            ScanIndexForward=False,
        )
        return [_data_set_from_item(item, owner) for item in items]

    def create(self, data_set: DataSet) -> None:
        """See `DataSetStore.create`: one transaction; before it one read, when the data set gets a place of its own
        in the owner's freshness."""
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": head_key(data_set.id) | _head_item(head_of(data_set)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {"Put": {"TableName": self._table, "Item": _data_set_item(data_set)}},
            self._owner_opening(data_set),
        ]
        try:
            self._transact(writes)
        except TransactionRefusedError as refused:
            if refused.failed(0):
                raise DataSetExistsError(data_set.id) from refused
            raise WriteConflictError from refused

    def replace(self, before: DataSet, after: DataSet) -> None:
        """See `DataSetStore.replace`: one transaction."""
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _data_set_item(after),
                    "ConditionExpression": "state_version = :before",
                    "ExpressionAttributeValues": {":before": {"N": str(before.state_version)}},
                }
            },
        ]
        if after.close_order is not None and not before.is_closed:
            writes += self._closing(after, after.close_order)
            if truncates(after):
                noted = islice(after.open_when_closed.items(), HEADS_CHECKED)
                writes += [self._head_check(data_set_id, last_number) for data_set_id, last_number in noted]
                writes.append(self._purge_order(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        else:
            seen = {"epoch": after.epoch}
            writes.append({"Update": owner_change(self._table, after.owner_id, seen=seen, states=1)})
            if deletes(before, after):
                writes.append(self._head_check(after.id, after.cut_off))
                writes.append(self._purge_order(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        if after.is_closed != before.is_closed or deletes(before, after):
            mark = mark_update(self._table, after.owner_id, URGENT_BYTES, after.modified_time_ms)
            writes.append({"Update": mark})
        try:
            self._transact(writes)
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def erase(self, owner_id: str, now_ms: int) -> None:
        """See `DataSetStore.erase`: one read, and one transaction."""
        owner = self.owner(owner_id)
        anew = {"epoch": {"N": str(owner.epoch + 1)}, "states": None} | freshness_changes(owner, Freshness())
        raised = owner_change(self._table, owner_id, seen={"epoch": owner.epoch}, set_to=anew)
        unmarked: TransactWriteItemTypeDef = {"Delete": {"TableName": self._table, "Key": mark_key(owner_id)}}
        try:
            self._transact([{"Update": raised}, self._purge_order(now_ms, owner_id, owner.epoch), unmarked])
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def _purge_order(
        self, time_ms: int, owner_id: str, epoch: int, data_set_id: str | None = None
    ) -> "TransactWriteItemTypeDef":
        named: Item = {} if data_set_id is None else {"data_set_id": {"S": data_set_id}}
        return {
            "Put": {
                "TableName": self._table,
                "Item": {
                    **purge_order_key(purge_order_id(time_ms, owner_id, epoch, data_set_id or "")),
                    **named,
                    "time_ms": {"N": str(time_ms)},
                    "owner_id": {"S": owner_id},
                    "epoch": {"N": str(epoch)},
                },
            }
        }

    def _owner_opening(self, data_set: DataSet) -> "TransactWriteItemTypeDef":
        seen, set_to = {"epoch": data_set.epoch}, {}
        if data_set.is_continuous:
            owner = self.owner(data_set.owner_id)
            set_to = freshness_changes(owner, owner.freshness.with_place(data_set.id, head_of(data_set).came_in))
            if len(set_to) > 1:  # others gave up their places as they stood
                seen["changes"] = owner.changes
        return {"Update": owner_change(self._table, data_set.owner_id, seen=seen, states=1, set_to=set_to)}

    def _closing(self, after: DataSet, close_order: int) -> "list[TransactWriteItemTypeDef]":
        """What is written of head and owner. For a normal data set, whose data is seen from now on, both are read."""
        close: Any = {
            "TableName": self._table,
            "Key": head_key(after.id),
            "UpdateExpression": "SET is_closed = :closed",
            "ExpressionAttributeValues": {":closed": {"BOOL": True}},
        }
        seen = {"epoch": after.epoch, "closings": close_order - 1}
        set_to = {"closings": {"N": str(close_order)}}
        if not after.is_continuous:
            owner, head = self._owner_and_head(after)
            seen["changes"] = owner.changes
            set_to |= freshness_changes(owner, owner.freshness.with_merged(head.came_in))
            close["ConditionExpression"] = "last_number = :last"
            close["ExpressionAttributeValues"] |= {":last": {"N": str(head.last_number)}}
        counted = owner_change(self._table, after.owner_id, seen=seen, states=1, set_to=set_to)
        return [{"Update": close}, {"Update": counted}]

    def _owner_and_head(self, after: DataSet) -> tuple[DataOwner, DataSetHead]:
        """Both as they stand now: one read."""
        owner_at, head_at = owner_key(after.owner_id), head_key(after.id)
        found = {item["pk"]["S"]: item for item in batch_get(self._dynamodb, self._table, [owner_at, head_at])}
        owner, head = (found.get(at["pk"]["S"]) for at in (owner_at, head_at))
        if head is None:  # purged meanwhile
            raise WriteConflictError
        return owner_from_item(after.owner_id, owner), head_from_item(head)

    def _head_check(self, data_set_id: str, last_number: int) -> "TransactWriteItemTypeDef":
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": head_key(data_set_id),
                "ConditionExpression": "last_number = :last",
                "ExpressionAttributeValues": {":last": {"N": str(last_number)}},
            }
        }

    def _get(self, key: Item) -> Item | None:
        with refusals():
            return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        def write() -> None:
            with refusals():
                self._dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=secrets.token_hex(16))

        without_conflict(write)


def without_conflict(write: Callable[[], None]) -> None:
    """Carries out a write that may meet a transaction, and tries again when it does.

    Raises:
        UnavailableError: it met one each time.
    """
    for attempt in range(TRIES):
        try:
            return write()
        except TransactionConflictError:
            pause_after(attempt)
    raise UnavailableError


def head_from_item(item: Item) -> DataSetHead:
    """The head that an item of `head_key` holds."""
    return DataSetHead(
        id=item["data_set_id"]["S"],
        owner_id=item["owner_id"]["S"],
        epoch=int(item["epoch"]["N"]),
        created_time_ms=int(item["created_time_ms"]["N"]),
        is_continuous=item["is_continuous"]["BOOL"],
        deduplicator=item["deduplicator"]["S"],
        is_closed=item["is_closed"]["BOOL"],
        last_number=int(item["last_number"]["N"]),
        client=item["client"]["S"] if "client" in item else UNKNOWN,
        newest=newest_from_value(item["newest"]) if "newest" in item else {},
    )


def _head_item(head: DataSetHead) -> Item:
    return {
        "data_set_id": {"S": head.id},
        "owner_id": {"S": head.owner_id},
        "epoch": {"N": str(head.epoch)},
        "created_time_ms": {"N": str(head.created_time_ms)},
        "is_continuous": {"BOOL": head.is_continuous},
        "deduplicator": {"S": head.deduplicator},
        "is_closed": {"BOOL": head.is_closed},
        "last_number": {"N": str(head.last_number)},
        "client": {"S": head.client},
        "newest": newest_value(head.newest),
    }


def _data_set_item(data_set: DataSet) -> Item:
    numbers = {
        "created_time_ms": data_set.created_time_ms,
        "modified_time_ms": data_set.modified_time_ms,
        "revision": data_set.revision,
        "state_version": data_set.state_version,
        "close_order": data_set.close_order,
        "closed_time_ms": data_set.closed_time_ms,
        "deleted_time_ms": data_set.deleted_time_ms,
        "cut_off": data_set.cut_off,
    }
    return {
        **data_set_key(data_set.owner_id, data_set.epoch, data_set.created_time_ms, data_set.id),
        **{name: {"N": str(number)} for name, number in numbers.items() if number is not None},
        "is_gone": {"BOOL": data_set.is_gone},
        "id": {"S": data_set.id},
        # As JSON text, so that what a client sent comes back as it was: DynamoDB's numbers and maps would change it.
        "description": {"B": json_text.encode(data_set.description)},
        "open_when_closed": {"B": json_text.encode(data_set.open_when_closed)},
    }


def _data_set_from_item(item: Item, owner: DataOwner) -> DataSet:
    return DataSet(
        id=item["id"]["S"],
        owner_id=owner.id,
        epoch=owner.epoch,
        created_time_ms=int(item["created_time_ms"]["N"]),
        modified_time_ms=int(item["modified_time_ms"]["N"]),
        description=json_text.decode(item["description"]["B"]),
        revision=int(item["revision"]["N"]),
        state_version=int(item["state_version"]["N"]),
        close_order=_number(item, "close_order"),
        closed_time_ms=_number(item, "closed_time_ms"),
        deleted_time_ms=_number(item, "deleted_time_ms"),
        cut_off=int(item["cut_off"]["N"]),
        is_gone=item["is_gone"]["BOOL"],
        open_when_closed=json_text.decode(item["open_when_closed"]["B"]),
    )


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
