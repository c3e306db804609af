"""The ports of tiles: their store, the sweep of what compaction made obsolete, and the purge of what was deleted.

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.ports import Archive, Backlogs, DataPorts
from chalicelib.tiles.snapshot import Snapshot, TilePlace
from chalicelib.tiles.tile import Tile, TileContent, TileKey


class TileSource(Protocol):
    """Finds the tiles of a snapshot."""

    def tiles(self, owner: OwnerState, places: Sequence[TilePlace], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """The tiles at these places of a snapshot; those named by `hidden` with what they hide.

        Raises:
            TileMissingError: one is not there, so the snapshot is too old to be read.
        """
        ...

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """What compactions have noted of the origin ids in each tile (`tile.origin_key`). It may name a tile that
        holds a record no more, or is gone; none that holds one is missing."""
        ...


class TileReader(TileSource, Protocol):
    """Finds snapshots, too. What a snapshot names can be read for a quarter of an hour after it was replaced."""

    def current(self, owner_id: str) -> tuple[OwnerState, Snapshot]:
        """The counters of a user's data and the snapshot of their epoch, an empty one of that epoch when there is
        none: one read, which sees every write that was answered."""
        ...


class TileMissingError(Exception):
    """A tile that a snapshot names is not there any more: read the current snapshot and begin again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right to write the next snapshot of a user, for a while: its version, and who has it.

    Whoever has an older attempt can no longer commit; what it wrote is swept.
    """

    owner: OwnerState
    version: int
    holder: str
    until_ms: int
    """When others may begin."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """Entries of one data set that a snapshot holds in tiles: all up to `through`."""

    data_set_id: str
    is_continuous: bool
    through: int


class TileWriter(TileReader, Protocol):
    """Writes snapshots and tiles. What is written is seen by nobody until it is committed."""

    def begin(self, owner: OwnerState, holder: str, now_ms: int, until_ms: int) -> Attempt | None:
        """A new attempt, whose version no other has had; None while another holder's time is not over.

        It leaves an order to sweep whatever is written for it, should it never be committed.

        Raises:
            WriteConflictError: the data was erased.
        """
        ...

    def write(
        self, attempt: Attempt, tiles: Mapping[TileKey, TileContent], origin_keys: Mapping[TileKey, Sequence[int]]
    ) -> None:
        """Writes tiles of the attempt's version, and notes the keys of origin ids that are new in some tiles."""
        ...

    def commit(
        self, attempt: Attempt, before: Snapshot, after: Snapshot, compacted: Sequence[Compacted], now_ms: int
    ) -> None:
        """Puts `after` in the place of `before`, in one step, and leaves an order to sweep the tiles that only
        `before` names and the entries that are compacted.

        Raises:
            WriteConflictError: the snapshot is another, the data was erased, or the attempt was swept.
        """
        ...

    def end(self, attempt: Attempt) -> None:
        """Lets others begin at once."""
        ...


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What may be removed some time after an attempt: what it wrote when it was not committed, and otherwise what its
    snapshot replaced."""

    id: str
    time_ms: int
    owner_id: str
    epoch: int
    version: int


class Sweeping(Protocol):
    """Keeps the orders of attempts and carries them out. Each may be carried out twice, and may stop half-way."""

    def orders(self, before_ms: int) -> Iterator[SweepOrder]:
        """Those given before, oldest first; one that was committed counts from then."""
        ...

    def sweep(self, order: SweepOrder) -> int:
        """Carries out an order, parts of bodies that no entry names any more included, and forgets it; how many tiles
        and entries it removed. An attempt that was not committed can no longer be from here on."""
        ...

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """Removes all tiles, notes and the snapshot of an epoch that was erased."""
        ...


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """What may hold something to purge: a data set, or (without one) all that a user had in an epoch."""

    id: str
    time_ms: int
    owner_id: str
    epoch: int
    data_set_id: str | None = None


class Purging(Protocol):
    """Keeps orders, and carries out the removals. Each removal may be repeated, and may stop half-way."""

    def orders(self, before_ms: int) -> Iterator[PurgeOrder]:
        """Those given before, oldest first."""
        ...

    def finish(self, order: PurgeOrder) -> None:
        """Forgets an order that was carried out."""
        ...

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """The data sets that a user had in an epoch, erased or not."""
        ...

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """The entries of a log, by number."""
        ...

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """Removes entries with all parts of their bodies."""
        ...

    def remove_data_set(self, data_set: DataSet) -> None:
        """Removes all that is stored of a data set, strays that no entry names included; its description last."""
        ...


@dataclass(frozen=True, slots=True)
class TilePorts:
    """The stores that compaction and purging change, with a clock, since both take minutes."""

    data: DataPorts
    tiles: TileWriter
    archive: Archive
    backlog: Backlogs
    sweeping: Sweeping
    purging: Purging
    now_ms: Callable[[], int]
    new_id: Callable[[], str]


class TileServices(Protocol):
    """The services that the tasks of the read model use."""

    @property
    def count(self) -> Callable[[str, int], None]: ...

    @property
    def tiles(self) -> TilePorts: ...
