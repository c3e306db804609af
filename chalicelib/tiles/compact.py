"""Compaction: what a user's logs have got since the last time goes into tiles, and its entries into the archive.

Any step of it may be the last one: tiles, notes and archive objects are seen by nobody until the snapshot that names
them takes the place of the one before, in one step, and what was written in vain is swept. See docs/adr/0005.
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
from chalicelib.tiles.fold_into_tiles import Folded, fold_into
from chalicelib.tiles.ports import Attempt, Compacted, TilePorts
from chalicelib.tiles.snapshot import Snapshot, TilePlace, followed_by
from chalicelib.tiles.tile import Tile, TileContent, TileKey

STEP_BYTES = 2 * 1024 * 1024
"""Entries that go into tiles in one step, as they are stored; inflated they take some eight times as much."""
LEASE_MS = 16 * 60_000
"""How long others wait for one who may have died: no function runs longer than a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a compaction has done."""

    entries: int = 0
    tiles: int = 0
    steps: int = 0
    is_held: bool = False
    """Whether another one is at work on the same user, and this one did nothing."""


class LogIncompleteError(Exception):
    """Entries of a data set that are in tiles are neither in the archive nor in the log: nothing can be made of these
    that could take the place of the tiles."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What the logs hold beyond a snapshot, and all data sets as they are known after that was read."""

    every: Sequence[DataSet]
    entries: Sequence[Entry]
    whole_ids: frozenset[str]
    """Normal data sets whose logs are among the entries to their end."""


