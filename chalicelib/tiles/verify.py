"""Verifies that tiles, and the hour sums beside them, equal what a fold of the whole log makes, byte for byte."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.fold import fold_fingerprints
from chalicelib.tiles.fold_into_tiles import groups_by_size
from chalicelib.tiles.fold_of_tiles import FoldedTiles, fold_of_tiles
from chalicelib.tiles.hour_sums import wrong_hour_sums
from chalicelib.tiles.manifest import Manifest, TileRef
from chalicelib.tiles.ports import TileMissingError, TilePorts
from chalicelib.tiles.tail import changed_ids
from chalicelib.tiles.tile import Tile, TileKey
from chalicelib.tiles.whole_logs import WholeLogs

_UNSURE_AT_ONCE = 32
"""Tiles of which only their records tell whether they exist. They are few, unless clients delete a lot by id."""


@frozen
class TileCheck:
    """The result of a check."""

    tiles: int
    """Number of tiles that were compared."""
    wrong: tuple[TileKey, ...]
    """Tiles that are missing, that should not exist, or that differ from the fold of the log."""
    is_behind: bool = False
    """True if nothing could be compared, because data sets have changed since the tiles were made, or other tiles
    replaced them."""


def check_tiles(owner_id: str, ports: TilePorts, at_most: int | None = None) -> TileCheck:
    """Fold the archive and log of a user up to the positions of the manifest, and compare with the tiles.

    The tiles are compared in groups, each with a fold for its tiles alone, so the memory that this takes does not grow
    with the log. Its time does: it reads the log twice for each group.

    Args:
        at_most: how many tiles to compare byte for byte, None for all; the others only have to exist.

    Raises:
        LogIncompleteError: entries that are in tiles are missing.
    """
    owner, manifest = ports.tiles.current(owner_id)
    if not manifest.logs:
        return TileCheck(0, ())
    logs = WholeLogs(owner, manifest, ports, in_tiles_only=True)
    data_sets = logs.data_sets()
    if changed_ids(manifest, fold_fingerprints(data_sets)):
        return TileCheck(0, (), is_behind=True)
    refs = {ref.key: ref for ref in manifest.tile_refs()}
    chosen = sorted(refs, key=lambda key: _sample_rank(key, manifest.version))[:at_most]
    wrong: set[TileKey] = set()
    existing: set[TileKey] | None = None
    for group in [*groups_by_size(refs[key] for key in sorted(chosen))] or [[]]:
        folded = fold_of_tiles(lambda: logs.entries({}), data_sets, {ref.key for ref in group})
        if existing is None:
            logs.require_complete(logs.data_sets())
            existing = {*folded.tiles, *folded.others, *_existing(folded.unsure, logs, data_sets)}
            wrong |= existing ^ refs.keys()
        stored = _readable_tiles(owner, group, ports)
        wrong |= _wrong_tiles(group, stored, folded)
        right = {ref: stored[ref.key] for ref in group if ref.key not in wrong}
        wrong |= wrong_hour_sums(right, owner, data_sets, folded.stored_times, ports.hour_sums)
    if wrong and _has_changed(owner_id, manifest, logs, ports):
        return TileCheck(0, (), is_behind=True)
    return TileCheck(len(chosen), tuple(sorted(wrong)))


def _existing(unsure: Collection[TileKey], logs: WholeLogs, data_sets: Sequence[DataSet]) -> set[TileKey]:
    """Those of some tiles that hold any record."""
    ordered, found = sorted(unsure), set[TileKey]()
    for start in range(0, len(ordered), _UNSURE_AT_ONCE):
        wanted = set(ordered[start : start + _UNSURE_AT_ONCE])
        found.update(fold_of_tiles(lambda: logs.entries({}), data_sets, wanted).tiles)
    return found


def _wrong_tiles(refs: Sequence[TileRef], stored: Mapping[TileKey, Tile], folded: FoldedTiles) -> set[TileKey]:
    """Those of these tiles that differ from what the logs make, or that cannot be read."""
    return {
        ref.key
        for ref in refs
        if ref.key not in stored or folded.tiles.get(ref.key) != (stored[ref.key].content, ref.stats)
    }


def _has_changed(owner_id: str, manifest: Manifest, logs: WholeLogs, ports: TilePorts) -> bool:
    """Whether other tiles have replaced those that were compared, or data sets have changed meanwhile."""
    is_replaced = ports.tiles.current(owner_id)[1].version != manifest.version
    return is_replaced or bool(changed_ids(manifest, fold_fingerprints(logs.data_sets())))


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
