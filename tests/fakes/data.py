"""Data sets and their logs in memory. They pass the same tests as those on DynamoDB (tests/stores/log)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import DataSetClosedError, DataSetExistsError, DataSetNotFoundError
from chalicelib.log.backlog import URGENT_BYTES, Backlog, backlog_bytes
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState, deletes, head_of
from chalicelib.log.entry import Entry, NewEntry
from chalicelib.log.freshness import Freshness
from chalicelib.log.ports import FROM_THE_FIRST, NO_TIMES_MS, DataSetWrite
from chalicelib.log.truncation import truncates
from chalicelib.tiles.ports import PurgeRequest


class FakeDataSets:
    """Data sets in dictionaries."""

    def __init__(self) -> None:
        self.heads: dict[str, DataSetHead] = {}
        self.owners: dict[str, OwnerState] = {}
        self.data_sets: dict[str, DataSet] = {}
        self.purge_requests: dict[str, PurgeRequest] = {}
        self.marks: dict[str, Backlog] = {}

    def head(self, data_set_id: str) -> DataSetHead | None:
        """The head, or None."""
        return self.heads.get(data_set_id)

    def is_current(self, head: DataSetHead) -> bool:
        """Whether the data set belongs to its owner's current epoch."""
        return self.owner(head.owner_id).epoch == head.epoch

    def owner(self, owner_id: str) -> OwnerState:
        """The counters of a user."""
        return self.owners.get(owner_id, OwnerState(owner_id))

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """Newest first."""
        of_epoch = [
            data_set
            for data_set in self.data_sets.values()
            if (data_set.owner_id, data_set.epoch) == (owner.id, owner.epoch)
        ]
        return sorted(of_epoch, key=lambda data_set: (data_set.created_time_ms, data_set.id), reverse=True)

    def create(self, data_set: DataSet) -> None:
        """Keep a new data set."""
        if data_set.id in self.heads and self.is_current(self.heads[data_set.id]):
            raise DataSetExistsError(data_set.id)
        owner, head = self._require_epoch(data_set), head_of(data_set)
        freshness = owner.freshness
        if data_set.is_continuous:
            freshness = freshness.with_slot(data_set.id, head.ingested)
        self.heads[data_set.id] = head
        self.data_sets[data_set.id] = data_set
        self.change(owner, state_count=owner.state_count + 1, freshness=freshness)

    def replace(self, before: DataSet, after: DataSet) -> None:
        """Put one state in the place of another."""
        owner = self._require_epoch(after)
        head = self.heads[after.id]
        if self.data_sets[after.id].state_version != before.state_version:
            raise WriteConflictError
        if deletes(before, after) and after.deleted_through != head.last_number:
            raise WriteConflictError
        if after.close_sequence is not None and not before.is_closed:
            if after.close_sequence != owner.close_count + 1:
                raise WriteConflictError
            freshness = owner.freshness if head.is_continuous else owner.freshness.with_merged(head.ingested)
            owner = replace(owner, close_count=after.close_sequence, freshness=freshness)
            self.heads[after.id] = replace(head, is_closed=True)
            if any(self.heads[log_id].last_number != number for log_id, number in after.truncated_at_close.items()):
                raise WriteConflictError
            if truncates(after):
                self._order(after.modified_time_ms, after.owner_id, after.epoch, after.id)
        elif after.deleted_through != before.deleted_through:
            self._order(after.modified_time_ms, after.owner_id, after.epoch, after.id)
        if after.is_closed != before.is_closed or deletes(before, after):
            self.mark(after.owner_id, URGENT_BYTES, after.modified_time_ms)
        self.data_sets[after.id] = after
        self.change(owner, state_count=owner.state_count + 1)

    def erase(self, owner_id: str, now_ms: int) -> None:
        """Start a new epoch."""
        owner = self.owner(owner_id)
        self.change(owner, epoch=owner.epoch + 1, state_count=0, freshness=Freshness())
        self._order(now_ms, owner_id, owner.epoch)
        self.marks.pop(owner_id, None)

    def change(self, owner: OwnerState, **changed: Any) -> None:
        """Count a change that the owner's readers can notice."""
        self.owners[owner.id] = replace(owner, change_count=owner.change_count + 1, **changed)

    def mark(self, owner_id: str, backlog_bytes: int, now_ms: int) -> None:
        """Add to the backlog of a user whose tiles lag behind."""
        mark = self.marks.get(owner_id, Backlog(owner_id, now_ms, 0))
        self.marks[owner_id] = replace(mark, backlog_bytes=mark.backlog_bytes + backlog_bytes)

    def _order(self, time_ms: int, owner_id: str, epoch: int, data_set_id: str | None = None) -> None:
        request_id = f"{time_ms:013d}#{owner_id}#{epoch}#{data_set_id}"
        self.purge_requests[request_id] = PurgeRequest(request_id, time_ms, owner_id, epoch, data_set_id)

    def _require_epoch(self, data_set: DataSet) -> OwnerState:
        owner = self.owner(data_set.owner_id)
        if owner.epoch != data_set.epoch:
            raise WriteConflictError
        return owner


