"""The state of a history without compaction: all entries ever added, and no tiles."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from chalicelib.engine.table import Table
from chalicelib.log.data_set import DataSetHead, OwnerState
from chalicelib.log.entry import Entry, NewEntry
from chalicelib.log.ports import FROM_THE_FIRST, NO_TIMES_MS, DataSetReader
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.tile import Tile, TileKey


class WholeLog:
    """All entries ever added, as a reader gets them: what `RecordLog.entries` would return if none was removed."""

    def __init__(self) -> None:
        self.added: list[tuple[DataSetHead, Entry]] = []

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """See `RecordLog.entries`."""
        return self._entries(owner, after, lambda head: head.is_continuous or head.id in normal_ids)

    def continuous_entries(self, owner: OwnerState, after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.continuous_entries`."""
        return self._entries(owner, after, lambda head: head.is_continuous)

    def normal_entries(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.normal_entries`."""
        return self._entries(owner, after, lambda head: head.id in normal_ids)

    def _entries(
        self, owner: OwnerState, after: Mapping[str, int], is_wanted: Callable[[DataSetHead], bool]
    ) -> list[Entry]:
        found = [
            entry
            for head, entry in self.added
            if (head.owner_id, head.epoch) == (owner.id, owner.epoch)
            and is_wanted(head)
            and entry.number > after.get(head.id, 0)
        ]
        return sorted(found, key=lambda entry: (entry.data_set_id, entry.number))


class DoubleLog(StoredRecordLog):
    """A log that keeps a second copy of all entries, from which none is removed."""

    def __init__(self, data: Table) -> None:
        super().__init__(data)
        self.whole = WholeLog()

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        """Commit it to both."""
        number = super().append(head, entry, newest_times_ms)
        self.whole.added.append((head, Entry(head.id, number, entry.kind, entry.stored_time_ms, entry.body)))
        return number


class NoTiles:
    """The tiles of users whose data was never compacted."""

    def __init__(self, data_sets: DataSetReader) -> None:
        self._data_sets = data_sets

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """An empty manifest."""
        owner = self._data_sets.owner(owner_id)
        return owner, Manifest(epoch=owner.epoch)

    def current_of(self, owner_ids: Sequence[str]) -> list[tuple[OwnerState, Manifest]]:
        """Empty manifests."""
        return [self.current(owner_id) for owner_id in owner_ids]

    def newest(self, _owner: OwnerState, _manifest: Manifest) -> None:
        """None."""

    def tiles(self, _owner: OwnerState, refs: Sequence[TileRef], _shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """None."""
        assert not refs
        return {}

    def origin_keys(self, _owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """None."""
        return iter(())
