"""Whole logs: all entries of a user, from the archive and from the logs, with few of them in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.fold import can_be_seen
from chalicelib.log.truncation import truncations
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import TilePorts


class LogIncompleteError(Exception):
    """Entries that are in tiles are missing from both the archive and the log, so the tiles cannot be made again."""


class WholeLogs:
    """The logs of all data sets that readers see, as `Logs` to take steps from.

    Args:
        in_tiles_only: leaves out the entries that are not in tiles yet.
    """

    def __init__(self, owner: OwnerState, current: Manifest, ports: TilePorts, *, in_tiles_only: bool = False) -> None:
        known = [data_set for data_set in ports.data.data_sets.of_owner(owner) if can_be_seen(data_set)]
        self.normal_ids = [data_set.id for data_set in known if not data_set.is_continuous]
        self._archived_ids = [data_set.id for data_set in known if current.position(data_set.id)]
        self._owner = owner
        self._current = current
        self._ports = ports
        self._in_tiles_only = in_tiles_only
        self._read_through: dict[str, int] = defaultdict(int)
        self._holes: dict[str, list[range]] = defaultdict(list)

    def data_sets(self) -> Sequence[DataSet]:
        """See `Logs.data_sets`: one query."""
        return self._ports.data.data_sets.of_owner(self._owner)

    def entries(self, after: Mapping[str, int]) -> Iterator[Entry]:
        """See `Logs.entries`. An entry that is both in the archive and in the log comes once."""
        archived_ids = dict.fromkeys(self._archived_ids)
        logs = self._ports.data.log.each_entry(self._owner, self.normal_ids, after)
        for data_set_id, log in groupby(logs, key=attrgetter("data_set_id")):
            parts = [log]
            if data_set_id in archived_ids:
                del archived_ids[data_set_id]
                parts.append(self._ports.archive.entries(self._owner, data_set_id))
            yield from self._merged(data_set_id, parts, after.get(data_set_id, 0))
        for data_set_id in archived_ids:
            archived = self._ports.archive.entries(self._owner, data_set_id)
            yield from self._merged(data_set_id, [archived], after.get(data_set_id, 0))

    def require_complete(self, data_sets: Sequence[DataSet]) -> None:
        """Raise unless the entries that were read include all that are in the current tiles.

        Args:
            data_sets: as they are after the entries were read.

        Raises:
            LogIncompleteError: some are missing.
        """
        cuts = truncations(data_sets)
        for data_set in data_sets:
            # Truncated entries may have been purged, so such logs have holes.
            if can_be_seen(data_set) and not cuts[data_set.id]:
                first, last = data_set.deleted_through + 1, self._current.position(data_set.id)
                unread = range(self._read_through[data_set.id] + 1, last + 1)
                for hole in (*self._holes[data_set.id], unread):
                    if range(max(first, hole.start), min(last + 1, hole.stop)):
                        raise LogIncompleteError(data_set.id)

    def _merged(self, data_set_id: str, parts: Iterable[Iterable[Entry]], after: int) -> Iterator[Entry]:
        for entry in merge(*parts, key=attrgetter("number")):
            if entry.number <= after:
                continue
            if self._in_tiles_only and entry.number > self._current.position(data_set_id):
                continue
            after = entry.number
            self._note(entry)
            yield entry

    def _note(self, entry: Entry) -> None:
        """Remember up to which number a log was read, and which numbers were missing on the way."""
        through = self._read_through[entry.data_set_id]
        if entry.number > through + 1:
            self._holes[entry.data_set_id].append(range(through + 1, entry.number))
        self._read_through[entry.data_set_id] = max(through, entry.number)
