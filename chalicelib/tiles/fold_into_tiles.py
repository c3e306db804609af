"""One step of compaction: some more entries of some logs, and all changes of data sets, folded into tiles.

Of the tiles that there are only those are read that something happens to. Nothing here is written.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import VisibleData, fold_fingerprints, stored, without_older_hashes
from chalicelib.log.fold_steps import Prefix, RecordSlice
from chalicelib.tiles.ports import TileSource
from chalicelib.tiles.snapshot import Applied, Snapshot, TilePlace
from chalicelib.tiles.tail import named_tiles, touched_by
from chalicelib.tiles.tile import (
    Candidate,
    TileContent,
    TileKey,
    TileTraits,
    encode_tile,
    keys_of_rows,
)

READ_AT_ONCE_BYTES = 16 * 1024 * 1024
"""Tiles that are folded together, as they are stored; inflated they take some eight times as much."""


Made = tuple[TileContent, TileTraits]


@dataclass(frozen=True, slots=True)
class Folded:
    """What a step changes."""

    applied: Mapping[str, Applied]
    tiles: Mapping[TileKey, Made | None]
    """Only those that differ from what is stored; None is one that holds nothing any more."""
    origin_keys: Mapping[TileKey, Sequence[int]]
    """Of the records that the entries brought, those that can be named by a later entry."""

    @property
    def written(self) -> dict[TileKey, TileContent]:
        """The tiles to write."""
        return {key: tile[0] for key, tile in self.tiles.items() if tile is not None}

    def places(self, version: int) -> dict[TileKey, TilePlace | None]:
        """Where the changed tiles are once they are written."""
        return {
            key: None if tile is None else TilePlace(key, version, len(tile[0].shown), len(tile[0].hidden), tile[1])
            for key, tile in self.tiles.items()
        }


def fold_into(
    before: Snapshot,
    owner: OwnerState,
    every: Sequence[DataSet],
    entries: Sequence[Entry],
    whole_ids: Collection[str],
    tiles: TileSource,
) -> Folded:
    """What has to be written so that tiles hold these entries too.

    Args:
        every: all data sets of the owner, read after the entries: then no truncation that is not among them can stand
            before an entry that is.
        entries: the next ones of some logs; those of one data set by number.
        whole_ids: normal data sets whose logs end with these entries.
    """
    states = fold_fingerprints(every)
    entries = [entry for entry in entries if entry.data_set_id in states]
    # An upload may be too long for one step; what ends here and begins here is not divided.
    divided = {it.id for it in every if it.is_continuous or it.id not in whole_ids or before.through(it.id)}
    tail = touched_by(entries, divided)
    changed = {data_set_id for data_set_id, it in before.applied.items() if states.get(data_set_id) != it.state}
    emptied = {data_set.id for data_set in every if data_set.deleted_through >= before.through(data_set.id)}

    touched = tail.keys | set(named_tiles(owner, tail.gone_origin_keys, tiles))
    located = [place for key in sorted(touched) if (place := before.tile(key)) is not None]
    wanted_ids = changed | tail.searched_ids
    others = [
        place
        for place in (before.every_tile() if wanted_ids else ())
        if place.key not in touched and not wanted_ids.isdisjoint(place.traits.data_set_ids)
    ]
    dropped = {place.key for place in others if emptied.issuperset(place.traits.data_set_ids)}

    found: dict[TileKey, Made | None] = dict.fromkeys(dropped)
    found |= _fold_tiles(before, owner, every, entries, located, touched, tiles)
    for group in _groups([place for place in others if place.key not in dropped]):
        # What is located is folded each time, since what becomes of an entry may hang on it (dedup 5.2).
        keys = {place.key for place in group}
        found |= _fold_tiles(before, owner, every, entries, [*located, *group], keys, tiles)
    return Folded(_applied(before, states, every, entries, whole_ids), found, tail.origin_keys)


def made_of(
    every: Sequence[DataSet], entries: Sequence[Entry], wanted: Collection[TileKey]
) -> tuple[dict[TileKey, Made], set[TileKey]]:
    """Those of the wanted tiles that these entries, from the first of each log on, make; and the keys of all tiles."""
    data = stored(entries, every)
    there: set[TileKey] = set()
    for run in (run for each in data for run in each.slices):
        keys = keys_of_rows(run.records)
        there.update(keys[row] for row in run.rows)
    candidates = _candidates(data, without_older_hashes(data), wanted)
    return {key: encode_tile(of_tile) for key, of_tile in candidates.items()}, there


def _groups(places: Sequence[TilePlace]) -> Iterator[list[TilePlace]]:
    group: list[TilePlace] = []
    size_bytes = 0
    for place in places:
        group.append(place)
        size_bytes += place.shown_bytes + place.hidden_bytes
        if size_bytes >= READ_AT_ONCE_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _fold_tiles(
    before: Snapshot,
    owner: OwnerState,
    every: Sequence[DataSet],
    entries: Sequence[Entry],
    places: Sequence[TilePlace],
    wanted: Collection[TileKey],
    tiles: TileSource,
) -> dict[TileKey, Made | None]:
    """Those of the wanted tiles that become others, given the places of all tiles that matter."""
    read = tiles.tiles(owner, places, {place.key for place in places})
    kept: dict[str, list[RecordSlice]] = defaultdict(list)
    for tile in read.values():
        for data_set_id, run in tile.slices().items():
            kept[data_set_id].append(run)
    prefixes = {
        data_set_id: Prefix(before.through(data_set_id), kept[data_set_id])
        for data_set_id in kept.keys() | {entry.data_set_id for entry in entries}
    }
    data = stored(entries, every, prefixes)
    candidates = _candidates(data, without_older_hashes(data), wanted)
    traits = {place.key: place.traits for place in places}
    found: dict[TileKey, Made | None] = {}
    for key in wanted:
        if key in candidates:
            made = encode_tile(candidates[key])
            if key not in read or (read[key].content, traits[key]) != made:
                found[key] = made
        elif key in read:
            found[key] = None
    return found


def _candidates(
    data: Sequence[VisibleData], shown: Sequence[VisibleData], wanted: Collection[TileKey]
) -> dict[TileKey, list[Candidate]]:
    candidates: dict[TileKey, list[Candidate]] = defaultdict(list)
    for each, visible in zip(data, shown, strict=True):
        created_time_ms, data_set_id = each.data_set.created_time_ms, each.data_set.id
        for run, visible_run in zip(each.slices, visible.slices, strict=True):
            records, visible_rows = run.records, set(visible_run.rows)
            keys = keys_of_rows(records)
            for row in run.rows:
                if keys[row] in wanted:
                    candidates[keys[row]].append(
                        Candidate(
                            time_ms=records.times_ms[row],
                            created_time_ms=created_time_ms,
                            data_set_id=data_set_id,
                            place=records.addresses[row],
                            is_hidden=row not in visible_rows,
                            text=records.texts[row],
                        )
                    )
    return candidates


def _applied(
    before: Snapshot,
    states: Mapping[str, str],
    every: Iterable[DataSet],
    entries: Iterable[Entry],
    whole_ids: Collection[str],
) -> dict[str, Applied]:
    last_numbers = {entry.data_set_id: entry.number for entry in entries}
    applied: dict[str, Applied] = {}
    for data_set in every:
        known = before.applied.get(data_set.id)
        is_whole = data_set.id in whole_ids or (known is not None and known.is_whole)
        if data_set.id in states and (known is not None or is_whole or data_set.id in last_numbers):
            through = last_numbers.get(data_set.id, before.through(data_set.id))
            applied[data_set.id] = Applied(through, states[data_set.id], is_whole)
    return applied