class FakeRecordLog:
    """Logs in a list, beside the data sets whose heads they count up."""

    def __init__(self, data_sets: FakeDataSets) -> None:
        self._data_sets = data_sets
        self.log: list[tuple[DataSetHead, Entry]] = []

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """Commit an entry after the last."""
        now = self._data_sets.heads[head.id]
        owner = self._data_sets.owner(head.owner_id)
        if owner.epoch != head.epoch:
            raise DataSetNotFoundError(head.id)
        if now.is_closed:
            raise DataSetClosedError(head.id)
        number = now.last_number + 1
        ingested = now.ingested.after(number, newest_times_ms, entry.stored_time_ms)
        self._data_sets.heads[head.id] = replace(now, last_number=number, newest=ingested.newest)
        if head.is_continuous:
            self._data_sets.change(owner, freshness=owner.freshness.with_slot(head.id, ingested))
        self.log.append((head, Entry(head.id, number, entry.kind, entry.stored_time_ms, entry.body)))
        if (weight := backlog_bytes(entry, number)) is not None:
            self._data_sets.mark(head.owner_id, weight, entry.stored_time_ms)
        return number

    def commit(self, owner: OwnerState, writes: Sequence[DataSetWrite]) -> None:
        """Commit all or nothing; one process meets no conflict."""
        heads, data_sets = self._data_sets.heads, self._data_sets.data_sets
        for write in writes:
            if write.created is not None:
                self._data_sets.create(write.created)
            if write.changed is not None:
                head = heads[write.head.id]
                heads[write.head.id] = replace(head, client=write.head.client)
                self._data_sets.replace(data_sets[write.head.id], write.changed)
                owner = self._data_sets.owner(owner.id)
                freshness = owner.freshness.with_slot(write.head.id, heads[write.head.id].ingested)
                self._data_sets.owners[owner.id] = replace(owner, freshness=freshness)
            if write.entry is not None:
                self.append(write.head, write.entry, write.newest_times_ms)

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """By data set and number."""
        found = [
            entry
            for head, entry in self.log
            if (head.owner_id, head.epoch) == (owner.id, owner.epoch)
            and (head.is_continuous or head.id in normal_ids)
            and entry.number > after.get(head.id, 0)
        ]
        return sorted(found, key=lambda entry: (entry.data_set_id, entry.number))


class FakePurgeRequests:
    """Purging of the other fakes."""

    def __init__(self, data_sets: FakeDataSets, log: FakeRecordLog) -> None:
        self._data_sets = data_sets
        self._log = log

    def older_than(self, time_ms: int) -> Iterator[PurgeRequest]:
        """Oldest first."""
        given = sorted(self._data_sets.purge_requests.values(), key=lambda request: request.id)
        return iter([request for request in given if request.time_ms < time_ms])

    def finish(self, request: PurgeRequest) -> None:
        """Forget it."""
        self._data_sets.purge_requests.pop(request.id, None)

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """Newest first."""
        return self._data_sets.of_owner(OwnerState(owner_id, epoch))

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """By number."""
        return (entry for head, entry in self._log.log if (head.id, head.epoch) == (data_set.id, data_set.epoch))

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """Remove those numbers."""
        self._log.log = [
            (head, entry)
            for head, entry in self._log.log
            if (head.id, head.epoch) != (data_set.id, data_set.epoch) or entry.number not in numbers
        ]

    def remove_data_set(self, data_set: DataSet) -> None:
        """Remove everything."""
        self.remove_entries(data_set, [entry.number for entry in self.entries(data_set)])
        self._data_sets.heads.pop(data_set.id, None)
        self._data_sets.data_sets.pop(data_set.id, None)
