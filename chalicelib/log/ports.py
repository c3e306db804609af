"""The ports of the log: data sets, their entries, the archive, and the backlog of compaction.

`tests/stores` holds the suites that every store and its fake pass.

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Protocol

from chalicelib.frozen import frozen
from chalicelib.log.backlog import Backlog
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState
from chalicelib.log.entry import Entry, NewEntry

NO_TIMES_MS: Mapping[str, int] = MappingProxyType({})
FROM_THE_FIRST: Mapping[str, int] = MappingProxyType({})


class DataSetHeads(Protocol):
    """Finds the heads of data sets. Reads see every write that was answered."""

    def head(self, data_set_id: str) -> DataSetHead | None:
        """The head of a data set; None if there never was such a data set.

        The owner's data may have been erased since: see `is_current`.
        """
        ...

    def is_current(self, head: DataSetHead) -> bool:
        """Whether the owner's data was not erased since the data set was created: one more read."""
        ...


class DataSetReader(Protocol):
    """Finds the data sets of a user. Reads see every write that was answered."""

    def owner(self, owner_id: str) -> OwnerState:
        """The counters of a user's data; zeros for a user without any, known or not."""
        ...

    def owners(self, owner_ids: Sequence[str]) -> list[OwnerState]:
        """As `owner`, of several users, in their order. The counters may lag behind for a moment."""
        ...

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """All data sets of the owner's epoch, newest first; of equal times, the greatest id first."""
        ...


class DataSetStore(DataSetHeads, DataSetReader, Protocol):
    """Stores data sets.

    Each write also raises `OwnerState.change_count`, in the same step.
    """

    def create(self, data_set: DataSet) -> None:
        """Store a new data set with an empty log. The id may be one of erased data.

        Raises:
            DataSetExistsError: there is a data set with this id.
            WriteConflictError: the owner's epoch is another.
        """
        ...

    def replace(self, before: DataSet, after: DataSet) -> None:
        """Store `after` in place of `before`.

        Closing takes `after.close_sequence`, which has to be one more than the owner's `close_count`. The log accepts
        no more entries then, and the newest times of a normal data set are merged into those of its client. The
        logs in `after.truncated_at_close` must still end at these numbers; a store compares at least the first ninety.

        Deleting needs `after.deleted_through` to be the number of the log's last entry.

        Raises:
            WriteConflictError: the data set, the owner's counters or one of these logs has changed.
        """
        ...

    def erase(self, owner_id: str, now_ms: int) -> None:
        """Start a new epoch: no reader finds the data sets and data of the user any more, and a request to purge them
        is stored.

        Raises:
            WriteConflictError: another request erased the user's data at the same time.
        """
        ...


@frozen
class DataSetWrite:
    """All that one request changes of one data set: opens it or changes its description, and appends an entry.

    A data set to open is `created`, and `head` its head; `replaced` is the head of erased data that had the id before.
    """

    head: DataSetHead
    created: DataSet | None = None
    replaced: DataSetHead | None = None
    changed: DataSet | None = None
    """The data set after the change; its `state_version` is one more than before."""
    deletion: NewEntry | None = None
    """An entry that comes before `entry`."""
    entry: NewEntry | None = None
    # By a factory: Python 3.11 takes a mapping proxy, which has no hash there, for a default that may change.
    newest_times_ms: Mapping[str, int] = field(default_factory=lambda: NO_TIMES_MS)


@frozen
class OwnerWrites:
    """All that one request changes of the data sets of one owner; `owner` has the counters that were read."""

    owner: OwnerState
    writes: Sequence[DataSetWrite]


MAX_DATA_SET_WRITES = 32
"""A transaction has at most a hundred writes: three for each data set, one each for owner and backlog."""


class RecordLog(Protocol):
    """Stores the entries of data sets. Entries are ordered and never change, and a reader sees an entry whole or not
    at all."""

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """Commit an entry behind the last one, and return its number: `head.last_number` + 1 or higher.

        The newest time of each type is merged into the head in the same step. With a continuous data set, it is merged
        into the owner's freshness as well, and `OwnerState.change_count` rises.

        Raises:
            DataSetClosedError: the data set was closed meanwhile.
            DataSetNotFoundError: the owner's data was erased meanwhile.
        """
        ...

    def commit(self, owner: OwnerState, writes: Sequence[DataSetWrite]) -> None:
        """Carry out all writes, at most `MAX_DATA_SET_WRITES`, for data sets of one owner, or none of them.

        Raises:
            WriteConflictError: a data set or the owner's counters have changed since they were read.
        """
        ...

    def commit_together(self, commits: Sequence[OwnerWrites]) -> None:
        """As `commit`, for data sets of several owners: all of it, or nothing.

        Raises:
            WriteConflictError: a data set or the counters of an owner have changed since they were read.
        """
        ...

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """The entries of all continuous data sets of the epoch and of these normal ones.

        Args:
            after: by data set, the number after which its entries begin; absent means from the first.

        Returns:
            Entries grouped by data set, by number within each; the data sets are in no particular order.
        """
        ...

    def continuous_entries(self, owner: OwnerState, after: Mapping[str, int]) -> list[Entry]:
        """Those of all continuous data sets alone."""
        ...

    def normal_entries(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> list[Entry]:
        """Those of these normal data sets alone; no read for none."""
        ...

    def each_entry(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> Iterator[Entry]:
        """The same entries one by one, with a few megabytes of them in memory, however long the logs are.

        An entry that is added meanwhile may be among them, and then all earlier ones of its data set are.
        """
        ...


class Archive(Protocol):
    """Stores entries that are in tiles, outside the table, for as long as their data set."""

    def put(self, owner: OwnerState, entries: Sequence[Entry]) -> None:
        """Store entries of one data set, sorted by number. Storing an entry twice is harmless.

        Numbers may be missing only where the entries were removed from the log.
        """
        ...

    def entries(self, owner: OwnerState, data_set_id: str) -> Iterator[Entry]:
        """All entries of a data set that were put: by number, each once."""
        ...

    def remove_entries(self, owner: OwnerState, data_set_id: str, numbers: Collection[int]) -> None:
        """Remove the entries with these numbers, as far as they are there."""
        ...

    def remove(self, owner: OwnerState, data_set_id: str | None = None) -> None:
        """Remove all entries of a data set, or of all data sets of the owner's epoch."""
        ...


class Backlogs(Protocol):
    """Finds the users whose tiles lag behind. The stores of data sets and logs add to a backlog with the writes that
    cause it."""

    def all(self) -> Iterator[Backlog]:
        """All backlogs, in no particular order."""
        ...

    def make_due(self, owner_id: str) -> None:
        """Let the next run of the job compact a user who has a backlog, however small it is."""
        ...

    def clear(self, backlog: Backlog) -> None:
        """Remove a backlog unless it has grown since it was read."""
        ...


@frozen
class DataPorts:
    """The stores of data sets and of their logs."""

    data_sets: DataSetStore
    log: RecordLog
