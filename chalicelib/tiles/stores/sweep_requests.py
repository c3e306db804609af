"""Sweep requests as items. Until an attempt is committed, its request names what the attempt wrote; afterwards, what
the attempt made obsolete."""

import zlib
from collections.abc import Sequence

from chalicelib import json_text
from chalicelib.engine.table import Item, Key, Table
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.tiles.ports import CompactedRange, CompactionLease, SweepRequest
from chalicelib.tiles.stores.items import TileItems, get_body, put_body
from chalicelib.tiles.stores.keys import REPLACED, sweep_request_id, sweep_request_key
from chalicelib.tiles.tile import TileKey

_BEGUN = "begun"
_COMMITTED = "committed"


@frozen
class ReplacedItems:
    """The items that a commit made obsolete."""

    manifest_version: int
    """The version of the manifest before it; 0 if there was none."""
    tiles: Sequence[TileItems]
    compacted: Sequence[CompactedRange]


def begun_request_key(lease: CompactionLease) -> Key:
    """The key of the request that is stored until an attempt is committed. Its time is the end of the lease."""
    return sweep_request_key(_request_id(lease, lease.until_ms, _BEGUN))


def begun_request_item(lease: CompactionLease) -> Item:
    """The item of that request."""
    return begun_request_key(lease) | _attributes(lease, lease.until_ms)


def committed_request_item(data: Table, lease: CompactionLease, now_ms: int, replaced: ReplacedItems) -> Item:
    """The item of the request that is stored once an attempt is committed. A body that needs parts is written now."""
    tiles = [[*ref.key, ref.version, ref.visible_bytes, ref.shadowed_bytes] for ref in replaced.tiles]
    compacted = [[log.data_set_id, log.is_continuous, log.last_number] for log in replaced.compacted]
    body = zlib.compress(json_text.encode([replaced.manifest_version, tiles, compacted]))
    return {
        **sweep_request_key(_request_id(lease, now_ms, _COMMITTED)),
        **_attributes(lease, now_ms),
        "is_committed": True,
        **put_body(data, lease.owner, lease.fencing_token, REPLACED, body),
    }


def request_from_item(item: Item) -> SweepRequest:
    """The sweep request of an item."""
    return SweepRequest(
        id=item["sk"],
        time_ms=item["time_ms"],
        owner_id=item["owner_id"],
        epoch=item["epoch"],
        version=item["version"],
    )


def replaced_from_item(data: Table, item: Item) -> ReplacedItems | None:
    """The items that the request of a committed attempt names; None if it was carried out and only its item is left."""
    request = request_from_item(item)
    body = get_body(data, OwnerState(request.owner_id, request.epoch), request.version, REPLACED, item)
    if body is None:
        return None
    manifest_version, tiles, compacted = json_text.decode(zlib.decompress(body))
    return ReplacedItems(
        manifest_version,
        [TileItems(TileKey(name, day), *numbers) for name, day, *numbers in tiles],
        [CompactedRange(*values) for values in compacted],
    )


def _attributes(lease: CompactionLease, time_ms: int) -> Item:
    return {
        "time_ms": time_ms,
        "owner_id": lease.owner.id,
        "epoch": lease.owner.epoch,
        "version": lease.fencing_token,
    }


def _request_id(lease: CompactionLease, time_ms: int, kind: str) -> str:
    return sweep_request_id(time_ms, lease.owner.id, lease.owner.epoch, lease.fencing_token, kind)
