"""The record log in DynamoDB: one item for each entry, its body inside or, when large, in parts that were put before.

The transaction that commits an entry counts up the data set's head, so that numbers have no holes and an add that
races with a close comes before it or is refused; a part that no entry names is never seen.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.engine.backoff import TRIES, pause_after
from chalicelib.engine.dynamodb import (
    TransactionConflictError,
    TransactionRefusedError,
    batch_get,
    batch_put,
    client,
    query_pages,
    refusals,
)
from chalicelib.errors import DataSetClosedError, DataSetNotFoundError, UnavailableError
from chalicelib.log.backlog import weight_bytes
from chalicelib.log.data_set import DataOwner, DataSetHead
from chalicelib.log.entry import Entry, EntryKind, NewEntry
from chalicelib.log.freshness import CameIn
from chalicelib.log.ports import FROM_THE_FIRST, NO_TIMES_MS
from chalicelib.log.stores.backlog import mark_update
from chalicelib.log.stores.data_sets import head_from_item
from chalicelib.log.stores.keys import (
    continuous_log_partition,
    entry_key,
    entry_number,
    head_key,
    log_of,
    normal_log_partition,
    owner_key,
    part_key,
)
from chalicelib.log.stores.owner import (
    freshness_changes,
    newest_value,
    owner_change,
    owner_check,
    owner_from_item,
    place_name,
    place_value,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

INLINE_BYTES = 8 * 1024
"""Bodies up to this size stand in their entry: a transaction costs twice what a plain write does."""
PART_BYTES = 380 * 1024
"""An item may have 400 KB with its keys (a limit of DynamoDB)."""
GETS_AT_ONCE = 40
"""Parts read at once, so that they fit into the 16 MB of an answer."""

_HEAD, _ENTRY, _OWNER = range(3)
"""The places of the transaction's writes."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Staged:
    """Where the parts of a body are."""

    prefix: str
    count: int


