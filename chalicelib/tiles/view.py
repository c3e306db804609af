"""The view of tiles together with the tail: unaffected tiles as they are stored, the others folded with the tail."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.documents_owner import is_derived
from chalicelib.log.entry import Entry, EntryDecodedOnce
from chalicelib.log.fold import VisibleData, fold_fingerprints, visible
from chalicelib.log.fold_forward import LOOKED_UP_TYPES
from chalicelib.log.outline import Outline, decode_outline
from chalicelib.log.records import Records
from chalicelib.model.deduplicators import (
    DATASET_DELETE_ORIGIN_OLDER,
    DATASET_DROP_HASH,
    DEVICE_DEACTIVATE_HASH,
)
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.newest import NewestRecord
from chalicelib.tiles.ports import TileSource
from chalicelib.tiles.tail import AffectedTiles, affected_by, changed_ids, prefixes, tiles_with_origins
from chalicelib.tiles.tile import Tile, TileKey, keys_of_rows, origin_key

_DEPENDING = frozenset({DATASET_DELETE_ORIGIN_OLDER, DATASET_DROP_HASH, DEVICE_DEACTIVATE_HASH})
"""The deduplicators under which earlier records decide whether a new one is visible. Source: dedup 5.2 to 5.4."""


@frozen
class VisibleTiles:
    """The visible records of some tiles and of the tail."""

    whole: Mapping[TileKey, Tile]
    """The tiles whose visible lines are as they are stored."""
    data: Sequence[VisibleData]
    """Everything else, in the order in which the data sets were given."""


class TilesReadAhead:
    """A source of the tiles of one manifest, some of which were read already, without their shadowed records."""

    def __init__(self, tiles: TileSource, known: Mapping[TileKey, Tile]) -> None:
        self._tiles = tiles
        self._known = known

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileSource.tiles`: no read for tiles that are known."""
        missing = [ref for ref in refs if ref.key not in self._known or (ref.shadowed_bytes and ref.key in shadowed)]
        found = self._tiles.tiles(owner, missing, shadowed) if missing else {}
        return {ref.key: found[ref.key] if ref.key in found else self._known[ref.key] for ref in refs}

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """See `TileSource.origin_keys`."""
        return self._tiles.origin_keys(owner)


