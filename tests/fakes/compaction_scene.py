"""Anna's data with tiles, and with short words for compacting, sweeping and rebuilding them and for what that reads."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.access.policy import READERS
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.engine.definitions import DATA
from chalicelib.log.data_set import OwnerState
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.tiles.compact import LEASE_MS, CompactionResult, compact, rebuild
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.purge import WAIT_MS
from chalicelib.tiles.stores.keys import tiles_partition
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.tiles.tile import TileContent, TileKey
from tests.fakes.calls import call_by
from tests.fakes.checked_stores import CheckedArchive, CheckedSweepRequests, CheckedTiles, unwatched_data
from tests.fakes.data_scene import ANNA, DataScene, Item, cbg

ANNA_ID = str(ANNA.user_id)
FIRST_DAY = 20_454
"""2026-01-01, on which the scene's records are unless they say otherwise."""


class CompactionScene(DataScene):
    """A scene with checked stores of what a compaction writes."""

    tiles: CheckedTiles

    def __init__(self) -> None:
        super().__init__()
        self.tiles = CheckedTiles(self.fakes.engine)
        self.sweep_requests = CheckedSweepRequests(self.fakes.engine)
        self.archive = CheckedArchive(self.fakes.engine.objects)

    def take_over(self, other: "CompactionScene") -> None:
        """Store what another scene has stored, in place of what is stored here."""
        self.fakes.take_over(other.fakes)
        self.tiles.take_over(other.tiles)
        self.archive.take_over(other.archive)

    def ports(self) -> TilePorts:
        """The ports of a compaction."""
        return replace(
            self.fakes.services.tiles,
            tiles=self.tiles,
            sweep_requests=self.sweep_requests,
            archive=self.archive,
            new_id=lambda: f"worker {self.new_id()}",
        )

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
        return sum(
            self.sweep_requests.sweep(request)
            for request in list(self.sweep_requests.older_than(self.now_ms - WAIT_MS))
        )

    @property
    def manifest(self) -> Manifest:
        """The current one."""
        return self.tiles.current(ANNA_ID)[1]

    def content(self, name: str = "cbg", day: int = FIRST_DAY) -> TileContent:
        """The stored content of a tile of the current manifest."""
        place = self.manifest.tile(TileKey(name, day))
        assert place is not None
        return self.tile(place)

    def tile(self, ref: TileRef) -> TileContent:
        """The stored content of a tile."""
        return self._tiles(self.manifest, [ref])[ref.key]

    @property
    def stored_tiles(self) -> set[tuple[int, TileKey]]:
        """Version and key of each tile that is stored in the current epoch."""
        items = self.fakes.items(DATA, partition=tiles_partition(ANNA_ID, self.manifest.epoch))
        parts = [item["sk"].split("#") for item in items]
        return {(int(version), TileKey(name, int(day))) for version, name, day, *_ in parts}

    def contents(self) -> dict[TileKey, TileContent]:
        """Of all tiles that the current manifest names."""
        manifest = self.manifest
        return self._tiles(manifest, list(manifest.tile_refs()))

    def _tiles(self, manifest: Manifest, refs: Sequence[TileRef]) -> dict[TileKey, TileContent]:
        owner, keys = OwnerState(ANNA_ID, manifest.epoch), [ref.key for ref in refs]
        found = StoredTiles(unwatched_data(self.fakes.engine)).tiles(owner, refs, keys)
        return {key: found[key].content for key in keys}

    def answer(self, asked: DataQuery = DataQuery()) -> RecordArray:  # noqa: B008  it is frozen
        """The reply to a query; also records which tiles it reads."""
        self.tiles.read.clear()
        return query.read_data(
            call_by(ANNA, READERS, self.grants),
            ANNA_ID,
            asked,
            self.reading,
        ).records


def on(day: int, value: float = 5, origin: str | None = None, **members: object) -> Item:
    """A reading of so many days after the first, which may be up to 30 or below 0."""
    month, number = ("2026-01", day + 1) if day >= 0 else ("2025-12", day + 32)
    return cbg(value, 0, origin, time=f"{month}-{number:02d}T12:00:00Z", **members)
