"""Verifies that tiles, and the hour sums beside them, equal what a fold of the whole log makes, byte for byte."""

from collections.abc import Sequence
from hashlib import sha256

from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.fold import fold_fingerprints
from chalicelib.tiles.compact import whole_logs
from chalicelib.tiles.fold_into_tiles import tiles_of
from chalicelib.tiles.hour_sums import wrong_hour_sums
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.ports import TileMissingError, TilePorts
from chalicelib.tiles.tail import changed_ids
from chalicelib.tiles.tile import Tile, TileKey


@frozen
class TileCheck:
    """The result of a check."""

    tiles: int
    """How many were compared."""
    wrong: tuple[TileKey, ...]
    """Tiles that are missing, that should not exist, or that differ from the fold of the log."""
    is_behind: bool = False
    """Whether nothing could be compared, because data sets have changed since the tiles were made, or other tiles
    replaced them."""


def check_tiles(owner_id: str, ports: TilePorts, at_most: int | None = None) -> TileCheck:
    """Fold the archive and log of a user up to the positions of the manifest, and compare with the tiles.

    Args:
        at_most: how many tiles to compare byte for byte, None for all; the others only have to exist.
    """
    owner, manifest = ports.tiles.current(owner_id)
    if not manifest.logs:
        return TileCheck(0, ())
    logs = whole_logs(owner, manifest, ports, in_tiles_only=True)
    if changed_ids(manifest, fold_fingerprints(logs.data_sets)):
        return TileCheck(0, (), is_behind=True)
    refs = {ref.key: ref for ref in manifest.tile_refs()}
    chosen = set(sorted(refs, key=lambda key: _sample_rank(key, manifest.version))[:at_most])
    expected, expected_keys = tiles_of(logs.data_sets, logs.entries, chosen)
    stored = _readable_tiles(owner, [refs[key] for key in sorted(chosen)], ports)
    if len(stored) < len(chosen) and ports.tiles.current(owner_id)[1].version != manifest.version:
        return TileCheck(0, (), is_behind=True)  # swept, since the check was suspended for a quarter of an hour
    wrong = expected_keys ^ refs.keys()
    for key in chosen - wrong:
        if key not in stored or expected[key] != (stored[key].content, refs[key].stats):
            wrong.add(key)
    wrong |= wrong_hour_sums({key: stored[key] for key in chosen - wrong}, refs, owner, logs, ports.hour_sums)
    return TileCheck(len(chosen), tuple(sorted(wrong)))


def _readable_tiles(owner: OwnerState, refs: Sequence[TileRef], ports: TilePorts) -> dict[TileKey, Tile]:
    """The tiles that are stored and can be decoded. If some are not, they are read one by one to find out which."""
    try:
        return ports.tiles.tiles(owner, refs, {ref.key for ref in refs})
    except (TileMissingError, ValueError):
        if len(refs) == 1:
            return {}
        return {key: tile for ref in refs for key, tile in _readable_tiles(owner, [ref], ports).items()}


def _sample_rank(key: TileKey, version: int) -> bytes:
    """Sorts tiles in an order that differs for each version of a manifest."""
    return sha256(f"{version}/{key.type}/{key.day}".encode()).digest()