class TileView:
    """The tiles of a user as one request sees them.

    Args:
        data_sets: all of the owner's epoch, oldest first.
        entries: the tail of all data sets that matter to the request.
    """

    def __init__(
        self,
        owner: OwnerState,
        manifest: Manifest,
        data_sets: Sequence[DataSet],
        entries: Sequence[Entry],
        tiles: TileSource,
    ) -> None:
        self.manifest = manifest
        self._owner = owner
        self._data_sets = data_sets
        self._entries: Sequence[Entry] = [EntryDecodedOnce.of(entry) for entry in entries]
        self._passed: Mapping[int, Outline] = {}
        """The outlines of the entries that are passed by, by index."""
        self._tiles = tiles

    def of(self, is_wanted: Callable[[TileKey], bool]) -> "TileView":
        """A view of the tiles of some types and days alone.

        It passes by the entries of the tail that neither hold records of these tiles nor share an origin id with those
        that do, and decodes one of them only when a tile has an origin id of it. Its records are complete for these
        tiles alone. No entry is passed by where earlier records decide about later ones, by hash or by age.
        """
        passed: dict[int, Outline] = {}
        for index, entry in enumerate(self._entries):
            outline = None if entry.outline is None else decode_outline(entry.outline)
            if outline is None or entry.data_set_id in self._depending_ids:
                continue
            if not any(is_wanted(TileKey(*key)) for key in outline.keys):
                passed[index] = outline
        keys = _origin_keys_of(self._without(passed)) if passed else set()
        view = TileView(self._owner, self.manifest, self._data_sets, (), self._tiles)
        view._entries = self._entries
        view._passed = {index: outline for index, outline in passed.items() if keys.isdisjoint(outline.origin_keys)}
        return view

    @cached_property
    def _kept(self) -> Sequence[Entry]:
        """The entries that are not passed by."""
        return self._without(self._passed)

    def _without(self, passed: Collection[int]) -> Sequence[Entry]:
        return [entry for index, entry in enumerate(self._entries) if index not in passed] if passed else self._entries

    def _entries_beside(self, tiles: Iterable[Tile]) -> Sequence[Entry]:
        """The entries that are not passed by, and those that share an origin id with records of these tiles."""
        keys = {key for tile in tiles for key in tile.origin_keys()} if self._passed else set()
        return self._without({i for i, outline in self._passed.items() if keys.isdisjoint(outline.origin_keys)})

    @cached_property
    def _continuous_data_sets(self) -> Mapping[str, DataSet]:
        return {data_set.id: data_set for data_set in self._data_sets if data_set.is_continuous}

    @cached_property
    def affected(self) -> AffectedTiles:
        """The tiles that the tail affects."""
        partly_in_tiles = {data_set.id for data_set in self._data_sets if self.manifest.position(data_set.id)}
        affected = affected_by(self._kept, self._continuous_data_sets.keys() | partly_in_tiles)
        for outline in self._passed.values():
            affected.keys.update(TileKey(*key) for key in outline.keys)
            affected.replaced_origin_keys.update(outline.origin_keys)
        return affected

    @cached_property
    def _changed_ids(self) -> set[str]:
        return changed_ids(self.manifest, fold_fingerprints(self._data_sets))

    @cached_property
    def looked_up_keys(self) -> set[int]:
        """The keys of the origin ids of the tail's boluses and foods whose older versions matter. Source: dedup 5.2."""
        return {
            origin_key(origin_id)
            for entry in self._kept
            if self._looks_up(entry.data_set_id) and isinstance(records := entry.contents(), Records)
            for origin_id in _looked_up_ids(records)
        }

    @cached_property
    def looked_up_tiles(self) -> Sequence[TileRef]:
        """The tiles that may hold older versions of a bolus or food of the tail. Source: dedup 5.2."""
        keys = self.looked_up_keys
        named = sorted(set(tiles_with_origins(self._owner, keys, self._tiles))) if self.manifest.tiles else []
        return [ref for key in named if (ref := self.manifest.tile(key)) is not None]

    def _looks_up(self, data_set_id: str) -> bool:
        data_set = self._continuous_data_sets.get(data_set_id)
        return data_set is not None and data_set.deduplicator == DATASET_DELETE_ORIGIN_OLDER

    @cached_property
    def _affected_ids(self) -> set[str]:
        """The data sets all of whose tiles must be folded again."""
        return self._changed_ids | self.affected.searched_ids

    @cached_property
    def _depending_ids(self) -> set[str]:
        """The data sets in which earlier records decide whether a new one is visible."""
        return {
            data_set.id for data_set in self._data_sets if data_set.is_legacy or data_set.deduplicator in _DEPENDING
        }

    @cached_property
    def _keys_by_hash_or_age(self) -> set[TileKey]:
        """The tiles that the tail adds records to whose fold depends on earlier records of other entries."""
        entries = [entry.contents() for entry in self._kept if entry.data_set_id in self._depending_ids]
        return {key for records in entries if isinstance(records, Records) for key in keys_of_rows(records)}

    @cached_property
    def _may_have_doubles(self) -> bool:
        """Whether records of one data set may hide those of another that were derived from documents."""
        derived = [is_derived(self._owner.id, data_set.id) for data_set in self._data_sets]
        return any(derived) and not all(derived)

    def keeps_newest(self, name: str, record: NewestRecord | None) -> bool:
        """Whether the newest record of a type in tiles, or that there is none, is certain without reading a tile, and
        the tail's own records of that day and later are complete without one.

        False only means that it is not certain.
        """
        first_day = None if record is None else record.day
        if record is not None and record.origin_key in self.affected.replaced_origin_keys:
            return False
        deciding = self.affected.keys if self._may_have_doubles else self._keys_by_hash_or_age
        if any(key.type == name and (first_day is None or key.day >= first_day) for key in deciding):
            return False
        of_type = self.manifest.tiles.get(name)
        if of_type is None or not self._affected_ids:
            return True
        later = of_type.between(first_day, None)
        return all(self._affected_ids.isdisjoint(ref.stats.data_set_ids) for ref in later)

    def is_affected(self, ref: TileRef) -> bool:
        """Whether a tile must be folded again, as far as this is known before reading it."""
        return ref.key in self.affected.keys or not self._affected_ids.isdisjoint(ref.stats.data_set_ids)

    def see(self, refs: Iterable[TileRef], must_fold: Callable[[TileRef], bool]) -> VisibleTiles:
        """The visible records of these tiles.

        The records of the tail are complete for the types and days of these tiles and for those without a tile.

        Args:
            must_fold: tells whether the request needs more of a tile's single records than their times.

        Raises:
            TileMissingError: the manifest is too old.
        """
        by_key = {ref.key: ref for ref in (*self.looked_up_tiles, *refs)}
        folded = {ref.key for ref in self.looked_up_tiles}
        folded |= {key for key, ref in by_key.items() if self.is_affected(ref) or must_fold(ref)}
        read = self._tiles.tiles(self._owner, list(by_key.values()), folded) if by_key else {}
        matched = {key for key in by_key.keys() - folded if read[key].may_hold(self.affected.replaced_origin_keys)}
        if with_shadowed := [by_key[key] for key in sorted(matched) if by_key[key].shadowed_bytes]:
            read |= self._tiles.tiles(self._owner, with_shadowed, matched)
        folded |= matched
        whole = {key: read[key] for key in by_key.keys() - folded if by_key[key].stats.has_visible}
        tiles = [read[key] for key in sorted(folded)]
        entries = self._entries_beside(tiles)
        return VisibleTiles(whole, visible(entries, self._data_sets, prefixes(self.manifest, tiles, entries)))


def _origin_keys_of(entries: Iterable[Entry]) -> set[int]:
    """The keys of all origin ids in some entries."""
    keys: set[int] = set()
    for entry in entries:
        if entry.outline is not None:
            keys |= decode_outline(entry.outline).origin_keys
        elif isinstance(records := entry.contents(), Records):
            keys.update(origin_key(origin_id) for origin_id in records.origin_ids if origin_id is not None)
    return keys


def _looked_up_ids(records: Records) -> Iterable[str]:
    return (
        origin_id
        for origin_id, datum_type in zip(records.origin_ids, records.types, strict=True)
        if origin_id is not None and datum_type in LOOKED_UP_TYPES
    )
