"""Compacts: folds the tail of a user into tiles, and copies its entries into the archive.

The process may die at any step. Readers do not see tiles, segments of the origin index and archive objects until a
manifest names them, and a manifest replaces its predecessor in one step. Items that no manifest
names are swept. See docs/adr/0005.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby

from chalicelib.conflicts import WriteConflictError
from chalicelib.durations import MINUTE_MS
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import can_be_seen
from chalicelib.tiles.drafts import TileDrafts
from chalicelib.tiles.fold_into_tiles import TileChanges, fold_into
from chalicelib.tiles.hour_sums import write_hour_sums
from chalicelib.tiles.manifest import Manifest, TileRef, followed_by
from chalicelib.tiles.newest import newest_records
from chalicelib.tiles.ports import CompactedRange, CompactionLease, TilePorts, TileSource
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tail_steps import StoredLogs, tail_steps
from chalicelib.tiles.tile import Tile, TileKey
from chalicelib.tiles.whole_logs import WholeLogs

LEASE_MS = 16 * MINUTE_MS
"""Time that others wait for a compaction that may have died: a function runs for a quarter of an hour at most."""


@frozen
class CompactionResult:
    """The result of a compaction: how many entries, tiles and steps it wrote."""

    entries: int = 0
    tiles: int = 0
    steps: int = 0
    is_held: bool = False
    """True if another compaction of the same user holds the lease, and this one did nothing."""


def compact(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> CompactionResult:
    """Fold all present entries of a user into tiles, step by step.

    Raises:
        WriteConflictError: all data was erased meanwhile, including what was already committed.
    """
    result = CompactionResult()
    with _leases(owner_id, ports) as acquire:
        lease = acquire()
        if lease is None:
            return replace(result, is_held=True)
        owner, before = _owner_and_manifest(lease, ports)
        newest = ports.tiles.newest(owner, before) or {} if before.has_newest else {}
        for step in tail_steps(StoredLogs(owner, before, ports), before.positions()):
            check_time()
            changes = fold_into(before, owner, step, ports.tiles)
            if changes.logs == before.logs and not changes.tiles:
                continue
            lease = lease or acquire()
            if lease is None:
                break
            _archive(lease, _undeleted_entries(step), ports)
            ports.tiles.write(lease, changes.written, changes.origin_keys)
            write_hour_sums(lease, before, changes.written, step, ports.hour_sums)
            after = followed_by(before, lease.fencing_token, changes.logs, changes.refs(lease.fencing_token))
            newest = newest_records(after, newest, partial(_tiles_after, changes, owner, ports.tiles))
            ports.tiles.write_newest(lease, newest)
            ports.tiles.commit(lease, before, after, _compacted_ranges(step.data_sets, before, after), ports.now_ms())
            result = CompactionResult(
                result.entries + len(step.entries), result.tiles + len(changes.tiles), result.steps + 1
            )
            before, lease = after, None
    return result


def rebuild(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> CompactionResult:
    """Make all tiles of a user again from archive and logs, step by step, and replace the present ones.

    Raises:
        LogIncompleteError: some entries of the present tiles are missing; the tiles stay.
        WriteConflictError: all data was erased meanwhile, or another compaction began because this one took too long.
    """
    with _leases(owner_id, ports) as acquire:
        lease = acquire()
        if lease is None:
            return CompactionResult(is_held=True)
        owner, current = _owner_and_manifest(lease, ports)
        logs, drafts = WholeLogs(owner, current, ports), TileDrafts(lease, ports)
        after, entry_count = Manifest(epoch=owner.epoch, version=current.version), 0
        for step in tail_steps(logs, {}):
            check_time()
            changes = fold_into(after, owner, step, drafts)
            _archive(lease, _undeleted_entries(step), ports)
            drafts.take(changes, step)
            after = followed_by(after, lease.fencing_token, changes.logs, changes.refs(lease.fencing_token))
            entry_count += len(step.entries)
        logs.require_complete(step.data_sets)
        drafts.finish(check_time)
        newest = newest_records(after, {}, lambda refs: drafts.tiles(owner, refs, [ref.key for ref in refs]))
        ports.tiles.write_newest(lease, newest)
        ports.tiles.commit(lease, current, after, _compacted_ranges(step.data_sets, current, after), ports.now_ms())
    return CompactionResult(entry_count, sum(1 for _ in after.tile_refs()), 1)


@contextmanager
def _leases(owner_id: str, ports: TilePorts) -> Iterator[Callable[[], CompactionLease | None]]:
    """A function that acquires leases for one holder, one after the other. The last lease is released at the end."""
    owner, holder = ports.data.data_sets.owner(owner_id), ports.new_id()
    last: CompactionLease | None = None

    def acquire() -> CompactionLease | None:
        nonlocal last
        now_ms = ports.now_ms()
        lease = ports.tiles.acquire(owner, holder, now_ms, now_ms + LEASE_MS)
        last = lease or last
        return lease

    try:
        yield acquire
    finally:
        if last is not None:
            ports.tiles.release(last)


def _owner_and_manifest(lease: CompactionLease, ports: TilePorts) -> tuple[OwnerState, Manifest]:
    owner, manifest = ports.tiles.current(lease.owner.id)
    if owner.epoch != lease.owner.epoch:
        raise WriteConflictError
    return owner, manifest


def _tiles_after(
    changes: TileChanges, owner: OwnerState, tiles: TileSource, refs: Sequence[TileRef]
) -> dict[TileKey, Tile]:
    """Tiles as they are after a step, with their shadowed records: those that it wrote, and others that are stored."""
    others = [ref for ref in refs if ref.key not in changes.written]
    found = tiles.tiles(owner, others, {ref.key for ref in others}) if others else {}
    return found | {ref.key: Tile(changes.written[ref.key]) for ref in refs if ref.key in changes.written}


def _archive(lease: CompactionLease, entries: Iterable[Entry], ports: TilePorts) -> None:
    for _, of_data_set in groupby(entries, key=lambda entry: entry.data_set_id):
        ports.archive.put(lease.owner, list(of_data_set))


def _undeleted_entries(tail: Tail) -> Iterator[Entry]:
    """The entries to archive: all except those that were deleted with their data set."""
    deleted_through = {data_set.id: data_set.deleted_through for data_set in tail.data_sets if can_be_seen(data_set)}
    return (
        entry
        for entry in tail.entries
        if entry.data_set_id in deleted_through and entry.number > deleted_through[entry.data_set_id]
    )


def _compacted_ranges(data_sets: Iterable[DataSet], before: Manifest, after: Manifest) -> list[CompactedRange]:
    return [
        CompactedRange(data_set.id, data_set.is_continuous, after.position(data_set.id))
        for data_set in data_sets
        if after.position(data_set.id) > before.position(data_set.id)
    ]
