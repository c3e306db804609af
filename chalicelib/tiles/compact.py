"""Compaction: fold what a user's logs have gained into tiles, and copy the entries into the archive.

The process may die at any step. Nobody sees tiles, segments of the origin index and archive objects before a manifest
names them, which replaces the one before in one step; what was written in vain is swept. See docs/adr/0005.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby

from chalicelib.conflicts import WriteConflictError
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import can_be_seen
from chalicelib.log.truncation import truncations
from chalicelib.tiles.fold_into_tiles import TileChanges, fold_into
from chalicelib.tiles.manifest import Manifest, TileRef, followed_by
from chalicelib.tiles.ports import CompactedRange, CompactionLease, TilePorts
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tile import Tile, TileContent, TileKey

STEP_BYTES = 2 * 1024 * 1024
"""Entries that go into tiles in one step, as they are stored; inflated they take some eight times as much."""
LEASE_MS = 16 * 60_000
"""How long others wait for a compaction that may have died: no function runs longer than a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """What a compaction has done."""

    entries: int = 0
    tiles: int = 0
    steps: int = 0
    is_held: bool = False
    """Whether another compaction of the same user holds the lease, and this one did nothing."""


class LogIncompleteError(Exception):
    """Entries of a data set that are in tiles are neither in the archive nor in the log, so no tiles can be made that
    could replace the present ones."""


