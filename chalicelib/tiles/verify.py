"""Whether tiles are what a fold of the whole log says, byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.log.data_set import OwnerState
from chalicelib.log.fold import fold_fingerprints
from chalicelib.tiles.compact import whole_logs
from chalicelib.tiles.fold_into_tiles import made_of
from chalicelib.tiles.ports import TileMissingError, TilePorts
from chalicelib.tiles.snapshot import TilePlace
from chalicelib.tiles.tile import Tile, TileKey


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has found."""

    tiles: int
    """How many were compared."""
    wrong: tuple[TileKey, ...]
    """Those that are missing, superfluous, or other than what the log says."""
    is_behind: bool = False
    """Whether data sets have changed since the tiles were made, or the tiles were replaced by others, so that nothing
    could be compared."""


def check_tiles(owner_id: str, ports: TilePorts, at_most: int | None = None) -> Checked:
    """Folds the archive and the log of a user as far as they are in tiles, and compares.

    Args:
        at_most: how many tiles are compared byte for byte; the others only have to be there. None is all.
    """
    owner, snapshot = ports.tiles.current(owner_id)
    logs = whole_logs(owner, snapshot, ports)
    states = fold_fingerprints(logs.every)
    if any(states.get(data_set_id) != applied.state for data_set_id, applied in snapshot.applied.items()):
        return Checked(0, (), is_behind=True)
    entries = [it for it in logs.entries if it.number <= snapshot.through(it.data_set_id)]
    places = {place.key: place for place in snapshot.every_tile()}
    chosen = set(sorted(places, key=lambda key: _scattered(key, snapshot.version))[:at_most])
    made, there = made_of(logs.every, entries, chosen)
    stored = _readable(owner, [places[key] for key in sorted(chosen)], ports)
    if len(stored) < len(chosen) and ports.tiles.current(owner_id)[1].version != snapshot.version:
        return Checked(0, (), is_behind=True)  # they were swept: the check stood still for a quarter of an hour
    wrong = there ^ places.keys()
    for key in chosen - wrong:
        if key not in stored or made[key] != (stored[key].content, places[key].traits):
            wrong.add(key)
    return Checked(len(chosen), tuple(sorted(wrong)))


def _readable(owner: OwnerState, places: Sequence[TilePlace], ports: TilePorts) -> dict[TileKey, Tile]:
    """The tiles that are there and can be read; when not all are, they are read one by one to find out which."""
    try:
        return ports.tiles.tiles(owner, places, {place.key for place in places})
    except (TileMissingError, ValueError):
        if len(places) == 1:
            return {}
        return {key: tile for place in places for key, tile in _readable(owner, [place], ports).items()}


def _scattered(key: TileKey, version: int) -> bytes:
    """An order in which each version of a snapshot begins with other tiles."""
    return sha256(f"{version}/{key.type}/{key.day}".encode()).digest()
