"""The stores that a compaction writes, with checks of what their callers owe them: a test that compacts fails where a
rule is broken, and not only where a reader notices."""

from collections.abc import Collection, Mapping, Sequence

from chalicelib.engine.definitions import DATA
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.sqlite import SqliteTables
from chalicelib.engine.objects import Objects
from chalicelib.engine.table import Query, Table
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.stores.archive import StoredArchive
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.newest import decode_newest
from chalicelib.tiles.ports import CompactedRange, CompactionLease
from chalicelib.tiles.stores.items import items_of, tile_sort_keys
from chalicelib.tiles.stores.keys import newest_key, tiles_partition
from chalicelib.tiles.stores.sweep import StoredSweepRequests
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.tiles.tile import Tile, TileContent, TileKey


def unwatched_data(engine: EmbeddedEngine) -> Table:
    """The data table of an engine, whose calls nobody watches."""
    return SqliteTables(engine.database).table(DATA)


class CheckedTiles(StoredTiles):
    """Tiles that remember which of them were read. They fail a test that writes a committed tile again, or commits a
    manifest that names a tile that is not stored."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        super().__init__(engine.data)
        self._unwatched = unwatched_data(engine)
        self._written: dict[tuple[str, int, int, TileKey], TileContent] = {}
        self._committed: set[tuple[str, int]] = set()
        """Owner and version of each manifest."""
        self.read: list[TileKey] = []

    def take_over(self, other: "CheckedTiles") -> None:
        """Know what another store has written, whose items are copied into this one's table."""
        self._written, self._committed = dict(other._written), set(other._committed)

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileReader.tiles`."""
        self.read += [ref.key for ref in refs]
        found = super().tiles(owner, refs, shadowed)
        for ref in refs:
            content = found[ref.key].content
            assert len(content.visible) == ref.visible_bytes
            assert len(content.shadowed) == (ref.shadowed_bytes if ref.key in shadowed else 0)
        return found

    def write(
        self,
        lease: CompactionLease,
        tiles: Mapping[TileKey, TileContent],
        origin_keys: Mapping[TileKey, Sequence[int]],
    ) -> None:
        """See `TileWriter.write`."""
        owner_id, version = lease.owner.id, lease.fencing_token
        for key, content in tiles.items():
            place = owner_id, lease.owner.epoch, version, key
            if (owner_id, version) in self._committed:
                assert self._written.get(place) == content, "a committed tile was written again"
            self._written[place] = content
        super().write(lease, tiles, origin_keys)

    def commit(
        self,
        lease: CompactionLease,
        before: Manifest,
        after: Manifest,
        compacted: Sequence[CompactedRange],
        now_ms: int,
    ) -> None:
        """See `TileWriter.commit`."""
        owner_id = lease.owner.id
        assert (after.epoch, after.version) == (lease.owner.epoch, lease.fencing_token)
        super().commit(lease, before, after, compacted, now_ms)
        self._committed.add((owner_id, lease.fencing_token))
        named = {sort_key for ref in after.tile_refs() for sort_key in tile_sort_keys(items_of(ref))}
        query = Query(tiles_partition(owner_id, after.epoch), attributes=("sk",))
        assert named <= {item["sk"] for item in self._unwatched.query(query)}, "a tile was not written"
        kept = self._unwatched.get(newest_key(owner_id, after.epoch, after.version))
        visible = {ref.key.type for ref in after.tile_refs() if ref.stats.has_visible}
        assert kept is None or decode_newest(kept["body"]).keys() == visible


class CheckedSweepRequests(StoredSweepRequests):
    """Sweep requests that fail a test that removes an epoch that was not erased."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        super().__init__(engine.data)
        self._unwatched = unwatched_data(engine)

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """See `SweepRequests.remove_epoch`."""
        assert epoch < StoredDataSets(self._unwatched).owner(owner_id).epoch, "the epoch was not erased"
        super().remove_epoch(owner_id, epoch)


class CheckedArchive(StoredArchive):
    """An archive that fails a test that puts entries out of order, or another entry under the same number."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(objects)
        self._put: dict[tuple[str, int, str, int], Entry] = {}

    def take_over(self, other: "CheckedArchive") -> None:
        """Know what was put into another archive, whose objects are copied into this one's."""
        self._put = dict(other._put)

    def put(self, owner: OwnerState, entries: Sequence[Entry]) -> None:
        """See `Archive.put`."""
        numbers = [entry.number for entry in entries]
        assert numbers == sorted(set(numbers)), "the entries are not in order"
        (data_set_id,) = {entry.data_set_id for entry in entries}
        for entry in entries:
            place = owner.id, owner.epoch, data_set_id, entry.number
            assert self._put.setdefault(place, entry) == entry, "another entry has this number"
        super().put(owner, entries)
