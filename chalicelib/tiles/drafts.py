"""Drafts: the tiles of a rebuild before they are final, stored so that a step has in memory only those that it folds.

Each step writes the tiles that it changes under names of its own, with the version of the rebuild. No manifest names
them, so a sweep of the version removes them. The final tiles are written once, at the end: even a reader whose reads
lag behind finds only the final content of a tile.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from chalicelib.conflicts import WriteConflictError
from chalicelib.glucose.reading import GLUCOSE_TYPES
from chalicelib.glucose.tile_sums import TileSums
from chalicelib.log.data_set import OwnerState
from chalicelib.tiles.fold_into_tiles import TileChanges, groups_by_size
from chalicelib.tiles.hour_sums import sums_of_tiles
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.ports import CompactionLease, TileMissingError, TilePorts
from chalicelib.tiles.tail import Tail
from chalicelib.tiles.tile import DRAFT_MARK, Tile, TileKey


class TileDrafts:
    """The tiles after the last step of a rebuild, as a `TileSource`: each step reads those of the steps before it."""

    def __init__(self, lease: CompactionLease, ports: TilePorts) -> None:
        self._lease = lease
        self._ports = ports
        self._drafts: dict[TileKey, TileRef] = {}
        """For each tile, the reference to its draft."""
        self._steps = 0

    def take(self, changes: TileChanges, step: Tail) -> None:
        """Write what a step has changed."""
        self._steps += 1
        sums = sums_of_tiles(changes.written, step.data_sets, step.entries, self._sums(changes.written).values())
        drafts = {key: TileKey(f"{DRAFT_MARK}{self._steps}{DRAFT_MARK}{key.type}", key.day) for key in changes.written}
        written = {drafts[key]: content for key, content in changes.written.items()}
        self._ports.tiles.write(self._lease, written, changes.origin_keys)
        self._ports.hour_sums.write(self._lease, {drafts[key]: content for key, content in sums.items()})
        for key, ref in changes.refs(self._lease.fencing_token).items():
            if ref is None:
                self._drafts.pop(key, None)
            else:
                self._drafts[key] = ref._replace(key=drafts[key])

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileSource.tiles`.

        Raises:
            WriteConflictError: the drafts were swept, because the rebuild took longer than its lease lasts.
        """
        drafts = {ref.key: self._drafts[ref.key] for ref in refs}
        whole = [draft.key for key, draft in drafts.items() if key in shadowed]
        try:
            found = self._ports.tiles.tiles(owner, list(drafts.values()), whole)
        except TileMissingError as error:
            raise WriteConflictError from error
        return {key: found[draft.key] for key, draft in drafts.items()}

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """See `TileSource.origin_keys`: with the segments of the tiles that the rebuild replaces."""
        return self._ports.tiles.origin_keys(owner)

    def finish(self, check_time: Callable[[], None]) -> None:
        """Write the final tiles, a group at a time."""
        for group in groups_by_size(draft._replace(key=key) for key, draft in self._drafts.items()):
            check_time()
            keys = [ref.key for ref in group]
            tiles = self.tiles(self._lease.owner, group, keys)
            self._ports.tiles.write(self._lease, {key: tile.content for key, tile in tiles.items()}, {})
            sums = {key: of_tile.content for key, of_tile in self._sums(keys).items()}
            self._ports.hour_sums.write(self._lease, sums)

    def _sums(self, keys: Collection[TileKey]) -> dict[TileKey, TileSums]:
        """The hour sums of the drafts of these tiles, as far as there are any."""
        drafts = {self._drafts[key].key: key for key in keys if key.type in GLUCOSE_TYPES and key in self._drafts}
        found = self._ports.hour_sums.current(self._lease.owner, [self._drafts[key] for key in drafts.values()])
        return {drafts[draft]: sums for draft, sums in found.items()}
