"""The ports of tiles: their store, hour sums, sweep requests (for obsolete tiles) and purge requests (for hidden data).

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.access.quotas import Quotas
from chalicelib.frozen import frozen
from chalicelib.glucose.tile_sums import TileSums
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.ports import Archive, Backlogs, DataPorts
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.newest import NewestRecords
from chalicelib.tiles.tile import Tile, TileContent, TileKey


class TileSource(Protocol):
    """Finds the tiles of a manifest."""

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """The tiles of these references; those named by `shadowed` with their shadowed records.

        Raises:
            TileMissingError: a tile is gone, so the manifest is too old to be read.
        """
        ...

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """The origin index, segment by segment: keys of the origin ids in each tile (`tile.origin_key`). It may name a
        tile that no longer holds such a record, or that is gone; no tile that holds one is missing."""
        ...


class TileReader(TileSource, Protocol):
    """Finds manifests, too. The tiles of a manifest can be read for a quarter of an hour after it was replaced."""

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """The counters of a user's data, and the manifest of their epoch, an empty one if there is none: one read,
        which sees every write that was answered."""
        ...

    def current_of(self, owner_ids: Sequence[str]) -> list[tuple[OwnerState, Manifest]]:
        """As `current` for each of these owners, in their order: one read for all."""
        ...

    def newest(self, owner: OwnerState, manifest: Manifest) -> NewestRecords | None:
        """The newest records beside a manifest; None if they are not found, because an earlier version wrote it, or
        because it was written a moment ago."""
        ...


class TileMissingError(Exception):
    """A tile that a manifest names is gone: read the current manifest and begin again."""


@frozen
class CompactionLease:
    """The right to write the next manifest of a user, for a while.

    Once there is a newer lease, this one can no longer commit, and what it wrote is swept.
    """

    owner: OwnerState
    fencing_token: int
    """Greater than that of any earlier lease. The manifest and the tiles have it as their version."""
    holder: str
    until_ms: int
    """The time from which other holders may acquire a lease."""


@frozen
class CompactedRange:
    """The entries of one data set that are in tiles: all up to `last_number`."""

    data_set_id: str
    is_continuous: bool
    last_number: int


class TileWriter(TileReader, Protocol):
    """Writes manifests and tiles. Nobody sees what is written before it is committed."""

    def acquire(self, owner: OwnerState, holder: str, now_ms: int, until_ms: int) -> CompactionLease | None:
        """Acquire a new lease; None while another holder has one.

        This leaves a request to sweep what is written under the lease in case it is never committed.

        Raises:
            WriteConflictError: the data was erased.
        """
        ...

    def write(
        self,
        lease: CompactionLease,
        tiles: Mapping[TileKey, TileContent],
        origin_keys: Mapping[TileKey, Sequence[int]],
    ) -> None:
        """Write tiles of the lease's version, and add keys of origin ids to the origin index."""
        ...

    def write_newest(self, lease: CompactionLease, records: NewestRecords) -> None:
        """Write the newest records beside the manifest of the lease's version."""
        ...

    def commit(
        self,
        lease: CompactionLease,
        before: Manifest,
        after: Manifest,
        compacted: Sequence[CompactedRange],
        now_ms: int,
    ) -> None:
        """Replace `before` by `after` in one step, and leave a request to sweep the tiles that only `before` names and
        the entries that are compacted.

        Raises:
            WriteConflictError: another manifest is stored, the data was erased, or what was written was swept.
        """
        ...

    def release(self, lease: CompactionLease) -> None:
        """Release the lease, so that others can acquire one at once."""
        ...


class HourSumReader(Protocol):
    """Finds hour sums."""

    def with_tiles(
        self, owner: OwnerState, refs: Sequence[TileRef], folded: Sequence[TileRef]
    ) -> tuple[dict[TileKey, TileSums], dict[TileKey, Tile]]:
        """The sums beside the tiles of the first references, as far as there are any, and the tiles of the second with
        their shadowed records, in one read.

        Raises:
            TileMissingError: a tile is gone, so the manifest is too old to be read.
        """
        ...

    def current(self, owner: OwnerState, refs: Sequence[TileRef]) -> dict[TileKey, TileSums]:
        """The sums beside these tiles, as far as there are any: up to date, where `with_tiles` may lag."""
        ...


class HourSumWriter(HourSumReader, Protocol):
    """Writes hour sums. Nobody sees them before the manifest that names their tiles is committed."""

    def write(self, lease: CompactionLease, sums: Mapping[TileKey, bytes]) -> None:
        """Write sums of the lease's version. Those that do not fit into one item are left out."""
        ...

    def add(self, lease: CompactionLease, sums: Mapping[TileRef, bytes]) -> None:
        """Write sums beside tiles that are live, and stay it while the lease is held. Those that do not fit into one
        item are left out."""
        ...


@frozen
class SweepRequest:
    """Names a version whose garbage may be removed later: the version's own writes if it was not committed, otherwise
    what its manifest replaced."""

    id: str
    time_ms: int
    owner_id: str
    epoch: int
    version: int


class SweepRequests(Protocol):
    """Stores sweep requests and carries them out. A request may be carried out twice, and may stop half-way."""

    def older_than(self, time_ms: int) -> Iterator[SweepRequest]:
        """The requests from before this time, oldest first. The time of a committed version is that of the commit."""
        ...

    def sweep(self, request: SweepRequest) -> int:
        """Carry out a request, including parts of bodies that no entry names any more, remove it, and return how many
        tiles and entries were removed. A version that was not committed cannot be committed from then on."""
        ...

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """Remove all tiles, the origin index and the manifest of an erased epoch."""
        ...


@frozen
class PurgeRequest:
    """Names data to purge: a data set or, without one, everything that a user had in an epoch."""

    id: str
    time_ms: int
    owner_id: str
    epoch: int
    data_set_id: str | None = None


class PurgeRequests(Protocol):
    """Stores purge requests, and carries out the removals. A removal may be repeated, and may stop half-way."""

    def older_than(self, time_ms: int) -> Iterator[PurgeRequest]:
        """The requests from before this time, oldest first."""
        ...

    def finish(self, request: PurgeRequest, purged: DataSet | None = None) -> None:
        """Remove a request that was carried out; with a data set that was purged whole, its bytes no longer count."""
        ...

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """The data sets that a user had in an epoch, erased or not."""
        ...

    def remove_device_statuses(self, owner_id: str, epoch: int) -> None:
        """Remove the device statuses that a user had in an epoch or before."""
        ...

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """The entries of a log, by number."""
        ...

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """Remove entries with all parts of their bodies."""
        ...

    def remove_data_set(self, data_set: DataSet) -> None:
        """Remove everything stored of a data set, including parts that no entry names; its description last."""
        ...


@frozen
class TilePorts:
    """The stores of compaction and purging, and a clock, since both take minutes."""

    data: DataPorts
    tiles: TileWriter
    hour_sums: HourSumWriter
    archive: Archive
    backlog: Backlogs
    sweep_requests: SweepRequests
    purge_requests: PurgeRequests
    now_ms: Callable[[], int]
    new_id: Callable[[], str]


class TileServices(Protocol):
    """The services that the tasks of the read model use."""

    @property
    def count(self) -> Callable[[str, int], None]: ...

    @property
    def quotas(self) -> Quotas: ...

    @property
    def tiles(self) -> TilePorts: ...
