"""The session of a caller and the head of a data set, read in one round trip.

Most requests of most clients add a little data, and round trips are most of what such a request costs.
"""

from collections.abc import Callable

from chalicelib.access.call import Session
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState
from chalicelib.log.ports import DataSetStore

ReadBoth = Callable[[str, str], tuple[Session | None, DataSetHead | None]]
"""The session of a token hash and the head of a data set id, both as of the last answered write."""


class SessionAndHead:
    """Finds sessions, and the head of one data set that came along with them; one for each request."""

    def __init__(self, data_set_id: str, read_both: ReadBoth, data_sets: DataSetStore) -> None:
        self._data_set_id = data_set_id
        self._read_both = read_both
        self._data_sets = data_sets
        self._read: tuple[DataSetHead | None] | None = None

    def find(self, token_hash: str) -> Session | None:
        """The session, expired ones possibly included; the head is remembered."""
        session, head = self._read_both(token_hash, self._data_set_id)
        self._read = (head,)
        return session

    def head(self, data_set_id: str) -> DataSetHead | None:
        """The head that came with the session; read by itself when a caller showed no token, or for another id."""
        if self._read is not None and data_set_id == self._data_set_id:
            return self._read[0]
        return self._data_sets.head(data_set_id)

    def is_current(self, head: DataSetHead) -> bool:
        """Whether the data set was not erased: a read of its own."""
        return self._data_sets.is_current(head)

    def owner(self, owner_id: str) -> OwnerState:
        """See `DataSetReader.owner`."""
        return self._data_sets.owner(owner_id)

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """See `DataSetReader.of_owner`."""
        return self._data_sets.of_owner(owner)

    def create(self, data_set: DataSet) -> None:
        """See `DataSetStore.create`."""
        self._data_sets.create(data_set)

    def replace(self, before: DataSet, after: DataSet) -> None:
        """See `DataSetStore.replace`."""
        self._data_sets.replace(before, after)

    def erase(self, owner_id: str, now_ms: int) -> None:
        """See `DataSetStore.erase`."""
        self._data_sets.erase(owner_id, now_ms)
