"""Hour sums of tiles of glucose: an item of its own for each such tile, with the tile's version.

Readers of summaries get the sums of a day in place of its records. Without them, a summary is made from the tile, and
does not know when its records were stored. See docs/adr/0019.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from chalicelib.glucose.hour_sum import sum_hours
from chalicelib.glucose.reading import GLUCOSE_TYPES, Reading, in_order, reading_of
from chalicelib.glucose.tile_sums import VERSION, StoredTimes, TileSums, encode_tile_sums
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.records import bodies_of
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import CompactionLease, HourSumReader, HourSumWriter, TileMissingError
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tile import Tile, TileContent, TileKey

FILLED_DAYS = 61
"""The days of a summary's window: 60, and the one that its older border cuts."""


def write_hour_sums(
    lease: CompactionLease, before: Manifest, tiles: Mapping[TileKey, TileContent], tail: Tail, ports: HourSumWriter
) -> None:
    """Write the sums of tiles that a step of compaction made of the tail and of those of the manifest before it.

    If a tile that it replaces has no sums, or the newest one, a version wrote them that knew no hour sums. Then the
    others of the newest days get theirs, too, before the manifest is replaced: no other compaction can run meanwhile.
    """
    glucose = {key for key in tiles if key.type in GLUCOSE_TYPES}
    replaced = {key: ref for key in glucose if (ref := before.tile(key)) is not None}
    newest = {ref.key: ref for ref in _newest(before, 1)} if glucose else {}
    found = ports.current(lease.owner, list((newest | replaced).values()))
    if found.keys() < (newest | replaced).keys():
        without = [ref for ref in _newest(before, FILLED_DAYS) if ref.key not in glucose]
        _fill(lease, without, tail.data_sets, ports)
    earlier = [sums for key, sums in found.items() if key in replaced]
    ports.write(lease, sums_of_tiles(tiles, tail.data_sets, tail.entries, earlier))


def _newest(manifest: Manifest, days: int) -> Iterator[TileRef]:
    """The newest tiles of glucose: at most this many of each type."""
    for name in sorted(GLUCOSE_TYPES & manifest.tiles.keys()):
        yield from islice(manifest.tiles[name].between(None, None, newest_first=True), days)


def _fill(lease: CompactionLease, refs: Sequence[TileRef], data_sets: Iterable[DataSet], ports: HourSumWriter) -> None:
    """Write the sums that are missing beside these live tiles, from the tiles: at most `FILLED_DAYS` of each type."""
    stored = ports.current(lease.owner, refs)
    missing = [ref for ref in refs if ref.key not in stored]
    try:
        _, tiles = ports.with_tiles(lease.owner, (), missing)
    except TileMissingError:  # the daily check reports it; a tile that this step does not need must not stop it
        return
    known = {data_set.id: data_set for data_set in data_sets}
    ports.add(lease, {ref: tile_sums(tiles[ref.key], known, {}) for ref in missing})


def wrong_hour_sums(
    tiles: Mapping[TileRef, Tile],
    owner: OwnerState,
    data_sets: Sequence[DataSet],
    stored_times: StoredTimes,
    ports: HourSumReader,
) -> set[TileKey]:
    """Those of these tiles whose hour sums are not what the logs make of them. Tiles may have none.

    Args:
        stored_times: when all entries were stored that the tiles were made of.
    """
    glucose = {ref.key: ref for ref in tiles if ref.key.type in GLUCOSE_TYPES}
    known_data_sets = {data_set.id: data_set for data_set in data_sets}

    def are_right(tile: Tile, sums: TileSums) -> bool:
        try:
            known = sums.stored_times
        except (ValueError, zlib.error):
            return False
        # An item may lack times that nobody knew when it was written; those that it has must be right.
        agree = all(stored_times.get(entry, time_ms) == time_ms for entry, time_ms in known.items())
        return agree and tile_sums(tile, known_data_sets, known, sums.version) == sums.content

    found, _ = ports.with_tiles(owner, list(glucose.values()), ())
    return {key for key, sums in found.items() if not are_right(tiles[glucose[key]], sums)}


def stored_times_of(entries: Iterable[Entry]) -> dict[tuple[str, int], int]:
    """The times at which these entries were stored, by data set and number."""
    return {(entry.data_set_id, entry.number): entry.stored_time_ms for entry in entries}


def sums_of_tiles(
    tiles: Mapping[TileKey, TileContent],
    data_sets: Iterable[DataSet],
    entries: Iterable[Entry],
    earlier: Iterable[TileSums] = (),
) -> dict[TileKey, bytes]:
    """The items of hour sums of those of the tiles that hold glucose.

    Args:
        entries: those that are new in the tiles.
        earlier: the items of the tiles that these ones replace, which know when the other entries were stored.
    """
    times = dict(pair for sums in earlier for pair in sums.stored_times.items()) | stored_times_of(entries)
    known = {data_set.id: data_set for data_set in data_sets}
    glucose = {key: content for key, content in tiles.items() if key.type in GLUCOSE_TYPES}
    return {key: tile_sums(Tile(content), known, times) for key, content in glucose.items()}


def tile_sums(tile: Tile, data_sets: Mapping[str, DataSet], stored_times: StoredTimes, version: int = VERSION) -> bytes:
    """The item of hour sums of one tile, which must have been read with its shadowed records."""
    rows = tile.rows()
    visible = [row for row in rows if not row.is_shadowed]
    bodies = bodies_of([row.text for row in visible])
    stored_ms = stored_time_finder(data_sets, stored_times)
    readings: list[Reading] = []
    for row, body in zip(visible, bodies, strict=True):
        is_continuous = data_sets[row.data_set_id].is_continuous
        time_ms = stored_ms(row.data_set_id, row.address.number, row.time_ms)
        readings.append(reading_of(body, row.time_ms, time_ms, is_continuous=is_continuous))
    entries = {(row.data_set_id, row.address.number) for row in rows}
    times = {entry: stored_times[entry] for entry in entries & stored_times.keys()}
    return encode_tile_sums(sum_hours(in_order(readings)), tile.origin_keys(), times, version)


def stored_time_finder(data_sets: Mapping[str, DataSet], stored_times: StoredTimes) -> Callable[[str, int, int], int]:
    """A function from the data set, the entry's number and the time of a record to when the record was stored.

    Nobody knows it for records that were put into tiles before there were hour sums. These count as stored at their own
    time, or when their data set was opened, whichever is later.
    """

    def find(data_set_id: str, number: int, time_ms: int) -> int:
        known = stored_times.get((data_set_id, number))
        return max(time_ms, data_sets[data_set_id].created_time_ms) if known is None else known

    return find
