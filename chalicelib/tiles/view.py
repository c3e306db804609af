"""What a user sees of some tiles together with the tail: unaffected tiles as they are stored, the others folded with
the entries of the tail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.encoding.gzip_splice import DeflatedLines
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry, EntryKind, read_records
from chalicelib.log.fold import VisibleData, fold_fingerprints, visible
from chalicelib.log.fold_forward import LOOKED_UP_TYPES
from chalicelib.log.records import Records
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN_OLDER
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TileReader
from chalicelib.tiles.tail import AffectedTiles, affected_by, changed_ids, prefixes, tiles_with_origins
from chalicelib.tiles.tile import TileKey, origin_key


@dataclass(frozen=True, slots=True)
class VisibleTiles:
    """What is visible of some tiles, and of the tail wherever its records belong."""

    whole: Mapping[TileKey, DeflatedLines]
    """The tiles whose visible records are all visible, and that no other records belong to."""
    data: Sequence[VisibleData]
    """Everything else, in the order in which the data sets were given."""


class TileView:
    """The tiles of a user as one request sees them.

    Args:
        data_sets: all of the owner's epoch, oldest first.
        entries: those that are not in tiles, of all data sets that matter to the request.
    """

    def __init__(
        self,
        owner: OwnerState,
        manifest: Manifest,
        data_sets: Sequence[DataSet],
        entries: Sequence[Entry],
        tiles: TileReader,
    ) -> None:
        self.manifest = manifest
        self._owner = owner
        self._data_sets = data_sets
        self._entries = entries
        self._tiles = tiles

    @cached_property
    def _continuous(self) -> Mapping[str, DataSet]:
        return {data_set.id: data_set for data_set in self._data_sets if data_set.is_continuous}

    @cached_property
    def affected(self) -> AffectedTiles:
        """The tiles that the tail affects."""
        in_part = {data_set.id for data_set in self._data_sets if self.manifest.position(data_set.id)}
        return affected_by(self._entries, self._continuous.keys() | in_part)

    @cached_property
    def _changed_ids(self) -> set[str]:
        return changed_ids(self.manifest, fold_fingerprints(self._data_sets))

    @cached_property
    def _looked_up(self) -> Sequence[TileRef]:
        """Tiles that may hold what decides whether a bolus or food of the tail is newer. Source: dedup 5.2."""
        keys = {
            origin_key(origin_id)
            for entry in self._entries
            if entry.kind is EntryKind.ADD and self._looks_up(entry.data_set_id)
            for origin_id in _looked_up_ids(read_records(entry.body, entry.number))
        }
        named = sorted(set(tiles_with_origins(self._owner, keys, self._tiles))) if self.manifest.tiles else []
        return [ref for key in named if (ref := self.manifest.tile(key)) is not None]

    def _looks_up(self, data_set_id: str) -> bool:
        data_set = self._continuous.get(data_set_id)
        return data_set is not None and data_set.deduplicator == DATASET_DELETE_ORIGIN_OLDER

    def is_affected(self, ref: TileRef) -> bool:
        """Whether it is known, before a tile is read, that it must be folded again."""
        return ref.key in self.affected.keys or not (self._changed_ids | self.affected.searched_ids).isdisjoint(
            ref.stats.data_set_ids
        )

    def see(self, refs: Iterable[TileRef], must_fold: Callable[[TileRef], bool]) -> VisibleTiles:
        """What is visible of these tiles.

        Of the tail, the result is right for the types and days of these tiles, and for those that have no tile.

        Args:
            must_fold: whether the request needs the records of a tile one by one.

        Raises:
            TileMissingError: the manifest is too old.
        """
        by_key = {ref.key: ref for ref in (*self._looked_up, *refs)}
        folded = {ref.key for ref in self._looked_up}
        folded |= {key for key, ref in by_key.items() if self.is_affected(ref) or must_fold(ref)}
        read = self._tiles.tiles(self._owner, list(by_key.values()), folded) if by_key else {}
        found_later = {key for key in by_key.keys() - folded if read[key].may_hold(self.affected.replaced_origin_keys)}
        if with_shadowed := [by_key[key] for key in sorted(found_later) if by_key[key].shadowed_bytes]:
            read |= self._tiles.tiles(self._owner, with_shadowed, found_later)
        folded |= found_later
        whole = {key: read[key].lines for key in by_key.keys() - folded if by_key[key].stats.has_visible}
        beginnings = prefixes(self.manifest, (read[key] for key in sorted(folded)), self._entries)
        return VisibleTiles(whole, visible(self._entries, self._data_sets, beginnings))


def _looked_up_ids(records: Records) -> Iterable[str]:
    return (
        origin_id
        for origin_id, datum_type in zip(records.origin_ids, records.types, strict=True)
        if origin_id is not None and datum_type in LOOKED_UP_TYPES
    )
