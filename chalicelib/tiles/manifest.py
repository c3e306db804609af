"""The manifest of a user: the live tiles, and the position up to which each log is in tiles.

A manifest and the tiles that it names never change. Compaction writes new tiles beside the old ones and then replaces
the manifest in one step, so a manifest always fits the tiles that it names. See docs/adr/0005.

The bytes of a manifest have the tiles of each type in chunks by day. A reader decodes the chunks of the days that it
reads, so a read of one day costs the same however many years there are:

    format (1 byte) | length of the header (4) | header, deflated JSON | chunks, each deflated JSON
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, steps
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.frozen import frozen
from chalicelib.tiles.tile import TileKey, TileStats

FORMAT = 2
WHOLE_FORMAT = 1
"""The format of earlier versions: one stream for everything."""
CHUNK_TILES = 128
_LENGTH_BYTES = 4
_HEADER_AT = 1 + _LENGTH_BYTES
_DEFLATE_LEVEL = 6


class LogPosition(NamedTuple):
    """The position up to which a data set's log is in tiles."""

    last_number: int
    """The number of the last entry in tiles; all entries before it are in tiles, too."""
    fingerprint: str
    """The fingerprint of the data set's state when they were folded (`fold_fingerprints`)."""
    is_whole: bool
    """True if this is the whole log: the data set is closed, and no more entries will follow."""


class TileRef(NamedTuple):
    """A reference to a tile: its key, version, sizes and stats."""

    key: TileKey
    version: int
    """The version of the manifest that the tile was written for."""
    visible_bytes: int
    shadowed_bytes: int
    stats: TileStats


@frozen
class TileColumns:
    """Tiles of one type, as columns, by day."""

    days: Sequence[int]
    columns: Sequence[Sequence[int]]
    """Versions, visible bytes, shadowed bytes, flags, and indexes in `owners`."""
    owners: Sequence[tuple[str, ...]]
    """The sets of data sets whose records are in tiles."""

    def ref(self, name: str, index: int) -> TileRef:
        """One of the tiles, given the name of their type."""
        version, visible_bytes, shadowed_bytes, flags, owner = (column[index] for column in self.columns)
        stats = TileStats(self.owners[owner], bool(flags & 1), bool(flags & 2), bool(flags & 4))
        return TileRef(TileKey(name, self.days[index]), version, visible_bytes, shadowed_bytes, stats)


class Chunk:
    """Tiles of one type on successive days, which are decoded when they are first asked for."""

    def __init__(self, first_day: int, last_day: int, decode: Callable[[], TileColumns]) -> None:
        self.first_day = first_day
        self.last_day = last_day
        self._decode = decode

    @cached_property
    def tiles(self) -> TileColumns:
        """The tiles."""
        return self._decode()


@frozen
class TypeTiles:
    """The tiles of one type, by day."""

    name: str
    chunks: Sequence[Chunk] = ()

    def between(self, first_day: int | None, last_day: int | None, *, newest_first: bool = False) -> Iterator[TileRef]:
        """The tiles of these days, both included, one by one; None means no limit."""
        for chunk in reversed(self.chunks) if newest_first else self.chunks:
            if (last_day is not None and chunk.first_day > last_day) or (
                first_day is not None and chunk.last_day < first_day
            ):
                continue
            days = chunk.tiles.days
            start = 0 if first_day is None else bisect_left(days, first_day)
            stop = len(days) if last_day is None else bisect_right(days, last_day)
            indexes = range(start, stop)
            for index in reversed(indexes) if newest_first else indexes:
                yield chunk.tiles.ref(self.name, index)

    def on(self, day: int) -> TileRef | None:
        """The tile of a day."""
        return next(self.between(day, day), None)


@frozen
class Manifest:
    """The live tiles of a user. Before the first compaction, the manifest is empty and has version 0."""

    epoch: int = 0
    version: int = 0
    logs: Mapping[str, LogPosition] = field(default_factory=dict)
    """By data set."""
    tiles: Mapping[str, TypeTiles] = field(default_factory=dict)
    """By type."""
    has_newest: bool = field(default=False, compare=False)
    """True if its newest records are stored beside it (`newest.py`), as they are since manifests have chunks."""

    def position(self, data_set_id: str) -> int:
        """The last entry of a data set that is in tiles; 0 if none is."""
        log = self.logs.get(data_set_id)
        return 0 if log is None else log.last_number

    def has_whole_log(self, data_set_id: str) -> bool:
        """Whether a data set is closed and all its entries are in tiles."""
        log = self.logs.get(data_set_id)
        return log is not None and log.is_whole

    def positions(self) -> dict[str, int]:
        """For each data set in tiles, the last entry that is."""
        return {data_set_id: log.last_number for data_set_id, log in self.logs.items()}

    def tile_refs(self) -> Iterator[TileRef]:
        """All tiles, by type and day."""
        return (ref for of_type in self.tiles.values() for ref in of_type.between(None, None))

    def tile(self, key: TileKey) -> TileRef | None:
        """The tile of a type and day."""
        of_type = self.tiles.get(key.type)
        return None if of_type is None else of_type.on(key.day)


