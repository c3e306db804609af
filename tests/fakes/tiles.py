"""Tiles, their sweeping, marks and the archive in memory. They pass the same tests as those on AWS
(tests/stores/tiles, tests/stores/log), and stop before any write that a test chooses."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.conflicts import WriteConflictError
from chalicelib.log.backlog import Backlog
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry
from chalicelib.tiles.manifest import Manifest, TileRef, decode_manifest, encode_manifest
from chalicelib.tiles.ports import CompactedRange, CompactionLease, SweepRequest, TileMissingError
from chalicelib.tiles.tile import Tile, TileContent, TileKey
from tests.fakes.data import FakeDataSets, FakeRecordLog

Epoch = tuple[str, int]
TileAt = tuple[str, int, int, TileKey]
"""Owner, epoch, version and key of a tile."""


def go_on(_step: str) -> None:
    """The hook of a store that does not fail."""


@dataclass
class Lease:
    """The lease on a user's compaction: its holder and its end."""

    version: int = 0
    holder: str = ""
    until_ms: int = 0


@dataclass
class Given:
    """A sweep request with what belongs to it."""

    request: SweepRequest
    is_committed: bool = False
    is_swept: bool = False
    obsolete: Sequence[TileRef] = ()
    compacted: Sequence[CompactedRange] = ()


