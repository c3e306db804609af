"""Compacts: folds the tail of a user into tiles, and copies its entries into the archive.

The process may die at any step. Readers do not see tiles, segments of the origin index and archive objects until a
manifest names them, and a manifest replaces its predecessor in one step. What no manifest names is swept. See
docs/adr/0005.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, groupby

from chalicelib.conflicts import WriteConflictError
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import can_be_seen
from chalicelib.log.truncation import truncations
from chalicelib.tiles.fold_into_tiles import TileChanges, fold_into
from chalicelib.tiles.hour_sums import sums_of_tiles, write_hour_sums
from chalicelib.tiles.manifest import Manifest, TileRef, followed_by
from chalicelib.tiles.ports import CompactedRange, CompactionLease, TilePorts
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tail_steps import LoadedLogs, StoredLogs, tail_steps, truncated_numbers
from chalicelib.tiles.tile import Tile, TileContent, TileKey

LEASE_MS = 16 * 60_000
"""How long others wait for a compaction that may have died: a function runs for a quarter of an hour at most."""


@frozen
class CompactionResult:
    """The result of a compaction: how many entries, tiles and steps it wrote."""

    entries: int = 0
    tiles: int = 0
    steps: int = 0
    is_held: bool = False
    """Whether another compaction of the same user holds the lease, and this one did nothing."""


class LogIncompleteError(Exception):
    """Entries that are in tiles are missing from both the archive and the log, so the tiles cannot be made again."""


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
            ports.tiles.commit(lease, before, after, _compacted_ranges(step.data_sets, before, after), ports.now_ms())
            result = CompactionResult(
                result.entries + len(step.entries), result.tiles + len(changes.tiles), result.steps + 1
            )
            before, lease = after, None
    return result


def rebuild(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> CompactionResult:
    """Make all tiles of a user again from archive and logs, and replace the present ones.

    Raises:
        LogIncompleteError: some entries of the present tiles are missing; the tiles stay.
        WriteConflictError: all data was erased meanwhile, or another compaction began because this one took too long.
    """
    with _leases(owner_id, ports) as acquire:
        lease = acquire()
        if lease is None:
            return CompactionResult(is_held=True)
        owner, current = _owner_and_manifest(lease, ports)
        logs = whole_logs(owner, current, ports)
        after, drafts = Manifest(epoch=owner.epoch, version=current.version), TileDrafts()
        for step in tail_steps(LoadedLogs(logs), {}):
            check_time()
            changes = fold_into(after, owner, step, drafts)
            drafts.take(changes)
            after = followed_by(after, lease.fencing_token, changes.logs, changes.refs(lease.fencing_token))
        _archive(lease, _undeleted_entries(logs), ports)
        ports.tiles.write(lease, drafts.contents, drafts.index())
        ports.hour_sums.write(lease, sums_of_tiles(drafts.contents, logs.data_sets, logs.entries))
        ports.tiles.commit(lease, current, after, _compacted_ranges(logs.data_sets, current, after), ports.now_ms())
    return CompactionResult(len(logs.entries), sum(1 for _ in after.tile_refs()), 1)


class TileDrafts:
    """The tiles of a rebuild before they are written, as a `TileSource`: each step reads the tiles of the step before.

    They are written once, at the end, so even a reader whose reads lag behind finds only the final content of a tile.
    """

    def __init__(self) -> None:
        self.contents: dict[TileKey, TileContent] = {}
        self._origin_keys: dict[TileKey, set[int]] = defaultdict(set)

    def take(self, changes: TileChanges) -> None:
        """Apply the changes of a step."""
        for key, encoded in changes.tiles.items():
            if encoded is None:
                self.contents.pop(key, None)
            else:
                self.contents[key] = encoded.content
        for key, origin_keys in changes.origin_keys.items():
            self._origin_keys[key].update(origin_keys)

    def tiles(self, _owner: OwnerState, refs: Sequence[TileRef], _shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """The tiles after the last step."""
        return {ref.key: Tile(self.contents[ref.key]) for ref in refs}

    def index(self) -> dict[TileKey, Sequence[int]]:
        """The origin keys of all records in the entries, by tile."""
        return {key: sorted(origin_keys) for key, origin_keys in self._origin_keys.items()}

    def origin_keys(self, _owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """The index as one segment."""
        return iter([self.index()])


def whole_logs(owner: OwnerState, current: Manifest, ports: TilePorts, *, in_tiles_only: bool = False) -> Tail:
    """All entries that can matter, from the archive and the logs, without duplicates.

    Args:
        in_tiles_only: leaves out the entries that are not in tiles yet, of which there may be many.

    Raises:
        LogIncompleteError: some entries that are in tiles are in neither.
    """
    known = [data_set for data_set in ports.data.data_sets.of_owner(owner) if can_be_seen(data_set)]
    normal_ids = [data_set.id for data_set in known if not data_set.is_continuous]
    read = chain(
        ports.data.log.each_entry(owner, normal_ids),
        *(ports.archive.entries(owner, data_set.id) for data_set in known if current.position(data_set.id)),
    )
    found = {
        (entry.data_set_id, entry.number): entry
        for entry in read
        if not in_tiles_only or entry.number <= current.position(entry.data_set_id)
    }
    entries = [found[address] for address in sorted(found)]
    data_sets = ports.data.data_sets.of_owner(owner)
    # Entries that were added and truncated since they were read: the data sets show the truncation.
    truncated = truncated_numbers(data_sets)
    last_numbers = {entry.data_set_id: entry.number for entry in entries}
    if not in_tiles_only and any(number > last_numbers.get(id_, 0) for id_, number in truncated.items()):
        later = ports.data.log.entries(owner, normal_ids, last_numbers)
        entries += [entry for entry in later if entry.number <= truncated.get(entry.data_set_id, 0)]
        entries.sort(key=lambda entry: (entry.data_set_id, entry.number))
    logs = Tail(data_sets, entries, frozenset(normal_ids))
    _require_complete(logs, current)
    return logs


def _require_complete(logs: Tail, current: Manifest) -> None:
    """Raise unless the logs hold all entries that are in the current tiles."""
    addresses = {(entry.data_set_id, entry.number) for entry in logs.entries}
    cuts = truncations(logs.data_sets)
    for data_set in logs.data_sets:
        # Truncated entries may have been purged, so such logs have holes.
        if can_be_seen(data_set) and not cuts[data_set.id]:
            numbers = range(data_set.deleted_through + 1, current.position(data_set.id) + 1)
            if any((data_set.id, number) not in addresses for number in numbers):
                raise LogIncompleteError(data_set.id)


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
