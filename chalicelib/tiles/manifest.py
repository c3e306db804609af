"""The manifest of a user: the live tiles, and the position up to which each log is in tiles.

A manifest and the tiles that it names never change. Compaction writes new tiles beside the old ones and then replaces
the manifest in one step, so a manifest always fits the tiles that it names. See docs/adr/0005.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, steps
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.frozen import frozen
from chalicelib.tiles.tile import TileKey, TileStats

FORMAT = 1
_DEFLATE_LEVEL = 6


class LogPosition(NamedTuple):
    """The position up to which a data set's log is in tiles."""

    last_number: int
    """The number of the last entry in tiles; all entries before it are in tiles, too."""
    fingerprint: str
    """The fingerprint of the data set's state when they were folded (`fold_fingerprints`)."""
    is_whole: bool
    """Whether this is the whole log: the data set is closed, and no more entries will follow."""


class TileRef(NamedTuple):
    """A reference to a tile: its key, version, sizes and stats."""

    key: TileKey
    version: int
    """The version of the manifest that the tile was written for."""
    visible_bytes: int
    shadowed_bytes: int
    stats: TileStats


@frozen
class TypeTiles:
    """The tiles of one type, as columns, by day."""

    name: str
    days: Sequence[int] = ()
    columns: Sequence[Sequence[int]] = ((), (), (), (), ())
    """Versions, visible bytes, shadowed bytes, flags, and indexes in `owners`."""
    owners: Sequence[tuple[str, ...]] = ()
    """The sets of data sets whose records are in tiles."""

    def between(self, first_day: int | None, last_day: int | None, *, newest_first: bool = False) -> Iterator[TileRef]:
        """The tiles of these days, both included, one by one; None is no limit."""
        start = 0 if first_day is None else bisect_left(self.days, first_day)
        stop = len(self.days) if last_day is None else bisect_right(self.days, last_day)
        indexes = range(start, stop)
        return (self._ref(index) for index in (reversed(indexes) if newest_first else indexes))

    def on(self, day: int) -> TileRef | None:
        """The tile of a day."""
        index = bisect_left(self.days, day)
        return self._ref(index) if index < len(self.days) and self.days[index] == day else None

    def _ref(self, index: int) -> TileRef:
        version, visible_bytes, shadowed_bytes, flags, owner = (column[index] for column in self.columns)
        stats = TileStats(self.owners[owner], bool(flags & 1), bool(flags & 2), bool(flags & 4))
        return TileRef(TileKey(self.name, self.days[index]), version, visible_bytes, shadowed_bytes, stats)


@frozen
class Manifest:
    """The live tiles of a user. Before the first compaction, the manifest is empty and has version 0."""

    epoch: int = 0
    version: int = 0
    logs: Mapping[str, LogPosition] = field(default_factory=dict)
    """By data set."""
    tiles: Mapping[str, TypeTiles] = field(default_factory=dict)
    """By type."""

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
    return replace(before, version=version, logs=logs, tiles=tiles)


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest, without epoch and version."""
    body = {
        "applied": {data_set_id: list(log) for data_set_id, log in manifest.logs.items()},
        "tiles": {
            name: {"days": steps(of_type.days), "columns": of_type.columns, "owners": of_type.owners}
            for name, of_type in manifest.tiles.items()
        },
    }
    return bytes([FORMAT]) + deflate(json_text.encode(body), _DEFLATE_LEVEL)


def decode_manifest(data: bytes, epoch: int, version: int) -> Manifest:
    """The manifest that `encode_manifest` wrote.

    Raises:
        ValueError: the format is unknown.
    """
    if data[0] != FORMAT:
        raise ValueError(f"manifest of unknown format {data[0]}")
    body: Mapping[str, Any] = json_text.decode(inflate(data[1:]))
    return Manifest(
        epoch=epoch,
        version=version,
        logs={data_set_id: LogPosition(*values) for data_set_id, values in body["applied"].items()},
        tiles=_StoredTypes(body["tiles"]),
    )


class _StoredTypes(Mapping[str, TypeTiles]):
    """The tiles of each type, which are made when they are first asked for: most requests are for few types."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self._stored = stored
        self._made: dict[str, TypeTiles] = {}

    def __getitem__(self, name: str) -> TypeTiles:
        made = self._made.get(name)
        if made is None:
            of_type = self._stored[name]
            owners = [tuple(ids) for ids in of_type["owners"]]
            made = self._made[name] = TypeTiles(name, from_steps(of_type["days"]), of_type["columns"], owners)
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def _type_tiles(name: str, refs: Sequence[TileRef]) -> TypeTiles:
    owners = {ids: index for index, ids in enumerate(dict.fromkeys(ref.stats.data_set_ids for ref in refs))}
    return TypeTiles(
        name=name,
        days=[ref.key.day for ref in refs],
        columns=(
            [ref.version for ref in refs],
            [ref.visible_bytes for ref in refs],
            [ref.shadowed_bytes for ref in refs],
            [_pack_flags(ref.stats) for ref in refs],
            [owners[ref.stats.data_set_ids] for ref in refs],
        ),
        owners=list(owners),
    )


def _pack_flags(stats: TileStats) -> int:
    return stats.has_visible | stats.has_carelink << 1 | stats.has_medtronic << 2
