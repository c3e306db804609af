"""The view of tiles together with the tail: unaffected tiles as they are stored, the others folded with the tail."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.documents_owner import is_derived
from chalicelib.log.doubles import FINGERSTICK
from chalicelib.log.entry import Entry, EntryDecodedOnce
from chalicelib.log.fold import VisibleData, fold_fingerprints, visible
from chalicelib.log.fold_forward import LOOKED_UP_TYPES
from chalicelib.log.joined_entries import JoinedEntries, join_entries
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
        self._entries = entries
        self._outlines = [None if entry.outline is None else decode_outline(entry.outline) for entry in entries]
        self._passed: frozenset[int] = frozenset()
        """The indexes of the entries that are passed by. They have outlines."""
        self._once: dict[int, Entry] = {}
        """Entries that keep what they decoded, by index."""
        self._to_fold: dict[frozenset[int], Sequence[Entry]] = {}
        """The entries as they are folded, by the indexes of those that are passed by."""
        self._tiles = tiles

    def of(self, is_wanted: Callable[[TileKey], bool]) -> "TileView":
        """A view of the tiles of some types and days alone.

        It passes by the entries of the tail that neither hold records of these tiles nor share an origin id with those
        that do, and decodes one of them only when a tile has an origin id of it. Its records are complete for these
        tiles alone. No entry is passed by where earlier records decide about later ones, by hash or by age.
        """
        passed: dict[int, Outline] = {}
        wanted: dict[frozenset[tuple[str, int]], bool] = {}
        for index, (entry, outline) in enumerate(zip(self._entries, self._outlines, strict=True)):
            if outline is None or entry.data_set_id in self._depending_ids:
                continue
            if outline.keys not in wanted:
                wanted[outline.keys] = any(is_wanted(TileKey(*key)) for key in outline.keys)
            if not wanted[outline.keys]:
                passed[index] = outline
        keys = self._origin_keys_without(passed) if passed else set()
        view = TileView(self._owner, self.manifest, self._data_sets, (), self._tiles)
        view._entries, view._outlines, view._once = self._entries, self._outlines, self._once
        view._passed = frozenset(i for i, outline in passed.items() if keys.isdisjoint(outline.origin_keys))
        return view

    def _origin_keys_without(self, passed: Collection[int]) -> set[int]:
        """The keys of all origin ids in the entries that are not passed by."""
        keys: set[int] = set()
        for index, outline in enumerate(self._outlines):
            if index in passed:
                continue
            if outline is not None:
                keys |= outline.origin_keys
            elif isinstance(records := self._decoded_once(index).contents(), Records):
                keys.update(origin_key(origin_id) for origin_id in records.origin_ids if origin_id is not None)
        return keys

    def _decoded_once(self, index: int) -> Entry:
        if index not in self._once:
            self._once[index] = EntryDecodedOnce.of(self._entries[index])
        return self._once[index]

    def _entries_beside(self, tiles: Iterable[Tile]) -> Sequence[Entry]:
        """The entries that are not passed by, and those that share an origin id with records of these tiles, joined."""
        passed = self._passed
        if passed:
            keys = {key for tile in tiles for key in tile.origin_keys()}
            outlines = {index: outline for index in passed if (outline := self._outlines[index]) is not None}
            passed = frozenset(index for index, outline in outlines.items() if keys.isdisjoint(outline.origin_keys))
        if passed not in self._to_fold:
            self._to_fold[passed] = self._joined_without(passed)
        return self._to_fold[passed]

    def _joined_without(self, passed: Collection[int]) -> Sequence[Entry]:
        kept = [index for index in range(len(self._entries)) if index not in passed]
        entries, outlines = [self._entries[index] for index in kept], [self._outlines[index] for index in kept]
        indexes = {(entry.data_set_id, entry.number): index for index, entry in zip(kept, entries, strict=True)}
        return [
            entry if isinstance(entry, JoinedEntries) else self._decoded_once(indexes[entry.data_set_id, entry.number])
            for entry in join_entries(entries, outlines, self._data_sets)
        ]

    @cached_property
    def _continuous_data_sets(self) -> Mapping[str, DataSet]:
        return {data_set.id: data_set for data_set in self._data_sets if data_set.is_continuous}

    @cached_property
    def affected(self) -> AffectedTiles:
        """The tiles that the tail affects."""
        partly_in_tiles = {data_set.id for data_set in self._data_sets if self.manifest.position(data_set.id)}
        divided_ids = self._continuous_data_sets.keys() | partly_in_tiles
        without_outline = [i for i, outline in enumerate(self._outlines) if outline is None]
        affected = affected_by(map(self._decoded_once, without_outline), divided_ids)
        outlined = [
            (entry, outline)
            for entry, outline in zip(self._entries, self._outlines, strict=True)
            if outline is not None
        ]
        for keys in {outline.keys for _, outline in outlined}:
            affected.keys.update(TileKey(*key) for key in keys)
        divided = [outline.origin_keys for entry, outline in outlined if entry.data_set_id in divided_ids]
        affected.replaced_origin_keys.update(*divided)
        return affected

    @cached_property
    def _changed_ids(self) -> set[str]:
        return changed_ids(self.manifest, fold_fingerprints(self._data_sets))

    @cached_property
    def looked_up_keys(self) -> set[int]:
        """The keys of the origin ids of the tail's boluses and foods whose older versions matter. Source: dedup 5.2."""
        return self._origin_keys_of(self._looking_up_ids, LOOKED_UP_TYPES) if self._looking_up_ids else set()

    def origin_keys_of(self, types: Collection[str]) -> set[int]:
        """The keys of the origin ids of the tail's records of some types."""
        return self._origin_keys_of({data_set.id for data_set in self._data_sets}, types)

    def _origin_keys_of(self, data_set_ids: Collection[str], types: Collection[str]) -> set[int]:
        keys: set[int] = set()
        for index, (entry, outline) in enumerate(zip(self._entries, self._outlines, strict=True)):
            if entry.data_set_id not in data_set_ids:
                continue
            if outline is not None and all(name not in types for name, _ in outline.keys):
                continue
            if isinstance(records := self._decoded_once(index).contents(), Records):
                columns = zip(records.types, records.origin_ids, strict=True)
                keys.update(origin_key(id_) for name, id_ in columns if id_ is not None and name in types)
        return keys

    @cached_property
    def looked_up_tiles(self) -> Sequence[TileRef]:
        """The tiles that may hold older versions of a bolus or food of the tail. Source: dedup 5.2."""
        keys = self.looked_up_keys
        named = sorted(set(tiles_with_origins(self._owner, keys, self._tiles))) if self.manifest.tiles else []
        return [ref for key in named if (ref := self.manifest.tile(key)) is not None]

    @cached_property
    def _looking_up_ids(self) -> set[str]:
        """The data sets in which boluses and foods are compared with their older versions."""
        data_sets = self._continuous_data_sets.values()
        return {data_set.id for data_set in data_sets if data_set.deduplicator == DATASET_DELETE_ORIGIN_OLDER}

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
        keys: set[TileKey] = set()
        for index, (entry, outline) in enumerate(zip(self._entries, self._outlines, strict=True)):
            if entry.data_set_id not in self._depending_ids:
                continue
            if outline is not None:
                keys.update(TileKey(*key) for key in outline.keys)
            elif isinstance(records := self._decoded_once(index).contents(), Records):
                keys.update(keys_of_rows(records))
        return keys

    @cached_property
    def _deciding_keys(self) -> set[TileKey]:
        """The tiles that the tail adds records to whose fold depends on other records of the same type and day.

        Records of one data set may hide those of another that were derived from documents, and of those, fingersticks
        may hide each other.
        """
        derived = [is_derived(self._owner.id, data_set.id) for data_set in self._data_sets]
        if not any(derived):
            return self._keys_by_hash_or_age
        if not all(derived):
            return self.affected.keys
        return self._keys_by_hash_or_age | {key for key in self.affected.keys if key.type == FINGERSTICK}

    def keeps_newest(self, name: str, record: NewestRecord | None) -> bool:
        """Whether the newest record of a type in tiles, or that there is none, is certain without reading a tile, and
        the tail's own records of that day and later are complete without one.

        False only means that it is not certain.
        """
        first_day = None if record is None else record.day
        if record is not None and record.origin_key in self.affected.replaced_origin_keys:
            return False
        if any(key.type == name and (first_day is None or key.day >= first_day) for key in self._deciding_keys):
            return False
        of_type = self.manifest.tiles.get(name)
        if of_type is None or not self._affected_ids:
            return True
        later = of_type.between(first_day, None)
        return all(self._affected_ids.isdisjoint(ref.stats.data_set_ids) for ref in later)

    def is_affected(self, ref: TileRef) -> bool:
        """Whether a tile must be folded again, as far as this is known before reading it."""
        return ref.key in self.affected.keys or not self._affected_ids.isdisjoint(ref.stats.data_set_ids)

    def only_adds_to(self, ref: TileRef) -> bool:
        """Whether the tail adds records beside those of a tile and affects none of them, and the tile affects none of
        the tail. This holds if the tail replaces no origin id of the tile, which only its filter tells."""
        return ref.key not in self._deciding_keys and self._affected_ids.isdisjoint(ref.stats.data_set_ids)

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
        return VisibleTiles(whole, self.fold([read[key] for key in sorted(folded)]))

    def fold(self, tiles: Collection[Tile]) -> Sequence[VisibleData]:
        """The visible records of the tail and of these tiles, which must have been read with their shadowed records."""
        entries = self._entries_beside(tiles)
        return visible(entries, self._data_sets, prefixes(self.manifest, tiles, entries))