@dataclass
class FakeTiles:
    """Tiles in a dictionary, beside the data sets and logs that they are of.

    `before_write` is called with the name of each write before it happens: begin, tile, origin_keys, commit, end,
    clear, sweep_mark, sweep_tile, sweep_entry, sweep_request, remove_epoch. What it raises is where the process dies.
    """

    data_sets: FakeDataSets
    log: FakeRecordLog
    before_write: Callable[[str], None] = go_on
    manifests: dict[str, Manifest] = field(default_factory=dict)
    stored: dict[TileAt, TileContent] = field(default_factory=dict)
    notes: dict[Epoch, list[tuple[int, dict[TileKey, list[int]]]]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """Counters and manifest."""
        owner = self.data_sets.owner(owner_id)
        manifest = self.manifests.get(owner_id)
        return owner, manifest if manifest and manifest.epoch == owner.epoch else Manifest(epoch=owner.epoch)

    def tiles(self, owner: OwnerState, places: Sequence[TileRef], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """The tiles at these places."""
        found = {}
        for place in places:
            content = self.stored.get((owner.id, owner.epoch, place.version, place.key))
            if content is None:
                raise TileMissingError
            assert (len(content.visible), len(content.shadowed)) == (place.visible_bytes, place.shadowed_bytes)
            found[place.key] = Tile(content if place.key in hidden else TileContent(content.visible, b""))
        return found

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """The segments of the origin index."""
        return (note for _, note in self.notes.get((owner.id, owner.epoch), []))

    def acquire(self, owner: OwnerState, holder: str, now_ms: int, until_ms: int) -> CompactionLease | None:
        """A lease with the next fencing token, or None while another holder has one."""
        self.before_write("begin")
        self._require_epoch(owner)
        lease = self.leases.setdefault(owner.id, Lease())
        if lease.until_ms > now_ms and lease.holder != holder:
            return None
        self.leases[owner.id] = Lease(lease.version + 1, holder, until_ms)
        attempt = CompactionLease(owner, lease.version + 1, holder, until_ms)
        self._give(Given(_request(attempt, until_ms, "begun")))
        return attempt

    def write(
        self,
        attempt: CompactionLease,
        tiles: Mapping[TileKey, TileContent],
        origin_keys: Mapping[TileKey, Sequence[int]],
    ) -> None:
        """Store the tiles one after the other, then the segment of the origin index."""
        epoch = (attempt.owner.id, attempt.owner.epoch)
        for key, content in tiles.items():
            self.before_write("tile")
            at = (*epoch, attempt.fencing_token, key)
            was_committed = any(
                tile.is_committed
                and (tile.request.owner_id, tile.request.version) == (attempt.owner.id, attempt.fencing_token)
                for tile in self.given.values()
            )
            named = self.current(attempt.owner.id)[1].tile(key)
            if was_committed or (named is not None and named.version == attempt.fencing_token):
                assert self.stored.get(at) == content, "a committed tile was written again"
            self.stored[at] = content
        if origin_keys:
            self.before_write("origin_keys")
            note = {key: sorted(keys) for key, keys in origin_keys.items()}
            self.notes.setdefault(epoch, []).append((attempt.fencing_token, note))

    def commit(
        self,
        attempt: CompactionLease,
        before: Manifest,
        after: Manifest,
        compacted: Sequence[CompactedRange],
        now_ms: int,
    ) -> None:
        """In one step or not at all."""
        assert (after.epoch, after.version) == (attempt.owner.epoch, attempt.fencing_token)
        self.before_write("commit")
        self._require_epoch(attempt.owner)
        begun = self.given.get(_request(attempt, attempt.until_ms, "begun").id)
        if begun is None or begun.is_swept or self.leases[attempt.owner.id].version != attempt.fencing_token:
            raise WriteConflictError
        current = self.current(attempt.owner.id)[1]
        if current.version != before.version:
            raise WriteConflictError
        named = {(place.key, place.version) for place in after.tile_refs()}
        for key, version in named:
            assert (attempt.owner.id, after.epoch, version, key) in self.stored, "a tile was not written"
        self.manifests[attempt.owner.id] = decode_manifest(encode_manifest(after), after.epoch, after.version)
        del self.given[begun.request.id]
        obsolete = [place for place in before.tile_refs() if (place.key, place.version) not in named]
        self._give(Given(_request(attempt, now_ms, "committed"), True, False, obsolete, list(compacted)))

    def release(self, attempt: CompactionLease) -> None:
        """Gives up the lease."""
        self.before_write("end")
        lease = self.leases[attempt.owner.id]
        if (lease.version, lease.holder) == (attempt.fencing_token, attempt.holder):
            lease.until_ms = 0

    def older_than(self, time_ms: int) -> Iterator[SweepRequest]:
        """Oldest first."""
        requests = sorted((tile.request for tile in self.given.values()), key=lambda request: request.id)
        return iter([request for request in requests if request.time_ms < time_ms])

    def sweep(self, request: SweepRequest) -> int:
        """Removes what nobody can need."""
        given = self.given.get(request.id)
        if given is None:
            return 0
        owner, current = self.current(request.owner_id)
        named = {(place.version, place.key) for place in current.tile_refs()} if owner.epoch == request.epoch else set()
        removed = 0
        if given.is_committed:
            obsolete = {(place.version, place.key) for place in given.obsolete}
            removed += self._sweep_entries(request, given.compacted)
        else:
            self.before_write("sweep_mark")
            given.is_swept = True
            obsolete = set()
        if not given.is_committed or (owner.epoch, current.version) == (request.epoch, request.version):
            obsolete |= {at[2:] for at in self.stored if at[:3] == (request.owner_id, request.epoch, request.version)}
        for version, key in sorted(obsolete - named):
            if (at := (request.owner_id, request.epoch, version, key)) in self.stored:
                self.before_write("sweep_tile")
                del self.stored[at]
                removed += 1
        if not given.is_committed:
            epoch = (request.owner_id, request.epoch)
            self.notes[epoch] = [note for note in self.notes.get(epoch, []) if note[0] != request.version]
        self.before_write("sweep_request")
        self.given.pop(request.id, None)
        return removed

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """Removes everything of it."""
        self.before_write("remove_epoch")
        assert epoch < self.data_sets.owner(owner_id).epoch, "the epoch was not erased"
        self.stored = {at: content for at, content in self.stored.items() if at[:2] != (owner_id, epoch)}
        self.notes.pop((owner_id, epoch), None)
        if (manifest := self.manifests.get(owner_id)) is not None and manifest.epoch <= epoch:
            del self.manifests[owner_id]

    def all(self) -> Iterator[Backlog]:
        """Those that the fakes of data sets and logs made."""
        return iter(list(self.data_sets.marks.values()))

    def clear(self, backlog: Backlog) -> None:
        """Takes away what is still the same."""
        self.before_write("clear")
        if self.data_sets.marks.get(backlog.owner_id) == backlog:
            del self.data_sets.marks[backlog.owner_id]

    def _sweep_entries(self, request: SweepRequest, compacted: Sequence[CompactedRange]) -> int:
        through = {part.data_set_id: part.last_number for part in compacted}
        gone = [
            (head, entry)
            for head, entry in self.log.log
            if (head.owner_id, head.epoch) == (request.owner_id, request.epoch)
            and entry.number <= through.get(entry.data_set_id, 0)
        ]
        for swept in gone:
            self.before_write("sweep_entry")
            self.log.log.remove(swept)
        return len(gone)

    def _give(self, given: Given) -> None:
        self.given[given.request.id] = given

    def _require_epoch(self, owner: OwnerState) -> None:
        if self.data_sets.owner(owner.id).epoch != owner.epoch:
            raise WriteConflictError


def _request(attempt: CompactionLease, time_ms: int, kind: str) -> SweepRequest:
    owner = attempt.owner
    request_id = f"{time_ms:013d}#{owner.id}#{owner.epoch}#{attempt.fencing_token}#{kind}"
    return SweepRequest(request_id, time_ms, owner.id, owner.epoch, attempt.fencing_token)


@dataclass
class FakeArchive:
    """Entries in a dictionary by owner, epoch, data set and number. `before_write` is called with archive_put,
    archive_remove_entries and archive_remove."""

    before_write: Callable[[str], None] = go_on
    kept: dict[tuple[str, int, str], dict[int, Entry]] = field(default_factory=dict)

    def put(self, owner: OwnerState, entries: Sequence[Entry]) -> None:
        """Keep them."""
        self.before_write("archive_put")
        numbers = [entry.number for entry in entries]
        assert numbers == sorted(set(numbers)), "the entries are not in order"
        (data_set_id,) = {entry.data_set_id for entry in entries}
        kept = self.kept.setdefault((owner.id, owner.epoch, data_set_id), {})
        for entry in entries:
            assert kept.setdefault(entry.number, entry) == entry, "another entry has this number"

    def entries(self, owner: OwnerState, data_set_id: str) -> Iterator[Entry]:
        """By number."""
        kept = self.kept.get((owner.id, owner.epoch, data_set_id), {})
        return iter([kept[number] for number in sorted(kept)])

    def remove_entries(self, owner: OwnerState, data_set_id: str, numbers: Collection[int]) -> None:
        """Remove those."""
        self.before_write("archive_remove_entries")
        kept = self.kept.get((owner.id, owner.epoch, data_set_id), {})
        for number in numbers:
            kept.pop(number, None)

    def remove(self, owner: OwnerState, data_set_id: str | None = None) -> None:
        """Remove a data set's, or all."""
        self.before_write("archive_remove")
        for at in list(self.kept):
            if at[:2] == (owner.id, owner.epoch) and data_set_id in (None, at[2]):
                del self.kept[at]
