"""Users, attempts and tiles for the tests of what keeps them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.engine.engine import Engine
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.ports import Backlogs, DataSetStore, RecordLog
from chalicelib.log.records import RecordAddress
from chalicelib.log.stores.backlog import StoredBacklogs
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.tiles.manifest import LogPosition, Manifest, TileRef, followed_by
from chalicelib.tiles.ports import CompactedRange, CompactionLease, SweepRequests, TileWriter
from chalicelib.tiles.stores.sweep import StoredSweepRequests
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.tiles.tile import Candidate, TileContent, TileKey, TileStats, encode_tile
from tests.stores.log.test_data_stores import ANNA, NOW_MS, data_set, entry

LEASE_MS = 60_000
LATER_MS = NOW_MS + 10_000_000
"""After all that happens in a test."""
CBG, CBG_NEXT, BOLUS = TileKey("cbg", 20_454), TileKey("cbg", 20_455), TileKey("bolus", 20_454)
QUARTER = [TileKey("cbg", 20_454 + day) for day in range(90)]
Tiles = Mapping[TileKey, tuple[TileContent, TileStats]]


@dataclass
class Stores:
    """The stores of one engine."""

    data_sets: DataSetStore
    log: RecordLog
    tiles: TileWriter
    sweep_requests: SweepRequests
    backlogs: Backlogs

    def open(self, name: str = "a", data_set_type: str = "continuous") -> DataSetHead:
        """A new data set of Anna's."""
        self.data_sets.create(data_set(name, data_set_type=data_set_type))
        return self.head(name)

    def head(self, name: str = "a") -> DataSetHead:
        """The current head of a data set."""
        found = self.data_sets.head(name * 32)
        assert found is not None
        return found

    def add(self, name: str = "a", body: bytes = b"body", stored_time_ms: int = NOW_MS) -> int:
        """Append an entry; return its number."""
        return self.log.append(self.head(name), replace(entry(body), stored_time_ms=stored_time_ms))

    def numbers(self, *normal_names: str) -> list[tuple[str, int]]:
        """The entries in Anna's logs, each as the letter of its data set and its number."""
        entries = self.log.entries(self.data_sets.owner(ANNA), [name * 32 for name in normal_names])
        return sorted((entry.data_set_id[0], entry.number) for entry in entries)

    def begin(self, holder: str = "me", now_ms: int = NOW_MS) -> CompactionLease:
        """A lease on the compaction of Anna's data."""
        attempt = self.tiles.acquire(self.data_sets.owner(ANNA), holder, now_ms, now_ms + LEASE_MS)
        assert attempt is not None
        return attempt

    def put(
        self,
        tiles: Tiles,
        gone: Iterable[TileKey] = (),
        logs: Mapping[str, LogPosition] | None = None,
        compacted: Sequence[CompactedRange] = (),
        now_ms: int = NOW_MS,
    ) -> Manifest:
        """The manifest after a compaction that wrote and committed these tiles."""
        attempt = self.begin(now_ms=now_ms)
        before = self.tiles.current(ANNA)[1]
        self.tiles.write(attempt, contents(tiles), {})
        after = after_attempt(before, attempt, tiles, gone, logs)
        self.tiles.commit(attempt, before, after, compacted, now_ms)
        self.tiles.release(attempt)
        return after

    def sweep(self, before_ms: int = LATER_MS) -> int:
        """Carry out all sweep requests from before this time; return the number of items removed."""
        return sum(self.sweep_requests.sweep(request) for request in list(self.sweep_requests.older_than(before_ms)))

    def shown(self, manifest: Manifest) -> dict[TileKey, bytes]:
        """The deflated records that each tile of a manifest shows."""
        owner = self.data_sets.owner(ANNA)
        refs = list(manifest.tile_refs())
        return {key: bytes(tile.lines.deflated) for key, tile in self.tiles.tiles(owner, refs, ()).items()}


def stores_on(engine: Engine) -> Stores:
    """The stores of an engine."""
    return Stores(
        StoredDataSets(engine.data),
        StoredRecordLog(engine.data),
        StoredTiles(engine.data),
        StoredSweepRequests(engine.data),
        StoredBacklogs(engine.data),
    )


def tile(key: TileKey, value: int = 1, shadowed: int = 0, note: str = "") -> tuple[TileContent, TileStats]:
    """A tile with one visible record and some shadowed ones."""
    return encode_tile(
        Candidate(
            time_ms=key.day * DAY_MS + row,
            created_time_ms=NOW_MS,
            data_set_id="a" * 32,
            address=RecordAddress(1, row),
            is_shadowed=row > 0,
            text=json_text.encode({"type": key.type, "value": value + row, "origin": {"id": f"{row}"}, "note": note}),
        )
        for row in range(1 + shadowed)
    )


def tiles(
    *keys: TileKey, value: int = 1, shadowed: int = 0, note: str = ""
) -> dict[TileKey, tuple[TileContent, TileStats]]:
    """A tile under each key."""
    return {key: tile(key, value, shadowed, note) for key in keys}


def contents(made: Tiles) -> dict[TileKey, TileContent]:
    """The contents of tiles, by key."""
    return {key: content for key, (content, _) in made.items()}


def refs(made: Tiles, version: int) -> dict[TileKey, TileRef | None]:
    """The references to tiles that a compaction of this version wrote."""
    return {
        key: TileRef(key, version, len(content.visible), len(content.shadowed), traits)
        for key, (content, traits) in made.items()
    }


def after_attempt(
    before: Manifest,
    attempt: CompactionLease,
    made: Tiles,
    gone: Iterable[TileKey] = (),
    logs: Mapping[str, LogPosition] | None = None,
) -> Manifest:
    """The manifest that a compaction is to commit."""
    changes = refs(made, attempt.fencing_token) | dict.fromkeys(gone)
    return followed_by(before, attempt.fencing_token, before.logs if logs is None else logs, changes)
