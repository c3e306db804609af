"""Reads of stores that are remembered while nothing is written, so that many queries of one state do not each pay for
reading it: after each step of a history its invariants ask several."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.ports import FROM_THE_FIRST, DataSetReader, RecordLog
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TileReader
from chalicelib.tiles.tile import Tile, TileKey


class Memory:
    """The results of reads since the last write to a database."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._database = engine.database
        self._changes = -1
        self._results: dict[Any, Any] = {}

    def once(self, key: Any, read: Callable[[], Any]) -> Any:
        """The result of a read, which is made if the database has changed since it was made last."""
        with self._database.reading() as connection:
            changes = connection.total_changes
        if changes != self._changes:
            self._changes = changes
            self._results.clear()
        if key not in self._results:
            self._results[key] = read()
        return self._results[key]


class RememberedDataSets:
    """The port `DataSetReader`."""

    def __init__(self, data_sets: DataSetReader, memory: Memory) -> None:
        self._data_sets, self._memory = data_sets, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data_sets, name)

    def owner(self, owner_id: str) -> OwnerState:
        """See `DataSetReader.owner`."""
        owner: OwnerState = self._memory.once(owner_id, lambda: self._data_sets.owner(owner_id))
        return owner

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """See `DataSetReader.of_owner`."""
        return list(self._memory.once((owner.id, owner.epoch), lambda: self._data_sets.of_owner(owner)))


class RememberedLog:
    """The reads of the port `RecordLog`."""

    def __init__(self, log: RecordLog, memory: Memory) -> None:
        self._log, self._memory = log, memory

    def entries(
        self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int] = FROM_THE_FIRST
    ) -> list[Entry]:
        """See `RecordLog.entries`."""
        key = owner.id, owner.epoch, tuple(normal_ids), tuple(sorted(after.items()))
        return list(self._memory.once(key, lambda: self._log.entries(owner, normal_ids, after)))

    def continuous_entries(self, owner: OwnerState, after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.continuous_entries`."""
        key = owner.id, owner.epoch, "continuous", tuple(sorted(after.items()))
        return list(self._memory.once(key, lambda: self._log.continuous_entries(owner, after)))

    def normal_entries(self, owner: OwnerState, normal_ids: Sequence[str], after: Mapping[str, int]) -> list[Entry]:
        """See `RecordLog.normal_entries`."""
        key = owner.id, owner.epoch, "normal", tuple(normal_ids), tuple(sorted(after.items()))
        return list(self._memory.once(key, lambda: self._log.normal_entries(owner, normal_ids, after)))


class RememberedTiles:
    """The port `TileReader`."""

    def __init__(self, tiles: TileReader, memory: Memory) -> None:
        self._tiles, self._memory = tiles, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tiles, name)

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """See `TileReader.current`."""
        current: tuple[OwnerState, Manifest] = self._memory.once(
            ("current", owner_id), lambda: self._tiles.current(owner_id)
        )
        return current

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileReader.tiles`."""
        key = owner.id, owner.epoch, tuple((ref.key, ref.version) for ref in refs), frozenset(shadowed)
        return dict(self._memory.once(key, lambda: self._tiles.tiles(owner, refs, shadowed)))
