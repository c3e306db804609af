"""Sweeping in DynamoDB: the orders stand in one partition, by time, and are forgotten last, so that one that stopped
half-way is carried out again."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.engine.dynamodb import ConditionRefusedError, batch_delete, client, query_pages, refusals
from chalicelib.log.stores.keys import (
    LAST_NUMBER,
    attempt_part_prefix,
    entry_number,
    log_of,
    origin_keys_partition,
    parts_partition,
    sweep_orders_partition,
    tiles_partition,
    version_prefix,
)
from chalicelib.log.stores.legacy import key, snapshot_key, sweep_order_key
from chalicelib.tiles.ports import Compacted, SweepOrder
from chalicelib.tiles.snapshot import Snapshot
from chalicelib.tiles.stores.items import stored_tile, tile_sort_keys
from chalicelib.tiles.stores.sweep_requests import REPLACED, SNAPSHOT, order_from_item, replaced_from_item
from chalicelib.tiles.stores.tiles import DynamoTiles

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


class DynamoSweeping:
    """The port `Sweeping` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table
        self._tiles = DynamoTiles(settings)

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def orders(self, before_ms: int) -> Iterator[SweepOrder]:
        """See `Sweeping.orders`: one query, page after page."""
        items = self._query(sweep_orders_partition(), "sk < :sk", {":sk": f"{before_ms:013d}"})
        return (order_from_item(item) for item in items)

    def sweep(self, order: SweepOrder) -> int:
        """See `Sweeping.sweep`: some reads, and one BatchWriteItem for each 25 items that are removed."""
        with refusals():
            item: Item | None = self._dynamodb.get_item(
                TableName=self._table, Key=sweep_order_key(order.id), ConsistentRead=True
            ).get("Item")
        if item is None:
            return 0
        removed = self._sweep_replaced(order, item) if "is_committed" in item else self._sweep_attempt(order)
        with refusals():
            self._dynamodb.delete_item(TableName=self._table, Key=sweep_order_key(order.id))
        return removed

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """See `Sweeping.remove_epoch`: two queries, and the deletes."""
        for partition in (tiles_partition(owner_id, epoch), origin_keys_partition(owner_id, epoch)):
            self._delete(partition, self._sort_keys(partition))
        with suppress(ConditionRefusedError), refusals():
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=snapshot_key(owner_id),
                ConditionExpression="epoch <= :epoch",
                ExpressionAttributeValues={":epoch": {"N": str(epoch)}},
            )

    def _sweep_attempt(self, order: SweepOrder) -> int:
        """Removes what an attempt wrote that cannot be committed from now on."""
        try:
            with refusals():
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=sweep_order_key(order.id),
                    UpdateExpression="SET is_swept = :swept",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":swept": {"BOOL": True}},
                )
        except ConditionRefusedError:  # committed a moment ago
            return 0
        notes = origin_keys_partition(order.owner_id, order.epoch)
        self._delete(notes, self._sort_keys(notes, version_prefix(order.version)))
        return self._sweep_version(order, self._current(order))

    def _sweep_replaced(self, order: SweepOrder, item: Item) -> int:
        """Removes what a committed attempt made superfluous, and of its own what its snapshot does not name."""
        replaced = replaced_from_item(self._dynamodb, self._table, item)
        if replaced is None:
            return 0
        current = self._current(order)
        named = {(place.key, place.version) for place in current.every_tile()}
        tiles = [tile for tile in replaced.tiles if (tile.key, tile.version) not in named]
        partition = tiles_partition(order.owner_id, order.epoch)
        self._delete(partition, [sort_key for tile in tiles for sort_key in tile_sort_keys(tile)])
        snapshot_parts = attempt_part_prefix(replaced.snapshot_version, SNAPSHOT)
        self._delete(partition, self._sort_keys(partition, snapshot_parts))
        removed = len(tiles)
        if current.version == order.version:
            removed += self._sweep_version(order, current)
        for compacted in replaced.compacted:
            removed += self._sweep_entries(order, compacted)
            self._sweep_bodies(order, compacted)
        # Last of all: without them nobody knows what there was to do.
        self._delete(partition, self._sort_keys(partition, attempt_part_prefix(order.version, REPLACED)))
        return removed

    def _current(self, order: SweepOrder) -> Snapshot:
        """The snapshot that nothing may be taken from; an empty one when the order's epoch is over."""
        _, current = self._tiles.current(order.owner_id)
        return current if current.epoch == order.epoch else Snapshot(epoch=order.epoch)

    def _sweep_version(self, order: SweepOrder, current: Snapshot) -> int:
        """Removes what an attempt wrote and the current snapshot does not name; how many tiles that were."""
        partition = tiles_partition(order.owner_id, order.epoch)
        of_version = (place for place in current.every_tile() if place.version == order.version)
        kept = {sort_key for place in of_version for sort_key in tile_sort_keys(stored_tile(place))}
        is_current = current.version == order.version
        kept_parts = tuple(attempt_part_prefix(order.version, name) for name in (SNAPSHOT, REPLACED) if is_current)
        strays = [
            sort_key
            for sort_key in self._sort_keys(partition, version_prefix(order.version))
            if sort_key not in kept and not sort_key.startswith(kept_parts)
        ]
        self._delete(partition, strays)
        return len({tuple(sort_key.split("#")[:3]) for sort_key in strays if "#=" not in sort_key})

    def _sweep_entries(self, order: SweepOrder, compacted: Compacted) -> int:
        partition, prefix = self._log_of(order, compacted)
        first, last = (prefix + entry_number(number) for number in (0, compacted.through))
        entries = self._query(partition, "sk BETWEEN :first AND :last", {":first": first, ":last": last}, "sk")
        sort_keys = [item["sk"]["S"] for item in entries]
        self._delete(partition, sort_keys)
        return len(sort_keys)

    def _sweep_bodies(self, order: SweepOrder, compacted: Compacted) -> None:
        """Removes parts of bodies that no entry names: those of the entries that went, and those of requests that died
        before they had committed one. Parts that were put before the order are of no request that still runs."""
        bodies = parts_partition(compacted.data_set_id)
        before = {":sk": f"{order.time_ms:013d}"}
        parts = [item["sk"]["S"] for item in self._query(bodies, "sk < :sk", before, "sk")]
        if not parts:
            return
        partition, prefix = self._log_of(order, compacted)
        first, last = (prefix + entry_number(number) for number in (compacted.through + 1, LAST_NUMBER))
        left = self._query(partition, "sk BETWEEN :first AND :last", {":first": first, ":last": last}, "sk, staged")
        named = {item["staged"]["S"] for item in left if "staged" in item}
        self._delete(bodies, [part for part in parts if part.rpartition("#")[0] not in named])

    def _log_of(self, order: SweepOrder, compacted: Compacted) -> tuple[str, str]:
        return log_of(order.owner_id, order.epoch, compacted.data_set_id, is_continuous=compacted.is_continuous)

    def _sort_keys(self, partition: str, prefix: str = "") -> list[str]:
        """The sort keys of a partition that begin so."""
        condition, values = ("begins_with(sk, :sk)", {":sk": prefix}) if prefix else ("", {})
        return [item["sk"]["S"] for item in self._query(partition, condition, values, "sk")]

    def _query(
        self, partition: str, condition: str, values: dict[str, str], projection: str | None = None
    ) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"pk = :pk AND {condition}" if condition else "pk = :pk",
            "ExpressionAttributeValues": {name: {"S": value} for name, value in {":pk": partition, **values}.items()},
            "ConsistentRead": True,
        }
        if projection is not None:
            request["ProjectionExpression"] = projection
        return query_pages(self._dynamodb, **request)

    def _delete(self, partition: str, sort_keys: list[str]) -> None:
        batch_delete(self._dynamodb, self._table, [key(partition, sort_key) for sort_key in sort_keys])
