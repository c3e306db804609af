"""One step of compaction: folds more entries, and all changes of data sets, into tiles.

It reads only the tiles that change, and writes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.fold import VisibleData, fold_fingerprints, stored, without_shadowed
from chalicelib.tiles.manifest import LogPosition, Manifest, TileRef
from chalicelib.tiles.ports import TileSource
from chalicelib.tiles.tail import Tail, affected_by, changed_ids, prefixes, tiles_with_origins
from chalicelib.tiles.tile import Candidate, EncodedTile, Tile, TileContent, TileKey, encode_tile, keys_of_rows

READ_AT_ONCE_BYTES = 16 * 1024 * 1024
"""The stored size of tiles that are folded together. Inflated they are about eight times as large."""


@frozen
class TileChanges:
    """The changes of a step."""

    logs: Mapping[str, LogPosition]
    """The positions of all logs in tiles, by data set."""
    tiles: Mapping[TileKey, EncodedTile | None]
    """Only the tiles that differ from what is stored; None for a tile that holds no record any more."""
    origin_keys: Mapping[TileKey, Sequence[int]]
    """The origin keys of the new records, as far as later entries can name them."""

    @property
    def written(self) -> dict[TileKey, TileContent]:
        """The tiles to write."""
        return {key: tile.content for key, tile in self.tiles.items() if tile is not None}

    def refs(self, version: int) -> dict[TileKey, TileRef | None]:
        """The changed tiles as a manifest of this version names them."""
        return {
            key: None
            if tile is None
            else TileRef(key, version, len(tile.content.visible), len(tile.content.shadowed), tile.stats)
            for key, tile in self.tiles.items()
        }


def fold_into(before: Manifest, owner: OwnerState, tail: Tail, tiles: TileSource) -> TileChanges:
    """The changes that bring the entries of the tail into the tiles of `before`."""
    fingerprints = fold_fingerprints(tail.data_sets)
    tail = replace(tail, entries=[entry for entry in tail.entries if entry.data_set_id in fingerprints])
    # An upload may be too long for one step. A log that begins and ends in this step is not divided.
    divided_ids = {
        data_set.id
        for data_set in tail.data_sets
        if data_set.is_continuous or data_set.id not in tail.whole_ids or before.position(data_set.id)
    }
    affected = affected_by(tail.entries, divided_ids)
    emptied_ids = {
        data_set.id for data_set in tail.data_sets if data_set.deleted_through >= before.position(data_set.id)
    }

    wanted = affected.keys | set(tiles_with_origins(owner, affected.replaced_origin_keys, tiles))
    located = [ref for key in sorted(wanted) if (ref := before.tile(key)) is not None]
    searched = changed_ids(before, fingerprints) | affected.searched_ids
    others = [
        ref
        for ref in (before.tile_refs() if searched else ())
        if ref.key not in wanted and not searched.isdisjoint(ref.stats.data_set_ids)
    ]
    dropped = {ref.key for ref in others if emptied_ids.issuperset(ref.stats.data_set_ids)}

    changes: dict[TileKey, EncodedTile | None] = dict.fromkeys(dropped)
    changes |= _changed_tiles(before, tail, _read_tiles(owner, located, tiles), wanted)
    for group in groups_by_size([ref for ref in others if ref.key not in dropped]):
        # The located tiles are folded each time: the fold of an entry may depend on them (dedup 5.2).
        read = _read_tiles(owner, [*located, *group], tiles)
        changes |= _changed_tiles(before, tail, read, {ref.key for ref in group})
    return TileChanges(_log_positions(before, fingerprints, tail), changes, affected.origin_keys)


def _read_tiles(owner: OwnerState, refs: Sequence[TileRef], tiles: TileSource) -> dict[TileKey, Tile]:
    return tiles.tiles(owner, refs, {ref.key for ref in refs})


def groups_by_size(refs: Iterable[TileRef]) -> Iterator[list[TileRef]]:
    """The tiles in groups that are small enough to be read together."""
    group: list[TileRef] = []
    size_bytes = 0
    for ref in refs:
        group.append(ref)
        size_bytes += ref.visible_bytes + ref.shadowed_bytes
        if size_bytes >= READ_AT_ONCE_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _changed_tiles(
    before: Manifest, tail: Tail, read: Mapping[TileKey, Tile], wanted: Collection[TileKey]
) -> dict[TileKey, EncodedTile | None]:
    """The wanted tiles that change, given all stored tiles that the fold of the tail depends on."""
    data = stored(tail.entries, tail.data_sets, prefixes(before, read.values(), tail.entries))
    candidates = candidates_of(data, wanted)
    changes: dict[TileKey, EncodedTile | None] = {}
    for key in wanted:
        ref = before.tile(key)
        if key in candidates:
            encoded = encode_tile(candidates[key])
            if ref is None or (read[key].content, ref.stats) != encoded:
                changes[key] = encoded
        elif ref is not None:
            changes[key] = None
    return changes


def candidates_of(data: Sequence[VisibleData], wanted: Collection[TileKey]) -> dict[TileKey, list[Candidate]]:
    """The records of the wanted tiles, given all records that may hide them."""
    candidates: dict[TileKey, list[Candidate]] = defaultdict(list)
    for of_data_set, visible in zip(data, without_shadowed(data), strict=True):
        created_time_ms, data_set_id = of_data_set.data_set.created_time_ms, of_data_set.data_set.id
        for record_slice, visible_slice in zip(of_data_set.slices, visible.slices, strict=True):
            records, visible_rows = record_slice.records, set(visible_slice.rows)
            keys = keys_of_rows(records)
            for row in record_slice.rows:
                if keys[row] in wanted:
                    candidates[keys[row]].append(
                        Candidate(
                            time_ms=records.times_ms[row],
                            created_time_ms=created_time_ms,
                            data_set_id=data_set_id,
                            address=records.addresses[row],
                            is_shadowed=row not in visible_rows,
                            text=records.texts[row],
                        )
                    )
    return candidates


def _log_positions(before: Manifest, fingerprints: Mapping[str, str], tail: Tail) -> dict[str, LogPosition]:
    last_numbers = {entry.data_set_id: entry.number for entry in tail.entries}
    logs: dict[str, LogPosition] = {}
    for data_set in tail.data_sets:
        is_whole = data_set.id in tail.whole_ids or before.has_whole_log(data_set.id)
        is_in_tiles = data_set.id in before.logs or is_whole or data_set.id in last_numbers
        if data_set.id in fingerprints and is_in_tiles:
            last_number = last_numbers.get(data_set.id, before.position(data_set.id))
            logs[data_set.id] = LogPosition(last_number, fingerprints[data_set.id], is_whole)
    return logs
