"""Anna's data with tiles, and with short words for compacting, sweeping and rebuilding them and for what that reads."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from chalicelib.access.policy import READERS
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.log.data_set import OwnerState
from chalicelib.log.ports import DataPorts
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.tiles.compact import LEASE_MS, CompactionResult, compact, rebuild
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.purge import WAIT_MS
from chalicelib.tiles.tile import Tile, TileContent, TileKey
from tests.fakes.calls import call_by
from tests.fakes.data_scene import ANNA, DataScene, Item, cbg
from tests.fakes.reading_ports import reading_ports
from tests.fakes.tile_ports import tile_ports
from tests.fakes.tiles import FakeArchive, FakeTiles

ANNA_ID = str(ANNA.user_id)
FIRST_DAY = 20_454
"""2026-01-01, on which the scene's records are unless they say otherwise."""


@dataclass
class CountedTiles(FakeTiles):
    """Tiles that remember which of them were read."""

    read: list[TileKey] = field(default_factory=list)

    def tiles(self, owner: OwnerState, places: Sequence[TileRef], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """Those, and a note of it."""
        self.read += [place.key for place in places]
        return super().tiles(owner, places, hidden)


class CompactionScene(DataScene):
    """A scene with an archive."""

    tiles: CountedTiles

    def __init__(self) -> None:
        super().__init__()
        self.tiles = CountedTiles(self.data_sets, self.log)
        self.archive = FakeArchive()

    def ports(self) -> TilePorts:
        """The ports of a compaction."""
        data = DataPorts(self.data_sets, self.log)
        return tile_ports(data, self.tiles, self.archive, lambda: self.now_ms, lambda: f"worker {self.new_id()}")

    def compact(self, check_time: Callable[[], None] = lambda: None) -> CompactionResult:
        """Compact everything, then forget the reads so far."""
        done = compact(ANNA_ID, self.ports(), check_time)
        self.tiles.read.clear()
        return done

    def rebuild(self) -> CompactionResult:
        """Rebuild all tiles."""
        return rebuild(ANNA_ID, self.ports(), lambda: None)

    def sweep(self) -> int:
        """Carry out all requests once leases and waits are over; how much was removed."""
        self.now_ms += LEASE_MS + WAIT_MS + 1
        return sum(self.tiles.sweep(request) for request in list(self.tiles.older_than(self.now_ms - WAIT_MS)))

    @property
    def manifest(self) -> Manifest:
        """The current one."""
        return self.tiles.current(ANNA_ID)[1]

    def content(self, name: str = "cbg", day: int = FIRST_DAY) -> TileContent:
        """The stored content of a tile of the current manifest."""
        place = self.manifest.tile(TileKey(name, day))
        assert place is not None
        return self.tiles.stored[ANNA_ID, self.manifest.epoch, place.version, place.key]

    def contents(self) -> dict[TileKey, TileContent]:
        """Of all tiles that the current manifest names."""
        return {ref.key: self.content(*ref.key) for ref in self.manifest.tile_refs()}

    def answer(self, asked: DataQuery = DataQuery()) -> RecordArray:  # noqa: B008  # it is frozen
        """The reply to a query; also records which tiles it reads."""
        self.tiles.read.clear()
        return query.read_data(
            call_by(ANNA, READERS, self.grants),
            ANNA_ID,
            asked,
            reading_ports(self.data_sets, self.log, self.tiles, self.sources),
        ).records


def on(day: int, value: float = 5, origin: str | None = None, **members: object) -> Item:
    """A reading of so many days after the first, which may be up to 30 or below 0."""
    month, number = ("2026-01", day + 1) if day >= 0 else ("2025-12", day + 32)
    return cbg(value, 0, origin, time=f"{month}-{number:02d}T12:00:00Z", **members)