def followed_by(
    before: Manifest, version: int, logs: Mapping[str, LogPosition], changes: Mapping[TileKey, TileRef | None]
) -> Manifest:
    """The manifest after a compaction.

    Args:
        changes: the tiles that the compaction wrote; None for a tile that holds no record any more.
    """
    tiles = dict(before.tiles)
    for name in {key.type for key in changes}:
        of_type = {ref.key: ref for ref in tiles[name].between(None, None)} if name in tiles else {}
        of_type |= {key: ref for key, ref in changes.items() if key.type == name and ref is not None}
        kept = [of_type[key] for key in sorted(of_type) if changes.get(key, of_type[key]) is not None]
        tiles[name] = _type_tiles(name, kept)
        if not kept:
            del tiles[name]
    return replace(before, version=version, logs=logs, tiles=tiles, has_newest=True)


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest, without epoch and version."""
    owners: dict[tuple[str, ...], int] = {}
    headers: dict[str, list[list[int]]] = {}
    bodies: list[bytes] = []
    for name in sorted(manifest.tiles):  # as JSON sorts them: the header names the chunks in their order
        refs = list(manifest.tiles[name].between(None, None))
        headers[name] = []
        for start in range(0, len(refs), CHUNK_TILES):
            of_chunk = refs[start : start + CHUNK_TILES]
            body = deflate(json_text.encode(_encode_chunk(of_chunk, owners)), _DEFLATE_LEVEL)
            bodies.append(body)
            headers[name].append([of_chunk[0].key.day, of_chunk[-1].key.day, len(body)])
    header = {
        "applied": {data_set_id: list(log) for data_set_id, log in manifest.logs.items()},
        "owners": list(owners),
        "tiles": headers,
    }
    deflated = deflate(json_text.encode(header), _DEFLATE_LEVEL)
    return b"".join([bytes([FORMAT]), len(deflated).to_bytes(_LENGTH_BYTES, "big"), deflated, *bodies])


def decode_manifest(data: bytes, epoch: int, version: int) -> Manifest:
    """The manifest that `encode_manifest` wrote, now or in an earlier version.

    Raises:
        ValueError: the format is unknown.
    """
    if data[0] == WHOLE_FORMAT:
        body: Mapping[str, Any] = json_text.decode(inflate(data[1:]))
        tiles = {name: _whole_type(name, stored) for name, stored in body["tiles"].items()}
        return Manifest(epoch, version, _log_positions(body), tiles)
    if data[0] != FORMAT:
        raise ValueError(f"manifest of unknown format {data[0]}")
    chunks_at = _HEADER_AT + int.from_bytes(data[1:_HEADER_AT], "big")
    header: Mapping[str, Any] = json_text.decode(inflate(data[_HEADER_AT:chunks_at]))
    owners = [tuple(ids) for ids in header["owners"]]
    tiles = {}
    for name, of_type in header["tiles"].items():
        chunks = []
        for first_day, last_day, size_bytes in of_type:
            decode = partial(_decode_chunk, data[chunks_at : chunks_at + size_bytes], owners)
            chunks.append(Chunk(first_day, last_day, decode))
            chunks_at += size_bytes
        tiles[name] = TypeTiles(name, chunks)
    return Manifest(epoch, version, _log_positions(header), tiles, has_newest=True)


def _log_positions(stored: Mapping[str, Any]) -> dict[str, LogPosition]:
    return {data_set_id: LogPosition(*values) for data_set_id, values in stored["applied"].items()}


def _encode_chunk(refs: Sequence[TileRef], owners: dict[tuple[str, ...], int]) -> dict[str, Any]:
    """A chunk as JSON values; sets of data sets that are not in `owners` yet are added there."""
    columns = (
        [ref.version for ref in refs],
        [ref.visible_bytes for ref in refs],
        [ref.shadowed_bytes for ref in refs],
        [_pack_flags(ref.stats) for ref in refs],
        [owners.setdefault(ref.stats.data_set_ids, len(owners)) for ref in refs],
    )
    return {"days": steps([ref.key.day for ref in refs]), "columns": columns}


def _decode_chunk(deflated: bytes, owners: Sequence[tuple[str, ...]]) -> TileColumns:
    stored = json_text.decode(inflate(deflated))
    return TileColumns(from_steps(stored["days"]), stored["columns"], owners)


def _whole_type(name: str, stored: Mapping[str, Any]) -> TypeTiles:
    """The tiles of a type in the earlier format."""
    days, owners = from_steps(stored["days"]), [tuple(ids) for ids in stored["owners"]]
    return TypeTiles(name, [Chunk(days[0], days[-1], lambda: TileColumns(days, stored["columns"], owners))])


def _type_tiles(name: str, refs: Sequence[TileRef]) -> TypeTiles:
    owners = {ids: index for index, ids in enumerate(dict.fromkeys(ref.stats.data_set_ids for ref in refs))}
    columns = (
        [ref.version for ref in refs],
        [ref.visible_bytes for ref in refs],
        [ref.shadowed_bytes for ref in refs],
        [_pack_flags(ref.stats) for ref in refs],
        [owners[ref.stats.data_set_ids] for ref in refs],
    )
    tiles = TileColumns([ref.key.day for ref in refs], columns, list(owners))
    return TypeTiles(name, [Chunk(tiles.days[0], tiles.days[-1], lambda: tiles)] if refs else [])


def _pack_flags(stats: TileStats) -> int:
    return stats.has_visible | stats.has_carelink << 1 | stats.has_medtronic << 2
