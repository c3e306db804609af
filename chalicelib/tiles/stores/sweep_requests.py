"""Orders to sweep, as items: what an attempt wrote, while it is not committed, and then what it made superfluous."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import json_text
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import sweep_order_id
from chalicelib.log.stores.legacy import sweep_order_key
from chalicelib.tiles.ports import Attempt, Compacted, SweepOrder
from chalicelib.tiles.stores.items import StoredTile, body_of, stored_body
from chalicelib.tiles.tile import TileKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Key = dict[str, AttributeValueTypeDef]

SNAPSHOT = "SNAPSHOT"
"""What the parts of a snapshot are called, and those of an order."""
REPLACED = "REPLACED"
_BEGUN = "begun"
_COMMITTED = "committed"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a commit made superfluous."""

    snapshot_version: int
    """Of the snapshot before; 0 when there was none."""
    tiles: Sequence[StoredTile]
    compacted: Sequence[Compacted]


def begun_order_key(attempt: Attempt) -> "Key":
    """The order that stands until an attempt is committed; it counts from the end of the attempt's time."""
    return sweep_order_key(_order_id(attempt, attempt.until_ms, _BEGUN))


def begun_order(attempt: Attempt) -> Item:
    """The item of that order."""
    return begun_order_key(attempt) | _named(attempt, attempt.until_ms)


def committed_order(dynamodb: "DynamoDBClient", table: str, attempt: Attempt, now_ms: int, replaced: Replaced) -> Item:
    """The item of the order that stands once an attempt is committed. Parts of its body are put now if it needs any."""
    tiles = [[*it.key, it.version, it.shown_bytes, it.hidden_bytes] for it in replaced.tiles]
    compacted = [[it.data_set_id, it.is_continuous, it.through] for it in replaced.compacted]
    body = zlib.compress(json_text.encode([replaced.snapshot_version, tiles, compacted]))
    return {
        **sweep_order_key(_order_id(attempt, now_ms, _COMMITTED)),
        **_named(attempt, now_ms),
        "is_committed": {"BOOL": True},
        **stored_body(dynamodb, table, attempt.owner, attempt.version, REPLACED, body),
    }


def order_from_item(item: Item) -> SweepOrder:
    """The order that an item holds."""
    return SweepOrder(
        id=item["sk"]["S"],
        time_ms=int(item["time_ms"]["N"]),
        owner_id=item["owner_id"]["S"],
        epoch=int(item["epoch"]["N"]),
        version=int(item["version"]["N"]),
    )


def replaced_from_item(dynamodb: "DynamoDBClient", table: str, item: Item) -> Replaced | None:
    """What the order of a committed attempt names; None when it was carried out and only not forgotten."""
    order = order_from_item(item)
    owner = OwnerState(order.owner_id, order.epoch)
    body = body_of(dynamodb, table, owner, order.version, REPLACED, item)
    if body is None:
        return None
    snapshot_version, tiles, compacted = json_text.decode(zlib.decompress(body))
    return Replaced(
        snapshot_version,
        [StoredTile(TileKey(name, day), *numbers) for name, day, *numbers in tiles],
        [Compacted(*each) for each in compacted],
    )


def _named(attempt: Attempt, time_ms: int) -> Item:
    return {
        "time_ms": {"N": str(time_ms)},
        "owner_id": {"S": attempt.owner.id},
        "epoch": {"N": str(attempt.owner.epoch)},
        "version": {"N": str(attempt.version)},
    }


def _order_id(attempt: Attempt, time_ms: int, kind: str) -> str:
    return sweep_order_id(time_ms, attempt.owner.id, attempt.owner.epoch, attempt.version, kind)
