"""Compaction and sweeping in this process, as the tasks do them."""

_AFTER_ALL_MS = 2**42
"""Later than any order to sweep."""


def compact_and_sweep(owner_id: str) -> None:
    """Bring all that someone has sent into tiles, and remove what that made superfluous; nobody reads meanwhile."""
    from chalicelib.services import services
    from chalicelib.tiles.compact import CompactionPorts, compact

    ours = services()
    ports = CompactionPorts(ours.data_sets, ours.record_log, ours.tiles, ours.archive, ours.now_ms, ours.new_id)
    if compact(owner_id, ports, lambda: None).is_held:
        raise SystemExit("error: another compaction is at work")
    for order in list(ours.sweeping.orders(_AFTER_ALL_MS)):
        ours.sweeping.sweep(order)
