"""A snapshot of what a user can see: up to which entry each log is in tiles, and which tiles there are.

A snapshot and the tiles that it names never change. Compaction writes new tiles beside the old ones and then puts a new
snapshot in the place of the old one, in one step; so a reader that has a snapshot has everything that belongs to it.
See docs/adr/0005.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, steps
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.tiles.tile import TileKey, TileTraits

FORMAT = 1
_DEFLATE_LEVEL = 6


class Applied(NamedTuple):
    """How much of a data set's log is in tiles: all entries up to `through`, folded in a state of the data set."""

    through: int
    state: str
    is_whole: bool
    """Whether that is the whole log: it is closed, and there is no need to look for more."""


class TilePlace(NamedTuple):
    """A tile of a snapshot: where its bytes are, and what is known of it."""

    key: TileKey
    version: int
    """Of the snapshot that it was written for."""
    shown_bytes: int
    hidden_bytes: int
    traits: TileTraits


@dataclass(frozen=True, slots=True)
class TypeTiles:
    """The tiles of one type, as columns, by day."""

    name: str
    days: Sequence[int] = ()
    columns: Sequence[Sequence[int]] = ((), (), (), (), ())
    """Versions, shown bytes, hidden bytes, flags, and places in `owners`."""
    owners: Sequence[tuple[str, ...]] = ()
    """The sets of data sets that tiles are of."""

    def between(
        self, first_day: int | None, last_day: int | None, *, newest_first: bool = False
    ) -> Iterator[TilePlace]:
        """The tiles of these days, both included, one by one; None is no limit."""
        start = 0 if first_day is None else bisect_left(self.days, first_day)
        stop = len(self.days) if last_day is None else bisect_right(self.days, last_day)
        indexes = range(start, stop)
        return (self._place(index) for index in (reversed(indexes) if newest_first else indexes))

    def on(self, day: int) -> TilePlace | None:
        """The tile of a day."""
        index = bisect_left(self.days, day)
        return self._place(index) if index < len(self.days) and self.days[index] == day else None

    def _place(self, index: int) -> TilePlace:
        version, shown_bytes, hidden_bytes, flags, owner = (column[index] for column in self.columns)
        traits = TileTraits(self.owners[owner], bool(flags & 1), bool(flags & 2), bool(flags & 4))
        return TilePlace(TileKey(self.name, self.days[index]), version, shown_bytes, hidden_bytes, traits)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the tiles of a user hold. The first one, before any compaction, is empty and has the version 0."""

    epoch: int = 0
    version: int = 0
    applied: Mapping[str, Applied] = field(default_factory=dict)
    """By data set."""
    tiles: Mapping[str, TypeTiles] = field(default_factory=dict)
    """By type."""

    def through(self, data_set_id: str) -> int:
        """The last entry of a data set that is in tiles; 0 when none is."""
        applied = self.applied.get(data_set_id)
        return 0 if applied is None else applied.through

    def has_whole_log(self, data_set_id: str) -> bool:
        """Whether a data set is closed and all that was ever added to it is in tiles."""
        applied = self.applied.get(data_set_id)
        return applied is not None and applied.is_whole

    def throughs(self) -> dict[str, int]:
        """For each data set in tiles, the last entry that is."""
        return {data_set_id: applied.through for data_set_id, applied in self.applied.items()}

    def every_tile(self) -> Iterator[TilePlace]:
        """All tiles, by type."""
        return (place for of_type in self.tiles.values() for place in of_type.between(None, None))

    def tile(self, key: TileKey) -> TilePlace | None:
        """The tile of a type and day."""
        of_type = self.tiles.get(key.type)
        return None if of_type is None else of_type.on(key.day)


def followed_by(
    before: Snapshot, version: int, applied: Mapping[str, Applied], changes: Mapping[TileKey, TilePlace | None]
) -> Snapshot:
    """The snapshot after a compaction: tiles that it wrote, and (None) those that hold nothing any more."""
    tiles = dict(before.tiles)
    for name in {key.type for key in changes}:
        of_type = {place.key: place for place in tiles[name].between(None, None)} if name in tiles else {}
        for key, place in changes.items():
            if key.type != name:
                continue
            if place is None:
                of_type.pop(key, None)
            else:
                of_type[key] = place
        tiles[name] = _type_tiles(name, [of_type[key] for key in sorted(of_type)])
        if not tiles[name].days:
            del tiles[name]
    return replace(before, version=version, applied=applied, tiles=tiles)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot, without epoch and version."""
    body = {
        "applied": {data_set_id: list(applied) for data_set_id, applied in snapshot.applied.items()},
        "tiles": {
            name: {"days": steps(it.days), "columns": it.columns, "owners": it.owners}
            for name, it in snapshot.tiles.items()
        },
    }
    return bytes([FORMAT]) + deflate(json_text.encode(body), _DEFLATE_LEVEL)


def decode_snapshot(data: bytes, epoch: int, version: int) -> Snapshot:
    """The snapshot that `encode_snapshot` wrote."""
    if data[0] != FORMAT:
        raise ValueError(f"snapshot of unknown format {data[0]}")
    body: Mapping[str, Any] = json_text.decode(inflate(data[1:]))
    return Snapshot(
        epoch=epoch,
        version=version,
        applied={data_set_id: Applied(*applied) for data_set_id, applied in body["applied"].items()},
        tiles={
            name: TypeTiles(name, from_steps(it["days"]), it["columns"], [tuple(ids) for ids in it["owners"]])
            for name, it in body["tiles"].items()
        },
    )


def _type_tiles(name: str, places: Sequence[TilePlace]) -> TypeTiles:
    owners = {ids: index for index, ids in enumerate(dict.fromkeys(it.traits.data_set_ids for it in places))}
    return TypeTiles(
        name=name,
        days=[it.key.day for it in places],
        columns=(
            [it.version for it in places],
            [it.shown_bytes for it in places],
            [it.hidden_bytes for it in places],
            [_flags(it.traits) for it in places],
            [owners[it.traits.data_set_ids] for it in places],
        ),
        owners=list(owners),
    )


def _flags(traits: TileTraits) -> int:
    return traits.is_shown | traits.has_carelink << 1 | traits.has_medtronic << 2
