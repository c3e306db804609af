"""Items of tiles, and of other bodies that may be too large for one item."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from chalicelib.engine.table import Item, Key, Put, Table
from chalicelib.glucose.reading import GLUCOSE_TYPES
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import key
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.ports import TileMissingError
from chalicelib.tiles.stores.keys import body_prefix, part_sort_key, sums_sort_key, tile_sort_key, tiles_partition
from chalicelib.tiles.tile import Tile, TileContent, TileKey

PART_BYTES = 380 * 1024
"""An item may have 400 KB with its keys (a limit of DynamoDB). Readers compute from its size in how many parts a tile
is stored, so a stage that has tiles must keep this."""
SUMS_BYTES = 4 * 1024
"""About what the hour sums of a tile take."""
READ_AT_ONCE_BYTES = 14 * 1024 * 1024
"""The size of one request, so that its response fits into 16 MB (a limit of DynamoDB)."""


class TileItems(NamedTuple):
    """The numbers that locate the items of a tile."""

    key: TileKey
    version: int
    visible_bytes: int
    shadowed_bytes: int


class _Part(NamedTuple):
    sort_key: str
    size_bytes: int


def put_tiles(data: Table, owner: OwnerState, version: int, tiles: Mapping[TileKey, TileContent]) -> None:
    """Write the tiles of a version: one BatchWriteItem for each 25 items."""
    partition = tiles_partition(owner.id, owner.epoch)
    writes: list[Put] = []
    for tile_key, content in tiles.items():
        for is_shadowed, body in ((False, content.visible), (True, content.shadowed)):
            for index, part in enumerate(_parts(version, tile_key, len(body), is_shadowed=is_shadowed)):
                writes.append(_part_put(key(partition, part.sort_key), body, index))
    data.batch_write(writes)


def get_tiles(
    data: Table, owner: OwnerState, refs: Sequence[TileRef], shadowed: Iterable[TileKey]
) -> dict[TileKey, Tile]:
    """See `TileReader.tiles`: one BatchGetItem for up to a hundred items of up to 14 MB together.

    Reads may lag, at half the price: what is stored under the key of a tile never changes. An item that is not found,
    because it was written a moment ago, is read once more, up to date.
    """
    return get_tiles_and_sums(data, owner, refs, shadowed, ())[0]


def get_tiles_and_sums(
    data: Table,
    owner: OwnerState,
    refs: Sequence[TileRef],
    shadowed: Iterable[TileKey],
    with_sums: Iterable[TileRef],
) -> tuple[dict[TileKey, Tile], dict[TileKey, bytes]]:
    """As `get_tiles`, with the hour sums of some tiles in the same calls. Sums that are not found are left out."""
    shadowed_keys = set(shadowed)
    visible_parts = {ref.key: _parts(ref.version, ref.key, ref.visible_bytes, is_shadowed=False) for ref in refs}
    shadowed_parts = {
        ref.key: _parts(ref.version, ref.key, ref.shadowed_bytes, is_shadowed=True)
        for ref in refs
        if ref.key in shadowed_keys
    }
    sums_keys = {ref.key: sums_sort_key(ref.version, *ref.key) for ref in with_sums}
    wanted = [part for parts in (visible_parts, shadowed_parts) for of_tile in parts.values() for part in of_tile]
    sums = [_Part(sort_key, SUMS_BYTES) for sort_key in sums_keys.values()]
    found: dict[str, bytes] = {}
    partition = tiles_partition(owner.id, owner.epoch)
    for may_lag in (True, False):
        missing = [part for part in wanted if part.sort_key not in found]
        for group in _groups([*missing, *sums] if may_lag else missing):
            items = data.batch_get([key(partition, part.sort_key) for part in group], may_lag=may_lag)
            found |= {item["sk"]: item["body"] for item in items if item is not None}
    if any(part.sort_key not in found for part in wanted):
        raise TileMissingError
    tiles = {
        ref.key: Tile(
            TileContent(_joined(visible_parts[ref.key], found), _joined(shadowed_parts.get(ref.key, ()), found))
        )
        for ref in refs
    }
    return tiles, {tile_key: found[sort_key] for tile_key, sort_key in sums_keys.items() if sort_key in found}


def items_of(ref: TileRef) -> TileItems:
    """The numbers that locate the items of a tile of a manifest."""
    return TileItems(ref.key, ref.version, ref.visible_bytes, ref.shadowed_bytes)


def tile_sort_keys(tile: TileItems) -> Iterator[str]:
    """The sort keys of all items of a tile."""
    for is_shadowed, size_bytes in ((False, tile.visible_bytes), (True, tile.shadowed_bytes)):
        for part in _parts(tile.version, tile.key, size_bytes, is_shadowed=is_shadowed):
            yield part.sort_key


def stored_sort_keys(tile: TileItems) -> Iterator[str]:
    """The sort keys of everything that may be stored of a tile: its items, and its hour sums."""
    yield from tile_sort_keys(tile)
    if tile.key.type in GLUCOSE_TYPES:
        yield sums_sort_key(tile.version, *tile.key)


def put_body(data: Table, owner: OwnerState, version: int, name: str, body: bytes) -> Item:
    """The attributes from which `get_body` returns a body. One above PART_BYTES is written now, in parts: one
    BatchWriteItem for each 25 of them."""
    if len(body) <= PART_BYTES:
        return {"body": body}
    keys = _body_keys(owner, version, name, -(-len(body) // PART_BYTES))
    data.batch_write([_part_put(part_key, body, index) for index, part_key in enumerate(keys)])
    return {"parts": len(keys)}


def get_body(data: Table, owner: OwnerState, version: int, name: str, item: Item) -> bytes | None:
    """The body to which attributes of `put_body` lead, or None if parts of it were swept: no call, or one BatchGetItem
    for each hundred parts."""
    if "body" in item:
        body: bytes = item["body"]
        return body
    bodies = [part["body"] for part in data.batch_get(_body_keys(owner, version, name, item["parts"])) if part]
    return b"".join(bodies) if len(bodies) == item["parts"] else None


def _body_keys(owner: OwnerState, version: int, name: str, count: int) -> list[Key]:
    partition, prefix = tiles_partition(owner.id, owner.epoch), body_prefix(version, name)
    return [key(partition, part_sort_key(prefix, index)) for index in range(count)]


def _part_put(part_key: Key, body: bytes, index: int) -> Put:
    return Put(part_key | {"body": body[index * PART_BYTES : (index + 1) * PART_BYTES]})


def _parts(version: int, tile_key: TileKey, size_bytes: int, *, is_shadowed: bool) -> list[_Part]:
    """The items of the visible or the shadowed records of a tile: none if there are no such records, one if they fit
    into one."""
    sort_key = tile_sort_key(version, tile_key.type, tile_key.day, is_shadowed=is_shadowed)
    if size_bytes <= PART_BYTES:
        return [_Part(sort_key, size_bytes)] if size_bytes else []
    starts = range(0, size_bytes, PART_BYTES)
    return [
        _Part(part_sort_key(f"{sort_key}#", index), min(PART_BYTES, size_bytes - start))
        for index, start in enumerate(starts)
    ]


def _groups(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    group: list[_Part] = []
    size_bytes = 0
    for part in parts:
        if group and size_bytes + part.size_bytes > READ_AT_ONCE_BYTES:
            yield group
            group, size_bytes = [], 0
        group.append(part)
        size_bytes += part.size_bytes
    if group:
        yield group


def _joined(parts: Sequence[_Part], found: Mapping[str, bytes]) -> bytes:
    return b"".join(found[part.sort_key] for part in parts)
