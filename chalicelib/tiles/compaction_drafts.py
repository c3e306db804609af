"""The tiles of a rebuild before they are written: what one step makes, the next one reads.

They are written once, when all is done: nobody can meet a former content under the key of a tile, not even a reader
whose reads lag behind.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from chalicelib.log.data_set import DataOwner
from chalicelib.tiles.fold_into_tiles import Folded
from chalicelib.tiles.snapshot import TilePlace
from chalicelib.tiles.tile import Tile, TileContent, TileKey


class Drafts:
    """A `TileSource` in memory."""

    def __init__(self) -> None:
        self.contents: dict[TileKey, TileContent] = {}
        self._noted: dict[TileKey, set[int]] = defaultdict(set)

    def take(self, folded: Folded) -> None:
        """Puts what a step changed in the place of what there was."""
        for key, made in folded.tiles.items():
            if made is None:
                self.contents.pop(key, None)
            else:
                self.contents[key] = made[0]
        for key, origin_keys in folded.origin_keys.items():
            self._noted[key].update(origin_keys)

    def tiles(
        self, _owner: DataOwner, places: Sequence[TilePlace], _hidden: Collection[TileKey]
    ) -> dict[TileKey, Tile]:
        """The tiles as they are now."""
        return {place.key: Tile(self.contents[place.key]) for place in places}

    def notes(self) -> dict[TileKey, Sequence[int]]:
        """The keys of the origin ids of all records that the entries brought, by tile."""
        return {key: sorted(origin_keys) for key, origin_keys in self._noted.items()}

    def origin_keys(self, _owner: DataOwner) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """All notes at once."""
        return iter([self.notes()])
