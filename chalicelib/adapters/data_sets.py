"""Data sets in DynamoDB: a small head for adding data, a description for everything else.

Both are written by one transaction, together with the owner's counters where these decide.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.contention import TRIES, pause_after
from chalicelib.adapters.data_keys import (
    data_set_key,
    data_sets_partition,
    head_key,
    owner_key,
    purge_order_id,
    purge_order_key,
)
from chalicelib.adapters.dynamodb import (
    TransactionConflictError,
    TransactionRefusedError,
    client,
    query_pages,
    refusals,
)
from chalicelib.config import Settings
from chalicelib.contract import json_text
from chalicelib.domain.data_set import DataOwner, DataSet, DataSetHead, deletes, head_of
from chalicelib.domain.errors import DataSetExistsError, UnavailableError
from chalicelib.domain.ports import ChangedMeanwhileError
from chalicelib.domain.truncation import truncates

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]


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
        item = self._get(owner_key(owner_id)) or {}
        return DataOwner(owner_id, _number(item, "epoch") or 0, _number(item, "closings") or 0, "has_sources" in item)

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
        """See `DataSetStore.create`: one transaction."""
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": head_key(data_set.id) | _head_item(head_of(data_set)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {"Put": {"TableName": self._table, "Item": _data_set_item(data_set)}},
            owner_check(self._table, data_set.owner_id, data_set.epoch),
        ]
        try:
            self._transact(writes)
        except TransactionRefusedError as refused:
            if refused.failed(0):
                raise DataSetExistsError(data_set.id) from refused
            raise ChangedMeanwhileError from refused

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
            writes += [
                self._head_closing(after.id),
                self._owner_closing(after.owner_id, after.epoch, after.close_order),
            ]
            if truncates(after):
                writes.append(self._purge_order(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        else:
            writes.append(owner_check(self._table, after.owner_id, after.epoch))
            if deletes(before, after):
                writes.append(self._head_check(after.id, after.cut_off))
                writes.append(self._purge_order(after.modified_time_ms, after.owner_id, after.epoch, after.id))
        try:
            self._transact(writes)
        except TransactionRefusedError as refused:
            raise ChangedMeanwhileError from refused

    def erase(self, owner_id: str, now_ms: int) -> None:
        """See `DataSetStore.erase`: one read, and one transaction."""
        epoch = self.owner(owner_id).epoch
        raised: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": owner_key(owner_id),
                "UpdateExpression": "SET epoch = :next",
                "ConditionExpression": _is_or_absent("epoch", epoch),
                "ExpressionAttributeValues": {":next": {"N": str(epoch + 1)}, ":epoch": {"N": str(epoch)}},
            }
        }
        try:
            self._transact([raised, self._purge_order(now_ms, owner_id, epoch)])
        except TransactionRefusedError as refused:
            raise ChangedMeanwhileError from refused

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

    def _head_closing(self, data_set_id: str) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._table,
                "Key": head_key(data_set_id),
                "UpdateExpression": "SET is_closed = :closed",
                "ExpressionAttributeValues": {":closed": {"BOOL": True}},
            }
        }

    def _owner_closing(self, owner_id: str, epoch: int, close_order: int) -> "TransactWriteItemTypeDef":
        is_next = _is_or_absent("closings", close_order - 1)
        return {
            "Update": {
                "TableName": self._table,
                "Key": owner_key(owner_id),
                "UpdateExpression": "SET closings = :order",
                "ConditionExpression": f"{is_next} AND {_is_or_absent('epoch', epoch)}",
                "ExpressionAttributeValues": {
                    ":order": {"N": str(close_order)},
                    ":closings": {"N": str(close_order - 1)},
                    ":epoch": {"N": str(epoch)},
                },
            }
        }

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


def owner_check(table: str, owner_id: str, epoch: int) -> "TransactWriteItemTypeDef":
    """The part of a transaction that lets it through only while nothing of the owner's was erased."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": owner_key(owner_id),
            "ConditionExpression": _is_or_absent("epoch", epoch),
            "ExpressionAttributeValues": {":epoch": {"N": str(epoch)}},
        }
    }


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


def _is_or_absent(name: str, value: int) -> str:
    """The condition that a counter has this value; one that was never written counts as 0."""
    return f"({name} = :{name} OR attribute_not_exists({name}))" if value == 0 else f"{name} = :{name}"
