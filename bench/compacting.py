"""Runs compaction and sweeping in this process, as the tasks do."""

_AFTER_ALL_MS = 2**42
"""Later than any sweep request."""


def compact_and_sweep(owner_id: str) -> None:
    """Compact all data of a user into tiles, and sweep what that made obsolete. Nobody may read meanwhile."""
    from chalicelib.services import services
    from chalicelib.tiles.compact import compact

    tiles = services().tiles
    if compact(owner_id, tiles, lambda: None).is_held:
        raise SystemExit("error: another compaction is running")
    for request in list(tiles.sweep_requests.older_than(_AFTER_ALL_MS)):
        tiles.sweep_requests.sweep(request)
