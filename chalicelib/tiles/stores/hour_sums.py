"""Hour sums in the data table: beside the tile that they are of, under its key with one more field."""

from collections.abc import Mapping, Sequence

from chalicelib.engine.table import Put, Table
from chalicelib.glucose.tile_sums import TileSums
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import key
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.ports import CompactionLease
from chalicelib.tiles.stores.items import PART_BYTES, get_tiles_and_sums
from chalicelib.tiles.stores.keys import sums_sort_key, tiles_partition
from chalicelib.tiles.tile import Tile, TileKey


class StoredHourSums:
    """The port `HourSumWriter` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def with_tiles(
        self, owner: OwnerState, refs: Sequence[TileRef], folded: Sequence[TileRef]
    ) -> tuple[dict[TileKey, TileSums], dict[TileKey, Tile]]:
        """See `HourSumReader.with_tiles`: one BatchGetItem for up to a hundred items of up to 14 MB together.

        Reads may lag, at half the price. Sums that are not found are made from the tile.
        """
        tiles, sums = get_tiles_and_sums(self._data, owner, folded, [ref.key for ref in folded], refs)
        return {tile_key: TileSums(content) for tile_key, content in sums.items()}, tiles

    def current(self, owner: OwnerState, refs: Sequence[TileRef]) -> dict[TileKey, TileSums]:
        """See `HourSumWriter.current`: one BatchGetItem for up to a hundred items."""
        partition = tiles_partition(owner.id, owner.epoch)
        items = self._data.batch_get([key(partition, sums_sort_key(ref.version, *ref.key)) for ref in refs])
        return {ref.key: TileSums(item["body"]) for ref, item in zip(refs, items, strict=True) if item is not None}

    def write(self, lease: CompactionLease, sums: Mapping[TileKey, bytes]) -> None:
        """See `HourSumWriter.write`: one BatchWriteItem for each 25 items."""
        version = lease.fencing_token
        self._put(lease.owner, {sums_sort_key(version, *tile_key): content for tile_key, content in sums.items()})

    def add(self, lease: CompactionLease, sums: Mapping[TileRef, bytes]) -> None:
        """See `HourSumWriter.add`: one BatchWriteItem for each 25 items."""
        self._put(lease.owner, {sums_sort_key(ref.version, *ref.key): content for ref, content in sums.items()})

    def _put(self, owner: OwnerState, contents: Mapping[str, bytes]) -> None:
        partition = tiles_partition(owner.id, owner.epoch)
        self._data.batch_write(
            [
                Put(key(partition, sort_key) | {"body": content})
                for sort_key, content in contents.items()
                if len(content) <= PART_BYTES
            ]
        )
