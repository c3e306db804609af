"""What tiles and their compaction need of the world: a store, an archive, and marks that say whose log has grown.

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.log.data_set import DataOwner
from chalicelib.log.entry import Entry
from chalicelib.tiles.snapshot import Snapshot, TilePlace
from chalicelib.tiles.tile import Tile, TileContent, TileKey


class TileSource(Protocol):
    """Finds the tiles of a snapshot."""

    def tiles(self, owner: DataOwner, places: Sequence[TilePlace], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """The tiles at these places of a snapshot; those named by `hidden` with what they hide.

        Raises:
            TileMissingError: one is not there, so the snapshot is too old to be read.
        """
        ...

    def origin_keys(self, owner: DataOwner) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """What compactions have noted of the origin ids in each tile (`tile.origin_key`). It may name a tile that
        holds a record no more, or is gone; none that holds one is missing."""
        ...


class TileReader(TileSource, Protocol):
    """Finds snapshots, too. What a snapshot names can be read for a quarter of an hour after it was replaced."""

    def current(self, owner_id: str) -> tuple[DataOwner, Snapshot]:
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

    owner: DataOwner
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

    def begin(self, owner: DataOwner, holder: str, now_ms: int, until_ms: int) -> Attempt | None:
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


class Archive(Protocol):
    """Keeps entries that are in tiles, outside the table, for as long as their data set. Objects do not change."""

    def put(self, owner: DataOwner, entries: Sequence[Entry]) -> None:
        """Keeps entries of one data set, which come by number; a number between them that is not there was removed
        from the log. Putting some twice is harmless."""
        ...

    def entries(self, owner: DataOwner, data_set_id: str) -> Iterator[Entry]:
        """All that was put of a data set: by number, each once."""
        ...

    def remove_entries(self, owner: DataOwner, data_set_id: str, numbers: Collection[int]) -> None:
        """Removes the entries with these numbers, those that are there."""
        ...

    def remove(self, owner: DataOwner, data_set_id: str | None = None) -> None:
        """Removes all that was put of a data set, or of all data sets of the owner's epoch."""
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
class CompactionMark:
    """Says that a user's logs have grown by about so many bytes since the first of some entries that is not in tiles
    was stored. What happened after it was read makes it another mark."""

    owner_id: str
    since_ms: int
    weight_bytes: int


class CompactionMarks(Protocol):
    """Finds whose tiles lag behind. Marks are made by the stores, in the same step as what they tell of."""

    def all(self) -> Iterator[CompactionMark]:
        """All marks, in any order."""
        ...

    def clear(self, mark: CompactionMark) -> None:
        """Takes a mark away, unless it has grown since it was read."""
        ...
