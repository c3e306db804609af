"""The ports of the log: data sets, their entries, the archive, and the backlog of compaction.

`tests/stores` holds the suites that every store and its fake pass.

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from chalicelib.log.backlog import CompactionMark
from chalicelib.log.data_set import DataOwner, DataSet, DataSetHead
from chalicelib.log.entry import Entry, NewEntry

NO_TIMES_MS: Mapping[str, int] = MappingProxyType({})
FROM_THE_FIRST: Mapping[str, int] = MappingProxyType({})


class DataSetHeads(Protocol):
    """Finds what adding data needs of a data set."""

    def head(self, data_set_id: str) -> DataSetHead | None:
        """The head as of the last answered write; None when there never was such a data set.

        The owner's data may have been erased since: `is_current` tells.
        """
        ...

    def is_current(self, head: DataSetHead) -> bool:
        """Whether the owner's data was not erased since the data set was created: one more read."""
        ...


class DataSetReader(Protocol):
    """Finds the data sets of a user. Reads see every write that was answered."""

    def owner(self, owner_id: str) -> DataOwner:
        """The counters of a user's data; zeros for a user without any, known or not."""
        ...

    def of_owner(self, owner: DataOwner) -> list[DataSet]:
        """All data sets of the owner's epoch, newest first; of equal times, the greatest id first."""
        ...


class DataSetStore(DataSetHeads, DataSetReader, Protocol):
    """Keeps data sets. Reads see every write that was answered.

    Each write raises `DataOwner.changes`, in the same step; closing merges what came in into the data set's client.
    """

    def create(self, data_set: DataSet) -> None:
        """Keeps a new data set, with an empty log.

        Raises:
            DataSetExistsError: there is, or was, one with this id.
            WriteConflictError: the owner's epoch is another.
        """
        ...

    def replace(self, before: DataSet, after: DataSet) -> None:
        """Puts `after` in the place of `before`, in one step with everything that goes with it.

        When that closes the data set, `after.close_order` is the owner's next and becomes their last, and the log
        takes no more entries; what `after.open_when_closed` says of the logs of others is true at that moment, at least
        of those that come first. When it deletes the data set, `after.cut_off` is the number of the log's last entry.

        Raises:
            WriteConflictError: the data set, the owner's counters or (for a deletion) the log have moved on.
        """
        ...

    def erase(self, owner_id: str, now_ms: int) -> None:
        """Starts a new epoch: all data sets and data of the user are gone at once, and ordered to be purged.

        Raises:
            WriteConflictError: it was erased at the same time.
        """
        ...


class RecordLog(Protocol):
    """Keeps the entries of the data sets' logs, in order and for good. A torn entry cannot be seen."""

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """Commits an entry after the last one and says its number, `head.last_number` + 1 or higher.

        In the same step it notes the newest time of each type in the head, and for a continuous data set raises
        `DataOwner.changes` and notes them in the owner's freshness, too.

        Raises:
            DataSetClosedError: the data set was closed meanwhile.
            DataSetNotFoundError: the owner's data was erased meanwhile.
        """
        ...

    def entries(
        self, owner: DataOwner, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """The entries of all continuous data sets of the epoch, and of the normal ones that are named; of a data set
        that `after` names only those with a greater number.

        Those of one data set stand together, by number; the order of the data sets is not said.
        """
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


class CompactionMarks(Protocol):
    """Finds whose tiles lag behind. Marks are made by the stores, in the same step as what they tell of."""

    def all(self) -> Iterator[CompactionMark]:
        """All marks, in any order."""
        ...

    def clear(self, mark: CompactionMark) -> None:
        """Takes a mark away, unless it has grown since it was read."""
        ...


@dataclass(frozen=True, slots=True)
class DataPorts:
    """The stores of data sets and of their logs."""

    data_sets: DataSetStore
    log: RecordLog