class DynamoRecordLog:
    """The port `RecordLog` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """See `RecordLog.append`: one transaction, before it one batch of puts when the body is large.

        A race for a number that was lost repeats the transaction only, and so does a data set without a place in its
        owner's freshness.
        """
        content = self._content(head.id, entry)
        owner: DataOwner | None = None
        for attempt in range(TRIES):
            came_in = head.came_in.after(head.last_number + 1, newest_times_ms, entry.stored_time_ms)
            try:
                others = [self._owner_write(head, came_in, owner), *self._mark(head, came_in.last_number, entry)]
                self._commit(head, came_in, content, others)
            except TransactionConflictError:
                pause_after(attempt)
            except TransactionRefusedError as refused:
                head, owner = self._as_they_stand(head, owner, refused)
            else:
                return came_in.last_number
        raise UnavailableError

    def entries(
        self, owner: DataOwner, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """See `RecordLog.entries`: one query for the continuous data sets, one for each normal one, and the parts."""
        items = [
            item
            for item in self._query(continuous_log_partition(owner.id, owner.epoch))
            if int(item["number"]["N"]) > after.get(item["data_set_id"]["S"], 0)
        ]
        for data_set_id in normal_ids:
            items += self._query(normal_log_partition(owner.id, owner.epoch, data_set_id), after.get(data_set_id, 0))
        return self._with_bodies(items)

    def entries_of(self, owner: DataOwner, data_set_id: str, *, is_continuous: bool) -> list[Entry]:
        """The entries of one data set, by number: one query, and the parts."""
        partition, prefix = log_of(owner.id, owner.epoch, data_set_id, is_continuous=is_continuous)
        return self._with_bodies([item for item in self._query(partition) if item["sk"]["S"].startswith(prefix)])

    def _with_bodies(self, items: Sequence[Item]) -> list[Entry]:
        bodies = self._staged_bodies(
            [(item["data_set_id"]["S"], staged) for item in items if (staged := _staged(item))]
        )
        return [_entry_from_item(item, bodies) for item in items]

    def _commit(
        self, head: DataSetHead, came_in: CameIn, content: Item, others: "Sequence[TransactWriteItemTypeDef]"
    ) -> None:
        number = came_in.last_number
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": head_key(head.id),
                    "UpdateExpression": "SET last_number = :number, newest = :newest",
                    "ConditionExpression": "last_number = :last AND is_closed = :open",
                    "ExpressionAttributeValues": {
                        ":number": {"N": str(number)},
                        ":newest": newest_value(came_in.newest),
                        ":last": {"N": str(head.last_number)},
                        ":open": {"BOOL": False},
                    },
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Put": {
                    "TableName": self._table,
                    "Item": {
                        **entry_key(head.owner_id, head.epoch, head.id, number, is_continuous=head.is_continuous),
                        "data_set_id": {"S": head.id},
                        "number": {"N": str(number)},
                        **content,
                    },
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            *others,
        ]
        with refusals():
            self._dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=secrets.token_hex(16))

    def _mark(self, head: DataSetHead, number: int, entry: NewEntry) -> "list[TransactWriteItemTypeDef]":
        weight = weight_bytes(entry, number)
        if weight is None:
            return []
        return [{"Update": mark_update(self._table, head.owner_id, weight, entry.stored_time_ms)}]

    def _owner_write(self, head: DataSetHead, came_in: CameIn, owner: DataOwner | None) -> "TransactWriteItemTypeDef":
        """What is written of the owner; `owner` is known once it has been found that the data set has no place."""
        if not head.is_continuous:  # nobody sees what comes in before it is closed
            return owner_check(self._table, head.owner_id, head.epoch)
        seen, place = {"epoch": head.epoch}, place_name(head.epoch, head.id)
        if owner is None:
            set_to = {place: place_value(came_in)}
            return {"Update": owner_change(self._table, head.owner_id, seen=seen, set_to=set_to, has=place)}
        seen["changes"] = owner.changes
        set_to = freshness_changes(owner, owner.freshness.with_place(head.id, came_in))
        return {"Update": owner_change(self._table, head.owner_id, seen=seen, set_to=set_to)}

    def _as_they_stand(
        self, head: DataSetHead, owner: DataOwner | None, refused: TransactionRefusedError
    ) -> tuple[DataSetHead, DataOwner | None]:
        """Head and owner after a transaction was refused, as far as it was because of them."""
        if refused.failed(_OWNER):
            owner = owner_from_item(head.owner_id, self._kept(_OWNER, refused, owner_key(head.owner_id)))
            if owner.epoch != head.epoch:
                raise DataSetNotFoundError(head.id) from refused
        if refused.failed(_HEAD):
            item = self._kept(_HEAD, refused, head_key(head.id))
            if item is None:
                raise DataSetNotFoundError(head.id) from refused
            head = head_from_item(item)
            if head.is_closed:
                raise DataSetClosedError(head.id) from refused
        return head, owner

    def _kept(self, place: int, refused: TransactionRefusedError, key: Item) -> Item | None:
        """What stands where a write was refused; read where the refusal does not tell it."""
        item = refused.items[place]
        if item is not None:
            return item
        with refusals():
            return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _content(self, data_set_id: str, entry: NewEntry) -> Item:
        """The attributes of an entry that tell its body, once that is where they say."""
        content: Item = {"kind": {"S": entry.kind.value}, "stored_time_ms": {"N": str(entry.stored_time_ms)}}
        if len(entry.body) <= INLINE_BYTES:
            return content | {"body": {"B": entry.body}}
        staged = self._stage(data_set_id, entry)
        return content | {"staged": {"S": staged.prefix}, "parts": {"N": str(staged.count)}}

    def _stage(self, data_set_id: str, entry: NewEntry) -> _Staged:
        prefix = f"{entry.stored_time_ms:013d}#{secrets.token_hex(8)}"
        parts = [entry.body[start : start + PART_BYTES] for start in range(0, len(entry.body), PART_BYTES)]
        items = [{**part_key(data_set_id, prefix, index), "body": {"B": part}} for index, part in enumerate(parts)]
        batch_put(self._dynamodb, self._table, items)
        return _Staged(prefix, len(parts))

    def _query(self, partition: str, after: int = 0) -> Iterator[Item]:
        """The items of a partition; of that of a normal data set, those of a greater number."""
        values = {":pk": {"S": partition}} | ({":after": {"S": entry_number(after)}} if after else {})
        return query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk > :after" if after else "pk = :pk",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )

    def _staged_bodies(self, bodies: Sequence[tuple[str, _Staged]]) -> dict[str, bytes]:
        """The bodies that stand in parts, by the prefix of their parts."""
        keys = [
            part_key(data_set_id, staged.prefix, index)
            for data_set_id, staged in bodies
            for index in range(staged.count)
        ]
        parts: dict[str, bytes] = {}
        for start in range(0, len(keys), GETS_AT_ONCE):
            for item in batch_get(self._dynamodb, self._table, keys[start : start + GETS_AT_ONCE]):
                parts[item["sk"]["S"]] = bytes(item["body"]["B"])
        return {
            staged.prefix: b"".join(
                parts[part_key(data_set_id, staged.prefix, index)["sk"]["S"]] for index in range(staged.count)
            )
            for data_set_id, staged in bodies
        }


def _staged(item: Item) -> _Staged | None:
    return _Staged(item["staged"]["S"], int(item["parts"]["N"])) if "staged" in item else None


def _entry_from_item(item: Item, bodies: dict[str, bytes]) -> Entry:
    return Entry(
        data_set_id=item["data_set_id"]["S"],
        number=int(item["number"]["N"]),
        kind=EntryKind(item["kind"]["S"]),
        stored_time_ms=int(item["stored_time_ms"]["N"]),
        body=bytes(item["body"]["B"]) if "body" in item else bodies[item["staged"]["S"]],
    )
