"""What a user sees of some tiles together with the tail: tiles that nothing has happened to as they are, the others
folded with the entries that are not in tiles yet."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.encoding.gzip_splice import DeflatedLines
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry, EntryKind, read_records
from chalicelib.log.fold import VisibleData, fold_fingerprints, visible
from chalicelib.log.fold_forward import LOOKED_UP_TYPES
from chalicelib.log.fold_steps import Prefix, RecordSlice
from chalicelib.log.records import Records
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN_OLDER
from chalicelib.tiles.ports import TileReader
from chalicelib.tiles.snapshot import Snapshot, TilePlace
from chalicelib.tiles.tail import Touched, named_tiles, touched_by
from chalicelib.tiles.tile import Tile, TileKey, origin_key


@dataclass(frozen=True, slots=True)
class Seen:
    """What is visible of some tiles, and of the tail wherever it is."""

    whole: Mapping[TileKey, DeflatedLines]
    """Tiles of which all records are visible and no others belong there."""
    data: Sequence[VisibleData]
    """Everything else, in the order of the data sets given."""


class TileView:
    """The tiles of a user as one request sees them.

    Args:
        data_sets: all of the owner's epoch, oldest first.
        entries: those that are not in tiles, of all data sets that matter to the request.
    """

    def __init__(
        self,
        owner: OwnerState,
        snapshot: Snapshot,
        data_sets: Sequence[DataSet],
        entries: Sequence[Entry],
        tiles: TileReader,
    ) -> None:
        self.snapshot = snapshot
        self._owner = owner
        self._data_sets = data_sets
        self._entries = entries
        self._tiles = tiles

    @cached_property
    def _continuous(self) -> Mapping[str, DataSet]:
        return {data_set.id: data_set for data_set in self._data_sets if data_set.is_continuous}

    @cached_property
    def touched(self) -> Touched:
        """What the tail has to do with tiles."""
        in_part = {data_set.id for data_set in self._data_sets if self.snapshot.through(data_set.id)}
        return touched_by(self._entries, self._continuous.keys() | in_part)

    @cached_property
    def _changed_ids(self) -> set[str]:
        """Data sets in tiles that are folded otherwise now."""
        states = fold_fingerprints(self._data_sets)
        return {id_ for id_, applied in self.snapshot.applied.items() if states.get(id_) != applied.state}

    @cached_property
    def _looked_up(self) -> Sequence[TilePlace]:
        """Tiles that may hold what decides whether a bolus or food of the tail is newer. Source: dedup 5.2."""
        keys = {
            origin_key(origin_id)
            for entry in self._entries
            if entry.kind is EntryKind.ADD and self._looks_up(entry.data_set_id)
            for origin_id in _looked_up_ids(read_records(entry.body, entry.number))
        }
        named = sorted(set(named_tiles(self._owner, keys, self._tiles))) if self.snapshot.tiles else []
        return [place for key in named if (place := self.snapshot.tile(key)) is not None]

    def _looks_up(self, data_set_id: str) -> bool:
        data_set = self._continuous.get(data_set_id)
        return data_set is not None and data_set.deduplicator == DATASET_DELETE_ORIGIN_OLDER

    def is_touched(self, place: TilePlace) -> bool:
        """Whether a tile is known, before it is read, to be folded again."""
        return place.key in self.touched.keys or not (self._changed_ids | self.touched.searched_ids).isdisjoint(
            place.traits.data_set_ids
        )

    def see(self, places: Iterable[TilePlace], must_fold: Callable[[TilePlace], bool]) -> Seen:
        """What is visible of tiles at these places.

        What is said of the tail is right for the types and days of these tiles, and of those that there are none of.

        Args:
            must_fold: whether the request needs the records of a tile one by one.

        Raises:
            TileMissingError: the snapshot is too old.
        """
        by_key = {place.key: place for place in (*self._looked_up, *places)}
        folded = {it.key for it in self._looked_up}
        folded |= {key for key, it in by_key.items() if self.is_touched(it) or must_fold(it)}
        read = self._tiles.tiles(self._owner, list(by_key.values()), folded) if by_key else {}
        found_later = {key for key in by_key.keys() - folded if read[key].may_hold(self.touched.gone_origin_keys)}
        if with_hidden := [by_key[key] for key in sorted(found_later) if by_key[key].hidden_bytes]:
            read |= self._tiles.tiles(self._owner, with_hidden, found_later)
        folded |= found_later
        whole = {key: read[key].lines for key in by_key.keys() - folded if by_key[key].traits.is_shown}
        return Seen(whole, visible(self._entries, self._data_sets, self._prefixes(read[key] for key in sorted(folded))))

    def _prefixes(self, tiles: Iterable[Tile]) -> dict[str, Prefix]:
        runs: dict[str, list[RecordSlice]] = defaultdict(list)
        for tile in tiles:
            for data_set_id, run in tile.slices().items():
                runs[data_set_id].append(run)
        ids = runs.keys() | {entry.data_set_id for entry in self._entries}
        return {data_set_id: Prefix(self.snapshot.through(data_set_id), runs[data_set_id]) for data_set_id in ids}


def _looked_up_ids(records: Records) -> Iterable[str]:
    return (
        origin_id
        for origin_id, datum_type in zip(records.origin_ids, records.types, strict=True)
        if origin_id is not None and datum_type in LOOKED_UP_TYPES
    )
