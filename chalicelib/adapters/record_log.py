"""The record log in DynamoDB: one item for each entry, its body inside or, when large, in parts that were put before.

The transaction that commits an entry counts up the data set's head, so that numbers have no holes and an add that
races with a close comes before it or is refused; a part that no entry names is never seen.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.contention import TRIES, pause_after
from chalicelib.adapters.data_keys import (
    continuous_log_partition,
    entry_key,
    head_key,
    log_of,
    normal_log_partition,
    part_key,
)
from chalicelib.adapters.data_sets import head_from_item, owner_check
from chalicelib.adapters.dynamodb import (
    TransactionConflictError,
    TransactionRefusedError,
    batch_get,
    client,
    query_pages,
    refusals,
)
from chalicelib.config import Settings
from chalicelib.domain.data_set import DataOwner, DataSetHead
from chalicelib.domain.entries import Entry, EntryKind, NewEntry
from chalicelib.domain.errors import DataSetClosedError, DataSetNotFoundError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

INLINE_BYTES = 8 * 1024
"""Bodies up to this size stand in their entry: a transaction costs twice what a plain write does."""
PART_BYTES = 380 * 1024
"""An item may have 400 KB with its keys (a limit of DynamoDB)."""
PUTS_AT_ONCE = 25
"""Most puts of one BatchWriteItem (a limit of DynamoDB); 25 parts stay below its 16 MB."""
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

    def append(self, head: DataSetHead, entry: NewEntry) -> int:
        """See `RecordLog.append`: one transaction, before it one batch of puts when the body is large.

        A race for a number that was lost repeats the transaction only.
        """
        content = self._content(head.id, entry)
        last_number = head.last_number
        for attempt in range(TRIES):
            try:
                self._commit(head, last_number, content)
            except TransactionConflictError:
                pause_after(attempt)
            except TransactionRefusedError as refused:
                last_number = self._last_number_now(head, refused)
            else:
                return last_number + 1
        raise UnavailableError

    def entries(self, owner: DataOwner, normal_ids: Sequence[str]) -> list[Entry]:
        """See `RecordLog.entries`: one query for the continuous data sets, one for each normal one, and the parts."""
        partitions = [continuous_log_partition(owner.id, owner.epoch)]
        partitions += [normal_log_partition(owner.id, owner.epoch, data_set_id) for data_set_id in normal_ids]
        return self._with_bodies([item for partition in partitions for item in self._query(partition)])

    def entries_of(self, owner: DataOwner, data_set_id: str, *, is_continuous: bool) -> list[Entry]:
        """The entries of one data set, by number: one query, and the parts."""
        partition, prefix = log_of(owner.id, owner.epoch, data_set_id, is_continuous=is_continuous)
        return self._with_bodies([item for item in self._query(partition) if item["sk"]["S"].startswith(prefix)])

    def _with_bodies(self, items: Sequence[Item]) -> list[Entry]:
        bodies = self._staged_bodies(
            [(item["data_set_id"]["S"], staged) for item in items if (staged := _staged(item))]
        )
        return [_entry_from_item(item, bodies) for item in items]

    def _commit(self, head: DataSetHead, last_number: int, content: Item) -> None:
        number = last_number + 1
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": head_key(head.id),
                    "UpdateExpression": "SET last_number = :number",
                    "ConditionExpression": "last_number = :last AND is_closed = :open",
                    "ExpressionAttributeValues": {
                        ":number": {"N": str(number)},
                        ":last": {"N": str(last_number)},
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
            owner_check(self._table, head.owner_id, head.epoch),
        ]
        with refusals():
            self._dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=secrets.token_hex(16))

    def _last_number_now(self, head: DataSetHead, refused: TransactionRefusedError) -> int:
        """The last number after a race for it was lost."""
        if refused.failed(_OWNER):
            raise DataSetNotFoundError(head.id) from refused
        item = refused.items[_HEAD]
        if item is None:
            with refusals():
                item = self._dynamodb.get_item(TableName=self._table, Key=head_key(head.id), ConsistentRead=True)[
                    "Item"
                ]
        now = head_from_item(item)
        if now.is_closed:
            raise DataSetClosedError(head.id) from refused
        return now.last_number

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
        puts = [
            {"PutRequest": {"Item": {**part_key(data_set_id, prefix, index), "body": {"B": part}}}}
            for index, part in enumerate(parts)
        ]
        for start in range(0, len(puts), PUTS_AT_ONCE):
            self._put_all(puts[start : start + PUTS_AT_ONCE])
        return _Staged(prefix, len(parts))

    def _put_all(self, puts: Sequence[Any]) -> None:
        for attempt in range(TRIES):
            with refusals():
                answer = self._dynamodb.batch_write_item(RequestItems={self._table: list(puts)})
            puts = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not puts:
                return
            pause_after(attempt)
        raise UnavailableError

    def _query(self, partition: str) -> Iterator[Item]:
        return query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
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
