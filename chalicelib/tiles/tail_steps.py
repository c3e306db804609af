"""Reads the entries of a compaction in steps, so that no more than the entries of one step are in memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import can_be_seen
from chalicelib.log.truncation import truncations
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.tail import Tail

STEP_BYTES = 2 * 1024 * 1024
"""The stored size of the entries of one step. Inflated they are about eight times as large."""


class Logs(Protocol):
    """The logs that steps are read from."""

    @property
    def normal_ids(self) -> Sequence[str]:
        """The normal data sets among them. They are closed, so their logs no longer grow."""

    def data_sets(self) -> Sequence[DataSet]:
        """All data sets of the owner and epoch, as they are now."""

    def entries(self, after: Mapping[str, int]) -> Iterator[Entry]:
        """The entries after these numbers, by data set and number, each read when the iterator gets to it."""


class StoredLogs:
    """The logs of all data sets that readers see, without the normal ones that are wholly in tiles."""

    def __init__(self, owner: OwnerState, manifest: Manifest, ports: TilePorts) -> None:
        self.normal_ids = [
            data_set.id
            for data_set in ports.data.data_sets.of_owner(owner)
            if can_be_seen(data_set) and not data_set.is_continuous and not manifest.has_whole_log(data_set.id)
        ]
        self._owner = owner
        self._data = ports.data

    def data_sets(self) -> Sequence[DataSet]:
        """See `Logs.data_sets`: one query."""
        return self._data.data_sets.of_owner(self._owner)

    def entries(self, after: Mapping[str, int]) -> Iterator[Entry]:
        """See `Logs.entries`."""
        return self._data.log.each_entry(self._owner, self.normal_ids, after)


def tail_steps(logs: Logs, positions: Mapping[str, int]) -> Iterator[Tail]:
    """The entries after these positions in steps, at least one; the last step of a log marks the log as whole.

    Each step has the data sets as they were after its entries were read. The entries of a log up to a truncation are in
    one step, because the truncation takes effect after the last of them: also if they were added since, and if another
    log is next, since a step folds all tiles whose data sets have changed.
    """
    reached = dict(positions)
    upcoming = _Upcoming(logs.entries(positions), reached)
    unfinished_ids = set(logs.normal_ids)
    while True:
        entries = upcoming.take_step()
        data_sets = logs.data_sets()
        truncated = truncated_numbers(data_sets)
        entries += upcoming.take_log_up_to(truncated)
        entries += _skipped(logs, truncated, reached)
        entries.sort(key=lambda entry: (entry.data_set_id, entry.number))
        following = upcoming.first()
        whole_ids = {entry.data_set_id for entry in entries} & unfinished_ids
        if following is None:
            whole_ids = unfinished_ids
        else:
            whole_ids.discard(following.data_set_id)
        unfinished_ids = unfinished_ids - whole_ids
        yield Tail(data_sets, entries, frozenset(whole_ids))
        if following is None:
            return


def truncated_numbers(data_sets: Sequence[DataSet]) -> dict[str, int]:
    """The last truncated entry of each data set that was truncated while it was open."""
    cuts = truncations(data_sets)
    return {
        data_set.id: max(cut.last_number or 0 for cut in cuts[data_set.id])
        for data_set in data_sets
        if can_be_seen(data_set) and cuts[data_set.id]
    }


class _Upcoming:
    """The entries that no step has taken.

    Args:
        reached: the last number of each log that a step has taken, which this keeps.
    """

    def __init__(self, entries: Iterator[Entry], reached: dict[str, int]) -> None:
        self._entries = entries
        self._first: Entry | None = None
        self._reached = reached
        self._last_id: str | None = None

    def first(self) -> Entry | None:
        """The next entry; None at the end."""
        while self._first is None or self._first.number <= self._reached.get(self._first.data_set_id, 0):
            self._first = next(self._entries, None)
            if self._first is None:
                return None
        return self._first

    def take_step(self) -> list[Entry]:
        """The next entries of at most `STEP_BYTES`, or one that is larger; none at the end."""
        taken: list[Entry] = []
        size_bytes = 0
        while entry := self.first():
            size_bytes += len(entry.body)
            if taken and size_bytes > STEP_BYTES:
                break
            taken.append(self._take(entry))
        return taken

    def take_log_up_to(self, numbers: Mapping[str, int]) -> list[Entry]:
        """The rest of the log whose entry was taken last, up to its number."""
        taken: list[Entry] = []
        while (entry := self.first()) and entry.data_set_id == self._last_id:
            if entry.number > numbers.get(entry.data_set_id, 0):
                break
            taken.append(self._take(entry))
        return taken

    def _take(self, entry: Entry) -> Entry:
        self._reached[entry.data_set_id], self._last_id = entry.number, entry.data_set_id
        return entry


def _skipped(logs: Logs, truncated: Mapping[str, int], reached: dict[str, int]) -> list[Entry]:
    """The truncated entries of logs that are partly taken, as far as no step has taken them."""
    wanted = {id_: number for id_, number in truncated.items() if reached.get(id_, number) < number}
    if not wanted:
        return []
    entries = [entry for entry in logs.entries(reached) if entry.number <= wanted.get(entry.data_set_id, 0)]
    reached |= wanted
    return entries
