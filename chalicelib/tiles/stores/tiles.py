"""Tiles in DynamoDB: items that never change, and for each user one, the snapshot, that says which of them count.

A key holds the version of the attempt that wrote the item, so nobody writes what another reads. One transaction puts a
new snapshot in the place of the old one, and with it the order to sweep what that made superfluous.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.backoff import TRIES, pause_after
from chalicelib.engine.dynamodb import (
    ConditionRefusedError,
    TransactionConflictError,
    TransactionRefusedError,
    batch_get,
    batch_put,
    client,
    query_pages,
    refusals,
)
from chalicelib.errors import UnavailableError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import origin_keys_partition, version_prefix
from chalicelib.log.stores.legacy import (
    compaction_key,
    key,
    owner_check,
    owner_from_item,
    owner_key,
    snapshot_key,
    without_conflict,
)
from chalicelib.tiles.ports import Attempt, Compacted
from chalicelib.tiles.snapshot import Snapshot, TilePlace, decode_snapshot, encode_snapshot
from chalicelib.tiles.stores.items import body_of, get_tiles, put_tiles, stored_body, stored_tile
from chalicelib.tiles.stores.origin_index import decode_note, encode_notes, note_digest
from chalicelib.tiles.stores.sweep_requests import SNAPSHOT, Replaced, begun_order, begun_order_key, committed_order
from chalicelib.tiles.tile import Tile, TileContent, TileKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]


def snapshot_from_item(dynamodb: "DynamoDBClient", table: str, owner: OwnerState, item: Item | None) -> Snapshot | None:
    """The snapshot of the owner's epoch that an item of `snapshot_key` tells of, an empty one when it tells of none;
    for one above 380 KB, one BatchGetItem.

    None for one that was replaced long ago, so that its parts were swept: this process must have slept in between.
    """
    if item is None or int(item["epoch"]["N"]) != owner.epoch:
        return Snapshot(epoch=owner.epoch)
    version = int(item["version"]["N"])
    body = body_of(dynamodb, table, owner, version, SNAPSHOT, item)
    return None if body is None else decode_snapshot(body, owner.epoch, version)


class DynamoTiles:
    """The port `TileWriter` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def current(self, owner_id: str) -> tuple[OwnerState, Snapshot]:
        """See `TileReader.current`: one BatchGetItem, and another one for a snapshot above 380 KB."""
        owner_at, snapshot_at = owner_key(owner_id), snapshot_key(owner_id)
        for _ in range(TRIES):
            items = batch_get(self._dynamodb, self._table, [owner_at, snapshot_at])
            found = {item["sk"]["S"]: item for item in items}
            owner = owner_from_item(owner_id, found.get(owner_at["sk"]["S"]))
            snapshot = snapshot_from_item(self._dynamodb, self._table, owner, found.get(snapshot_at["sk"]["S"]))
            if snapshot is not None:
                return owner, snapshot
        raise UnavailableError

    def tiles(self, owner: OwnerState, places: Sequence[TilePlace], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileReader.tiles`: one BatchGetItem for up to a hundred items of up to 14 MB together."""
        return get_tiles(self._dynamodb, self._table, owner, places, hidden)

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """See `TileReader.origin_keys`: one query, page after page."""
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": origin_keys_partition(owner.id, owner.epoch)}},
            ConsistentRead=True,
        )
        return (decode_note(bytes(item["note"]["B"])) for item in items)

    def begin(self, owner: OwnerState, holder: str, now_ms: int, until_ms: int) -> Attempt | None:
        """See `TileWriter.begin`: one read, and one transaction."""
        for tried in range(TRIES):
            with refusals():
                lease: Item | None = self._dynamodb.get_item(
                    TableName=self._table, Key=compaction_key(owner.id), ConsistentRead=True
                ).get("Item")
            if lease is not None and int(lease["until_ms"]["N"]) > now_ms and lease["holder"]["S"] != holder:
                return None
            last_version = 0 if lease is None else int(lease["version"]["N"])
            attempt = Attempt(owner, last_version + 1, holder, until_ms)
            writes: list[TransactWriteItemTypeDef] = [
                owner_check(self._table, owner.id, owner.epoch),
                self._lease(attempt, now_ms),
                {"Put": {"TableName": self._table, "Item": begun_order(attempt)}},
            ]
            try:
                self._transact(writes)
            except TransactionConflictError:
                pause_after(tried)
            except TransactionRefusedError as refused:
                if refused.failed(0):
                    raise WriteConflictError from refused
            else:
                return attempt
        raise UnavailableError

    def write(
        self, attempt: Attempt, tiles: Mapping[TileKey, TileContent], origin_keys: Mapping[TileKey, Sequence[int]]
    ) -> None:
        """See `TileWriter.write`: one BatchWriteItem for each 25 items."""
        owner, version = attempt.owner, attempt.version
        put_tiles(self._dynamodb, self._table, owner, version, tiles)
        partition = origin_keys_partition(owner.id, owner.epoch)
        notes: list[Item] = [
            key(partition, version_prefix(version) + note_digest(note)) | {"note": {"B": note}}
            for note in encode_notes(origin_keys)
        ]
        batch_put(self._dynamodb, self._table, notes)

    def commit(
        self, attempt: Attempt, before: Snapshot, after: Snapshot, compacted: Sequence[Compacted], now_ms: int
    ) -> None:
        """See `TileWriter.commit`: one transaction, before it one batch of puts for what is above 380 KB."""
        owner = attempt.owner
        kept = {(place.key, place.version) for place in after.every_tile()}
        replaced = Replaced(
            snapshot_version=before.version,
            tiles=[stored_tile(place) for place in before.every_tile() if (place.key, place.version) not in kept],
            compacted=compacted,
        )
        writes: list[TransactWriteItemTypeDef] = [
            owner_check(self._table, owner.id, owner.epoch),
            self._last_attempt_check(attempt),
            self._snapshot(owner, before, after),
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": begun_order_key(attempt),
                    "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(is_swept)",
                }
            },
            {
                "Put": {
                    "TableName": self._table,
                    "Item": committed_order(self._dynamodb, self._table, attempt, now_ms, replaced),
                }
            },
        ]
        try:
            without_conflict(lambda: self._transact(writes))
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def end(self, attempt: Attempt) -> None:
        """See `TileWriter.end`: one update."""
        with suppress(ConditionRefusedError), refusals():
            self._dynamodb.update_item(
                TableName=self._table,
                Key=compaction_key(attempt.owner.id),
                UpdateExpression="SET until_ms = :over",
                ConditionExpression="version = :version AND holder = :holder",
                ExpressionAttributeValues={
                    ":over": {"N": "0"},
                    ":version": {"N": str(attempt.version)},
                    ":holder": {"S": attempt.holder},
                },
            )

    def _lease(self, attempt: Attempt, now_ms: int) -> "TransactWriteItemTypeDef":
        is_next = "attribute_not_exists(pk)"
        values: Item = {
            ":version": {"N": str(attempt.version)},
            ":holder": {"S": attempt.holder},
            ":until": {"N": str(attempt.until_ms)},
        }
        if attempt.version > 1:
            is_next = "version = :last AND (until_ms <= :now OR holder = :holder)"
            values |= {":last": {"N": str(attempt.version - 1)}, ":now": {"N": str(now_ms)}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": compaction_key(attempt.owner.id),
                "UpdateExpression": "SET version = :version, holder = :holder, until_ms = :until",
                "ConditionExpression": is_next,
                "ExpressionAttributeValues": values,
            }
        }

    def _last_attempt_check(self, attempt: Attempt) -> "TransactWriteItemTypeDef":
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": compaction_key(attempt.owner.id),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(attempt.version)}},
            }
        }

    def _snapshot(self, owner: OwnerState, before: Snapshot, after: Snapshot) -> "TransactWriteItemTypeDef":
        body = encode_snapshot(after)
        numbers: Item = {"epoch": {"N": str(after.epoch)}, "version": {"N": str(after.version)}}
        stored = stored_body(self._dynamodb, self._table, owner, after.version, SNAPSHOT, body)
        values: Item = {":epoch": {"N": str(owner.epoch)}}
        condition = "attribute_not_exists(pk) OR epoch <> :epoch"
        if before.version:
            condition = "epoch = :epoch AND version = :before"
            values[":before"] = {"N": str(before.version)}
        return {
            "Put": {
                "TableName": self._table,
                "Item": snapshot_key(owner.id) | numbers | stored,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        with refusals():
            self._dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=secrets.token_hex(16))
