"""Folds whole logs for some tiles alone, so that no more than the records of these tiles are in memory.

Records decide about each other only if they have the same origin id or the same hash. So a fold of the records of some
tiles, and of all records that share an origin id or a hash with one of them, gives these tiles exactly.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import Entry, Selectors
from chalicelib.log.fold import can_be_seen, stored
from chalicelib.log.records import Records
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.tiles.fold_into_tiles import candidates_of
from chalicelib.tiles.hour_sums import stored_times_of
from chalicelib.tiles.tile import EncodedTile, TileKey, encode_tile, keys_of_rows


@frozen
class FoldedTiles:
    """The result of a fold for some tiles."""

    tiles: Mapping[TileKey, EncodedTile]
    """The wanted tiles, as far as they hold any record."""
    others: Collection[TileKey]
    """Other tiles that hold a record."""
    unsure: Collection[TileKey]
    """Other tiles of which only a fold for them tells whether they hold a record."""
    stored_times: Mapping[tuple[str, int], int]
    """Times at which the entries of the wanted tiles were stored, by data set and number."""


@frozen
class _PartOfEntry(Entry):
    """Some records of an entry, or its selectors."""

    part: Records | Selectors = field(kw_only=True)

    def contents(self) -> Records | Selectors:
        """See `Entry.contents`."""
        return self.part


class _Row(NamedTuple):
    """A record, by the entry that holds it."""

    data_set_id: str
    number: int
    row: int


@frozen
class _Relations:
    """The relations between the records of a fold and others."""

    origin_ids: set[str | None] = field(default_factory=set)
    hashes: set[str | None] = field(default_factory=set)
    rows: set[_Row] = field(default_factory=set)

    def add(self, records: Records, rows: Iterable[int]) -> None:
        """Take the origin ids and the hashes of these rows."""
        for row in rows:
            self.origin_ids.add(records.origin_ids[row])
            self.hashes.add(records.hashes[row])


def fold_of_tiles(
    read: Callable[[], Iterator[Entry]], data_sets: Sequence[DataSet], wanted: Collection[TileKey]
) -> FoldedTiles:
    """The wanted tiles as whole logs make them, and which other tiles there are.

    Args:
        read: reads the logs, by data set and number, each time it is called. This takes two readings.
    """
    related, all_keys = _related_to(read(), data_sets, wanted)
    entries = list(_parts(read(), wanted, related))
    data = stored(entries, data_sets)
    found: set[TileKey] = set()
    for of_data_set in data:
        for record_slice in of_data_set.slices:
            keys = keys_of_rows(record_slice.records)
            found.update(keys[row] for row in record_slice.rows)
    tiles = {key: encode_tile(of_tile) for key, of_tile in candidates_of(data, wanted).items()}
    unsure = all_keys - found.union(wanted)
    return FoldedTiles(tiles, found.difference(wanted), unsure, stored_times_of(entries))


def _related_to(
    entries: Iterable[Entry], data_sets: Sequence[DataSet], wanted: Collection[TileKey]
) -> tuple[_Relations, set[TileKey]]:
    """The relations that the fold needs, and the keys of all tiles that may hold a record.

    It needs the last record of each other tile: if nothing has removed that one, the tile exists.
    """
    visible = {data_set.id: data_set for data_set in data_sets if can_be_seen(data_set)}
    cuts = truncations(data_sets)
    related, last_rows = _Relations(), {}
    for entry in entries:
        data_set, records = visible.get(entry.data_set_id), entry.contents()
        if data_set is None or entry.number <= data_set.deleted_through or isinstance(records, Selectors):
            continue
        keys = keys_of_rows(records)
        related.add(records, (row for row, key in enumerate(keys) if key in wanted))
        covering = [cut for cut in cuts[data_set.id] if cut.covers(entry.number)]
        for row, key in enumerate(keys):
            if key not in wanted and not _is_truncated(records, row, covering):
                place = _Row(entry.data_set_id, entry.number, row)
                last_rows[key] = place, records.origin_ids[row], records.hashes[row]
    for place, origin_id, digest in last_rows.values():
        related.rows.add(place)
        related.origin_ids.add(origin_id)
        related.hashes.add(digest)
    related.origin_ids.discard(None)
    related.hashes.discard(None)
    return related, set(last_rows)


def _is_truncated(records: Records, row: int, cuts: Sequence[Truncation]) -> bool:
    return any(records.device_ids[row] == cut.device_id for cut in cuts)


def _parts(entries: Iterable[Entry], wanted: Collection[TileKey], related: _Relations) -> Iterator[Entry]:
    """The selectors, and the parts of entries that belong to the wanted tiles or are related to them."""
    for entry in entries:
        contents = entry.contents()
        if isinstance(contents, Records):
            columns = zip(keys_of_rows(contents), contents.origin_ids, contents.hashes, strict=True)
            rows = [
                row
                for row, (key, origin_id, digest) in enumerate(columns)
                if key in wanted
                or origin_id in related.origin_ids
                or digest in related.hashes
                or _Row(entry.data_set_id, entry.number, row) in related.rows
            ]
            if not rows:
                continue
            contents = contents.only(rows)
        yield _PartOfEntry(entry.data_set_id, entry.number, entry.kind, entry.stored_time_ms, b"", part=contents)
