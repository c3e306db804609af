"""The ports of tiles, of stores that a test names; in memory and empty where it names none."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.log.ports import Archive, DataPorts, DataSetStore
from chalicelib.tiles.ports import PurgeRequests, SweepRequests, TilePorts, TileWriter
from tests.fakes.data import FakeDataSets, FakePurgeRequests, FakeRecordLog
from tests.fakes.tiles import FakeTiles


def tile_ports(
    data: DataPorts,
    tiles: TileWriter,
    archive: Archive,
    now_ms: Callable[[], int],
    new_id: Callable[[], str],
) -> TilePorts:
    """The ports of a compaction, which neither sweeps nor purges nor looks at the backlog."""
    nothing = FakeDataSets()
    no_log = FakeRecordLog(nothing)
    empty = FakeTiles(nothing, no_log)
    return TilePorts(data, tiles, archive, empty, empty, FakePurgeRequests(nothing, no_log), now_ms, new_id)


@dataclass
class PurgeServices:
    """The services of a purge, which neither writes tiles nor counts."""

    data_sets: DataSetStore
    purge_requests: PurgeRequests
    sweep_requests: SweepRequests
    archive: Archive
    counted: list[str] = field(default_factory=list)

    @property
    def count(self) -> Callable[[str, int], None]:
        """Notes the name."""
        return lambda name, _: self.counted.append(name)

    @property
    def tiles(self) -> TilePorts:
        """The ports of the stores."""
        nothing = FakeDataSets()
        no_log = FakeRecordLog(nothing)
        empty = FakeTiles(nothing, no_log)
        data = DataPorts(self.data_sets, no_log)
        return TilePorts(data, empty, self.archive, empty, self.sweep_requests, self.purge_requests, lambda: 0, str)
