"""In which items the bytes of tiles stand, of snapshots, and of other things that an item may not hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.engine.dynamodb import BATCH_GET_KEYS, batch_get, batch_get_tables, batch_put
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import attempt_part_prefix, sort_key_part, tile_sort_key, tiles_partition
from chalicelib.log.stores.legacy import key
from chalicelib.tiles.ports import TileMissingError
from chalicelib.tiles.snapshot import TilePlace
from chalicelib.tiles.tile import Tile, TileContent, TileKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PART_BYTES = 380 * 1024
"""An item may have 400 KB with its keys (a limit of DynamoDB). Readers know from its size in how many parts a tile is
stored, so a stage that has tiles must keep this."""
READ_AT_ONCE_BYTES = 14 * 1024 * 1024
"""What is asked for at once, so that it fits into an answer of 16 MB (a limit of DynamoDB)."""

Item = dict[str, Any]


class StoredTile(NamedTuple):
    """What has to be known of a tile to find its items."""

    key: TileKey
    version: int
    shown_bytes: int
    hidden_bytes: int


class _Part(NamedTuple):
    sort_key: str
    size_bytes: int


def put_tiles(
    dynamodb: "DynamoDBClient", table: str, owner: OwnerState, version: int, tiles: Mapping[TileKey, TileContent]
) -> None:
    """Writes tiles of a version, 25 items at once."""
    partition = tiles_partition(owner.id, owner.epoch)
    items: list[Item] = []
    for tile_key, content in tiles.items():
        for is_hidden, body in ((False, content.shown), (True, content.hidden)):
            parts = _parts(version, tile_key, len(body), is_hidden=is_hidden)
            for index, part in enumerate(parts):
                start = index * PART_BYTES
                items.append(key(partition, part.sort_key) | {"body": {"B": body[start : start + PART_BYTES]}})
    batch_put(dynamodb, table, items)


def get_tiles(
    dynamodb: "DynamoDBClient", table: str, owner: OwnerState, places: Sequence[TilePlace], hidden: Iterable[TileKey]
) -> dict[TileKey, Tile]:
    """See `TileReader.tiles`: one BatchGetItem for up to a hundred items of up to 14 MB together.

    They are read eventually consistent, at half the price: what stands under the key of a tile never changes. One that
    is not found, since it was written a moment ago, is asked for once more.
    """
    with_hidden = set(hidden)
    parts = {place.key: _parts(place.version, place.key, place.shown_bytes, is_hidden=False) for place in places}
    hidden_parts = {
        place.key: _parts(place.version, place.key, place.hidden_bytes, is_hidden=True)
        for place in places
        if place.key in with_hidden
    }
    wanted = [part for each in (parts, hidden_parts) for of_tile in each.values() for part in of_tile]
    found: dict[str, bytes] = {}
    partition = tiles_partition(owner.id, owner.epoch)
    for is_consistent in (False, True):
        for group in _groups(part for part in wanted if part.sort_key not in found):
            keys = [key(partition, part.sort_key) for part in group]
            for item in batch_get_tables(dynamodb, {table: keys}, is_consistent=is_consistent)[table]:
                found[item["sk"]["S"]] = bytes(item["body"]["B"])
    if len(found) < len(wanted):
        raise TileMissingError
    return {
        place.key: Tile(TileContent(_joined(parts[place.key], found), _joined(hidden_parts.get(place.key, ()), found)))
        for place in places
    }


def stored_tile(place: TilePlace) -> StoredTile:
    """A tile as it has to be known to remove it."""
    return StoredTile(place.key, place.version, place.shown_bytes, place.hidden_bytes)


def tile_sort_keys(tile: StoredTile) -> Iterator[str]:
    """The sort keys of all items of a tile."""
    for is_hidden, size_bytes in ((False, tile.shown_bytes), (True, tile.hidden_bytes)):
        for part in _parts(tile.version, tile.key, size_bytes, is_hidden=is_hidden):
            yield part.sort_key


def stored_body(
    dynamodb: "DynamoDBClient", table: str, owner: OwnerState, version: int, name: str, body: bytes
) -> Item:
    """The attributes that tell a body, or, when it is above PART_BYTES, in how many parts it was now put."""
    if len(body) <= PART_BYTES:
        return {"body": {"B": body}}
    starts = range(0, len(body), PART_BYTES)
    keys = _body_keys(owner, version, name, len(starts))
    parts = [at | {"body": {"B": body[start : start + PART_BYTES]}} for at, start in zip(keys, starts, strict=True)]
    batch_put(dynamodb, table, parts)
    return {"parts": {"N": str(len(parts))}}


def body_of(
    dynamodb: "DynamoDBClient", table: str, owner: OwnerState, version: int, name: str, item: Item
) -> bytes | None:
    """The body that `stored_body` gave attributes for; None when parts of it are gone."""
    if "body" in item:
        return bytes(item["body"]["B"])
    keys = _body_keys(owner, version, name, int(item["parts"]["N"]))
    found = {part["sk"]["S"]: bytes(part["body"]["B"]) for part in batch_get(dynamodb, table, keys)}
    return b"".join(found[at["sk"]["S"]] for at in keys) if len(found) == len(keys) else None


def _body_keys(owner: OwnerState, version: int, name: str, count: int) -> list[Any]:
    partition, prefix = tiles_partition(owner.id, owner.epoch), attempt_part_prefix(version, name)
    return [key(partition, sort_key_part(prefix, index)) for index in range(count)]


def _parts(version: int, tile_key: TileKey, size_bytes: int, *, is_hidden: bool) -> list[_Part]:
    """The items of what a tile shows or hides: none of nothing, one of what fits into one."""
    sort_key = tile_sort_key(version, tile_key.type, tile_key.day, is_hidden=is_hidden)
    if size_bytes <= PART_BYTES:
        return [_Part(sort_key, size_bytes)] if size_bytes else []
    starts = range(0, size_bytes, PART_BYTES)
    return [
        _Part(sort_key_part(f"{sort_key}#", index), min(PART_BYTES, size_bytes - start))
        for index, start in enumerate(starts)
    ]


def _groups(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    group: list[_Part] = []
    size_bytes = 0
    for part in parts:
        if group and (len(group) == BATCH_GET_KEYS or size_bytes + part.size_bytes > READ_AT_ONCE_BYTES):
            yield group
            group, size_bytes = [], 0
        group.append(part)
        size_bytes += part.size_bytes
    if group:
        yield group


def _joined(parts: Sequence[_Part], found: Mapping[str, bytes]) -> bytes:
    return b"".join(found[part.sort_key] for part in parts)