def compact(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> CompactionResult:
    """Bring all present entries of a user into tiles, step by step.

    Raises:
        WriteConflictError: all data was erased meanwhile; what was committed before is erased, too.
    """
    result = CompactionResult()
    with _leases(owner_id, ports) as acquire:
        lease = acquire()
        if lease is None:
            return replace(result, is_held=True)
        owner, before = _current(lease, ports)
        for step in _steps(read_tail(owner, before, ports)):
            check_time()
            changes = fold_into(before, owner, step, ports.tiles)
            if changes.logs == before.logs and not changes.tiles:
                continue
            lease = lease or acquire()
            if lease is None:
                break
            _archive(lease, _kept(step), ports)
            ports.tiles.write(lease, changes.written, changes.origin_keys)
            after = followed_by(before, lease.fencing_token, changes.logs, changes.refs(lease.fencing_token))
            ports.tiles.commit(lease, before, after, _compacted(step.data_sets, before, after), ports.now_ms())
            result = CompactionResult(
                result.entries + len(step.entries), result.tiles + len(changes.tiles), result.steps + 1
            )
            before, lease = after, None
    return result


def rebuild(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> CompactionResult:
    """Make all tiles of a user again from archive and logs, and replace the present ones.

    Raises:
        LogIncompleteError: some entries that the present tiles were made of are missing; the tiles stay.
        WriteConflictError: all data was erased meanwhile, or another compaction began because this one took too long.
    """
    with _leases(owner_id, ports) as acquire:
        lease = acquire()
        if lease is None:
            return CompactionResult(is_held=True)
        owner, current = _current(lease, ports)
        logs = whole_logs(owner, current, ports)
        after, drafts = Manifest(epoch=owner.epoch, version=current.version), TileDrafts()
        for step in _steps(logs):
            check_time()
            changes = fold_into(after, owner, step, drafts)
            drafts.take(changes)
            after = followed_by(after, lease.fencing_token, changes.logs, changes.refs(lease.fencing_token))
        _archive(lease, _kept(logs), ports)
        ports.tiles.write(lease, drafts.contents, drafts.index())
        ports.tiles.commit(lease, current, after, _compacted(logs.data_sets, current, after), ports.now_ms())
    return CompactionResult(len(logs.entries), sum(1 for _ in after.tile_refs()), 1)


class TileDrafts:
    """The tiles of a rebuild before they are written, as a `TileSource`: a step reads what the one before made.

    They are written once, at the end, so no reader finds an earlier content under the key of a tile, not even one
    whose reads lag behind.
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
        """The keys of the origin ids of all records that the entries brought, by tile."""
        return {key: sorted(origin_keys) for key, origin_keys in self._origin_keys.items()}

    def origin_keys(self, _owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """The index as one segment."""
        return iter([self.index()])


def read_tail(owner: OwnerState, manifest: Manifest, ports: TilePorts) -> Tail:
    """The entries that are not in tiles yet, of all data sets that readers see."""
    normal_ids = [
        it.id
        for it in ports.data.data_sets.of_owner(owner)
        if can_be_seen(it) and not it.is_continuous and not manifest.has_whole_log(it.id)
    ]
    entries = ports.data.log.entries(owner, normal_ids, manifest.positions())
    return _tail(owner, normal_ids, entries, manifest.positions(), ports)


def whole_logs(owner: OwnerState, current: Manifest, ports: TilePorts) -> Tail:
    """All entries that can matter, from the archive and from the logs, each once.

    Raises:
        LogIncompleteError: some that are in tiles are in neither.
    """
    known = [data_set for data_set in ports.data.data_sets.of_owner(owner) if can_be_seen(data_set)]
    normal_ids = [data_set.id for data_set in known if not data_set.is_continuous]
    found = {(entry.data_set_id, entry.number): entry for entry in ports.data.log.entries(owner, normal_ids)}
    for data_set in known:
        if current.position(data_set.id):
            for entry in ports.archive.entries(owner, data_set.id):
                found[entry.data_set_id, entry.number] = entry
    logs = _tail(owner, normal_ids, [found[address] for address in sorted(found)], {}, ports)
    _require_complete(logs, current)
    return logs


def _tail(
    owner: OwnerState, normal_ids: Sequence[str], entries: list[Entry], positions: Mapping[str, int], ports: TilePorts
) -> Tail:
    """The tail that begins with entries behind these positions. It also holds what was added, and then truncated,
    after these entries were read: the data sets show the truncation, so what it covers must not be missing."""
    data_sets = ports.data.data_sets.of_owner(owner)
    truncated = _truncated_numbers(data_sets)
    last_numbers = {**positions, **{entry.data_set_id: entry.number for entry in entries}}
    if any(number > last_numbers.get(data_set_id, 0) for data_set_id, number in truncated.items()):
        later = ports.data.log.entries(owner, normal_ids, last_numbers)
        entries = entries + [entry for entry in later if entry.number <= truncated.get(entry.data_set_id, 0)]
        entries.sort(key=lambda entry: (entry.data_set_id, entry.number))
    return Tail(data_sets, entries, frozenset(normal_ids))


def _require_complete(logs: Tail, current: Manifest) -> None:
    addresses = {(entry.data_set_id, entry.number) for entry in logs.entries}
    cuts = truncations(logs.data_sets)
    for data_set in logs.data_sets:
        # What truncations shadow may have been purged: such logs have holes.
        if can_be_seen(data_set) and not cuts[data_set.id]:
            numbers = range(data_set.deleted_through + 1, current.position(data_set.id) + 1)
            if any((data_set.id, number) not in addresses for number in numbers):
                raise LogIncompleteError(data_set.id)


def _truncated_numbers(data_sets: Sequence[DataSet]) -> dict[str, int]:
    """For each data set that was truncated while it was open, the last entry that this covers."""
    cuts = truncations(data_sets)
    return {
        data_set.id: max(cut.last_number or 0 for cut in cuts[data_set.id])
        for data_set in data_sets
        if can_be_seen(data_set) and cuts[data_set.id]
    }


def _steps(tail: Tail) -> Iterator[Tail]:
    """The entries in portions; the last portion of a log says that the log ends there. At least one portion.

    What a truncation covers stays in one portion, because the truncation takes effect after the last of these entries.
    """
    truncated = _truncated_numbers(tail.data_sets)
    portion: list[Entry] = []
    last_numbers = {entry.data_set_id: entry.number for entry in tail.entries}
    ended = tail.whole_ids - last_numbers.keys()
    size_bytes = 0
    for entry in tail.entries:
        is_inside = portion[-1].data_set_id == entry.data_set_id if portion else False
        must_stay = is_inside and entry.number <= truncated.get(entry.data_set_id, 0)
        if portion and not must_stay and size_bytes + len(entry.body) > STEP_BYTES:
            yield Tail(tail.data_sets, portion, frozenset(ended))
            portion, size_bytes, ended = [], 0, frozenset()
        portion.append(entry)
        size_bytes += len(entry.body)
        if entry.data_set_id in tail.whole_ids and entry.number == last_numbers[entry.data_set_id]:
            ended |= {entry.data_set_id}
    yield Tail(tail.data_sets, portion, frozenset(ended))


@contextmanager
def _leases(owner_id: str, ports: TilePorts) -> Iterator[Callable[[], CompactionLease | None]]:
    """A function that acquires one lease after the other, all for one holder. The last one is released at the end."""
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


def _current(lease: CompactionLease, ports: TilePorts) -> tuple[OwnerState, Manifest]:
    owner, manifest = ports.tiles.current(lease.owner.id)
    if owner.epoch != lease.owner.epoch:
        raise WriteConflictError
    return owner, manifest


def _archive(lease: CompactionLease, entries: Iterable[Entry], ports: TilePorts) -> None:
    for _, of_data_set in groupby(entries, key=lambda entry: entry.data_set_id):
        ports.archive.put(lease.owner, list(of_data_set))


def _kept(tail: Tail) -> Iterator[Entry]:
    """The entries without those that were deleted with their data set: these are not archived."""
    deleted_through = {data_set.id: data_set.deleted_through for data_set in tail.data_sets if can_be_seen(data_set)}
    return (
        entry
        for entry in tail.entries
        if entry.data_set_id in deleted_through and entry.number > deleted_through[entry.data_set_id]
    )


def _compacted(data_sets: Iterable[DataSet], before: Manifest, after: Manifest) -> list[CompactedRange]:
    return [
        CompactedRange(data_set.id, data_set.is_continuous, after.position(data_set.id))
        for data_set in data_sets
        if after.position(data_set.id) > before.position(data_set.id)
    ]