def compact(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> Done:
    """Brings all entries of a user that there are now into tiles, step by step.

    Raises:
        WriteConflictError: all data was erased meanwhile; what was committed before is erased too.
    """
    done = Done()
    with _attempts(owner_id, ports) as begin:
        attempt = begin()
        if attempt is None:
            return replace(done, is_held=True)
        owner, before = _current(attempt, ports)
        tail = read_tail(owner, before, ports)
        for entries, whole_ids in _steps(tail):
            check_time()
            folded = fold_into(before, owner, tail.every, entries, whole_ids, ports.tiles)
            if folded.applied == before.applied and not folded.tiles:
                continue
            attempt = attempt or begin()
            if attempt is None:
                break
            _archive(attempt, _seen(entries, tail.every), ports)
            ports.tiles.write(attempt, folded.written, folded.origin_keys)
            after = followed_by(before, attempt.version, folded.applied, folded.places(attempt.version))
            ports.tiles.commit(attempt, before, after, _compacted(tail.every, before, after), ports.now_ms())
            done = Done(done.entries + len(entries), done.tiles + len(folded.tiles), done.steps + 1)
            before, attempt = after, None
    return done


def rebuild(owner_id: str, ports: TilePorts, check_time: Callable[[], None]) -> Done:
    """Makes all tiles of a user anew from archive and logs, and puts them in the place of those that there are.

    Raises:
        LogIncompleteError: there is not all that the present tiles were made of; they stay.
        WriteConflictError: all data was erased meanwhile, or it took so long that another one has begun.
    """
    with _attempts(owner_id, ports) as begin:
        attempt = begin()
        if attempt is None:
            return Done(is_held=True)
        owner, current = _current(attempt, ports)
        tail = whole_logs(owner, current, ports)
        after, drafts = Snapshot(epoch=owner.epoch, version=current.version), Drafts()
        for entries, whole_ids in _steps(tail):
            check_time()
            folded = fold_into(after, owner, tail.every, entries, whole_ids, drafts)
            drafts.take(folded)
            after = followed_by(after, attempt.version, folded.applied, folded.places(attempt.version))
        _archive(attempt, _seen(tail.entries, tail.every), ports)
        ports.tiles.write(attempt, drafts.contents, drafts.notes())
        ports.tiles.commit(attempt, current, after, _compacted(tail.every, current, after), ports.now_ms())
    return Done(len(tail.entries), sum(1 for _ in after.every_tile()), 1)


class Drafts:
    """The tiles of a rebuild before they are written, as a `TileSource`: what one step makes, the next one reads.

    They are written once, when all is done: no reader meets a former content under the key of a tile, not even one
    whose reads lag behind.
    """

    def __init__(self) -> None:
        self.contents: dict[TileKey, TileContent] = {}
        self._noted: dict[TileKey, set[int]] = defaultdict(set)

    def take(self, folded: Folded) -> None:
        """Puts what a step changed in the place of what there was."""
        for key, made in folded.tiles.items():
            if made is None:
                self.contents.pop(key, None)
            else:
                self.contents[key] = made[0]
        for key, origin_keys in folded.origin_keys.items():
            self._noted[key].update(origin_keys)

    def tiles(
        self, _owner: OwnerState, places: Sequence[TilePlace], _hidden: Collection[TileKey]
    ) -> dict[TileKey, Tile]:
        """The tiles as they are now."""
        return {place.key: Tile(self.contents[place.key]) for place in places}

    def notes(self) -> dict[TileKey, Sequence[int]]:
        """The keys of the origin ids of all records that the entries brought, by tile."""
        return {key: sorted(origin_keys) for key, origin_keys in self._noted.items()}

    def origin_keys(self, _owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """All notes at once."""
        return iter([self.notes()])


def read_tail(owner: OwnerState, snapshot: Snapshot, ports: TilePorts) -> Tail:
    """What is to go into tiles. Data sets are read again after the entries: see `fold_into`."""
    known = ports.data.data_sets.of_owner(owner)
    normal_ids = [
        it.id for it in known if can_be_seen(it) and not it.is_continuous and not snapshot.has_whole_log(it.id)
    ]
    entries = ports.data.log.entries(owner, normal_ids, snapshot.throughs())
    every = ports.data.data_sets.of_owner(owner)
    last_numbers = snapshot.throughs() | {entry.data_set_id: entry.number for entry in entries}
    truncated = _truncated_numbers(every)
    if any(number > last_numbers.get(data_set_id, 0) for data_set_id, number in truncated.items()):
        # Something was added and then truncated after the log was read: what is known of must not be left out.
        entries = [
            entry
            for entry in ports.data.log.entries(owner, normal_ids, snapshot.throughs())
            if entry.number <= max(last_numbers.get(entry.data_set_id, 0), truncated.get(entry.data_set_id, 0))
        ]
    return Tail(every, entries, frozenset(normal_ids))


def _truncated_numbers(every: Sequence[DataSet]) -> dict[str, int]:
    """For each data set that was truncated while it was open, the last entry that this covers."""
    cuts = truncations(every)
    return {
        data_set.id: max(cut.last_number or 0 for cut in cuts[data_set.id])
        for data_set in every
        if can_be_seen(data_set) and cuts[data_set.id]
    }


def whole_logs(owner: OwnerState, current: Snapshot, ports: TilePorts) -> Tail:
    """All entries that can matter, from the archive and from the logs, each once.

    Raises:
        LogIncompleteError: some that are in tiles are in neither.
    """
    known = [data_set for data_set in ports.data.data_sets.of_owner(owner) if can_be_seen(data_set)]
    normal_ids = [data_set.id for data_set in known if not data_set.is_continuous]
    found = {(entry.data_set_id, entry.number): entry for entry in ports.data.log.entries(owner, normal_ids)}
    for data_set in known:
        if current.through(data_set.id):
            for entry in ports.archive.entries(owner, data_set.id):
                found[entry.data_set_id, entry.number] = entry
    last_numbers = dict(sorted(found))
    every = ports.data.data_sets.of_owner(owner)
    truncated = _truncated_numbers(every)
    if any(number > last_numbers.get(data_set_id, 0) for data_set_id, number in truncated.items()):
        # As in `read_tail`.
        for entry in ports.data.log.entries(owner, normal_ids, last_numbers):
            if entry.number <= truncated.get(entry.data_set_id, 0):
                found[entry.data_set_id, entry.number] = entry
    cuts = truncations(every)
    for data_set in every:
        # What truncations hid may be purged, and leaves holes.
        if can_be_seen(data_set) and not cuts[data_set.id]:
            numbers = range(data_set.deleted_through + 1, current.through(data_set.id) + 1)
            if any((data_set.id, number) not in found for number in numbers):
                raise LogIncompleteError(data_set.id)
    return Tail(every, [found[key] for key in sorted(found)], frozenset(normal_ids))


def _steps(tail: Tail) -> Iterator[tuple[list[Entry], frozenset[str]]]:
    """The entries in portions; with the last ones of a data set, that its log ends there. At least one portion.

    What a truncation covers stays in one portion: it is made behind the last of them, not in between.
    """
    truncated = _truncated_numbers(tail.every)
    portion: list[Entry] = []
    last_numbers = {entry.data_set_id: entry.number for entry in tail.entries}
    ended = tail.whole_ids - last_numbers.keys()
    size_bytes = 0
    for entry in tail.entries:
        is_inside = portion[-1].data_set_id == entry.data_set_id if portion else False
        must_stay = is_inside and entry.number <= truncated.get(entry.data_set_id, 0)
        if portion and not must_stay and size_bytes + len(entry.body) > STEP_BYTES:
            yield portion, frozenset(ended)
            portion, size_bytes, ended = [], 0, frozenset()
        portion.append(entry)
        size_bytes += len(entry.body)
        if entry.data_set_id in tail.whole_ids and entry.number == last_numbers[entry.data_set_id]:
            ended |= {entry.data_set_id}
    yield portion, frozenset(ended)


@contextmanager
def _attempts(owner_id: str, ports: TilePorts) -> Iterator[Callable[[], Attempt | None]]:
    """What begins attempts, one after the other, all of one holder; others may begin when the block is left."""
    owner, holder = ports.data.data_sets.owner(owner_id), ports.new_id()
    begun: list[Attempt] = []

    def begin() -> Attempt | None:
        now_ms = ports.now_ms()
        attempt = ports.tiles.begin(owner, holder, now_ms, now_ms + LEASE_MS)
        begun.extend([attempt] if attempt is not None else [])
        return attempt

    try:
        yield begin
    finally:
        if begun:
            ports.tiles.end(begun[-1])


def _current(attempt: Attempt, ports: TilePorts) -> tuple[OwnerState, Snapshot]:
    owner, snapshot = ports.tiles.current(attempt.owner.id)
    if owner.epoch != attempt.owner.epoch:
        raise WriteConflictError
    return owner, snapshot


def _archive(attempt: Attempt, entries: Iterable[Entry], ports: TilePorts) -> None:
    for _, of_data_set in groupby(entries, key=lambda entry: entry.data_set_id):
        ports.archive.put(attempt.owner, list(of_data_set))


def _seen(entries: Iterable[Entry], every: Iterable[DataSet]) -> Iterator[Entry]:
    """Without those that were deleted with their data set: they are not kept."""
    cut_offs = {data_set.id: data_set.deleted_through for data_set in every if can_be_seen(data_set)}
    return (it for it in entries if it.data_set_id in cut_offs and it.number > cut_offs[it.data_set_id])


def _compacted(every: Iterable[DataSet], before: Snapshot, after: Snapshot) -> list[Compacted]:
    return [
        Compacted(data_set.id, data_set.is_continuous, after.through(data_set.id))
        for data_set in every
        if after.through(data_set.id) > before.through(data_set.id)
    ]
