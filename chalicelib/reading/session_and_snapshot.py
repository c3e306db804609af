"""The session of a caller, the counters of a user's data and its snapshot, read in one round trip.

Whose data it is stands in the path, so that none of the three has to wait for another.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.access.call import Session
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.ports import DataSetReader
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TileReader
from chalicelib.tiles.tile import Tile, TileKey


@dataclass(frozen=True, slots=True)
class ReadTogether:
    """What one round trip has brought, all of it as of the last answered write."""

    session: Session | None
    owner: OwnerState
    snapshot: Callable[[], Manifest | None]
    """Decodes the snapshot of the owner's epoch, once the caller is known; None when it has to be read by itself."""


class ReadSessionAndSnapshot(Protocol):
    """Reads the session of a token hash, and what there is of a user's data."""

    def __call__(self, token_hash: str, owner_id: str, *, with_snapshot: bool) -> ReadTogether:
        """All of it; without the snapshot when it is likely to be of no use."""
        ...


class SessionAndSnapshot:
    """Finds sessions, and reads one user's data with what came along with them; one for each request."""

    def __init__(
        self,
        owner_id: str,
        read_together: ReadSessionAndSnapshot,
        data_sets: DataSetReader,
        tiles: TileReader,
        *,
        with_snapshot: bool,
    ) -> None:
        self._owner_id = owner_id
        self._read_together = read_together
        self._data_sets = data_sets
        self._tiles = tiles
        self._with_snapshot = with_snapshot
        self._read: ReadTogether | None = None

    def find(self, token_hash: str) -> Session | None:
        """The session, expired ones possibly included; the rest is remembered."""
        self._read = self._read_together(token_hash, self._owner_id, with_snapshot=self._with_snapshot)
        return self._read.session

    def owner(self, owner_id: str) -> OwnerState:
        """The counters that came with the session; read by themselves when a caller showed no token, or for another
        user."""
        if self._read is not None and owner_id == self._owner_id:
            return self._read.owner
        return self._data_sets.owner(owner_id)

    def of_owner(self, owner: OwnerState) -> list[DataSet]:
        """See `DataSetReader.of_owner`."""
        return self._data_sets.of_owner(owner)

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """What came with the session, the first time; who asks again has found it to be too old."""
        if self._read is not None and owner_id == self._owner_id:
            read, self._read = self._read, None
            snapshot = read.snapshot()
            if snapshot is not None:
                return read.owner, snapshot
        return self._tiles.current(owner_id)

    def tiles(self, owner: OwnerState, places: Sequence[TileRef], hidden: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileReader.tiles`."""
        return self._tiles.tiles(owner, places, hidden)

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """See `TileReader.origin_keys`."""
        return self._tiles.origin_keys(owner)
