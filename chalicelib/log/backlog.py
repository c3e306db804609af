"""How much an entry, or a change of a data set, calls for a compaction.

A mark on each entry would cost as much as the entry, so only some make one, for those before them as well.
"""

from dataclasses import dataclass

from chalicelib.log.entry import NewEntry

DUE_BYTES = 512 * 1024
"""From this weight on a user's tail is compacted: a reader folds it each time, and folding costs by its size."""
DUE_AFTER_MS = 24 * 3_600_000
"""So long a lighter one waits: tiles of the current day are written again with each compaction."""
URGENT_BYTES = DUE_BYTES
"""The weight of closing, deleting or truncating a data set: whole logs of it are to go into tiles, or out of them."""
LARGE_BYTES = 8 * 1024
_EVERY = 32
_SMALL_ENTRIES_BYTES = 64 * 1024
"""About what so many entries of a phone take."""


@dataclass(frozen=True, slots=True)
class CompactionMark:
    """Says that a user's logs have grown by about so many bytes since the first of some entries that is not in tiles
    was stored. What happened after it was read makes it another mark."""

    owner_id: str
    since_ms: int
    weight_bytes: int


def weight_bytes(entry: NewEntry, number: int) -> int | None:
    """What an entry adds to the mark of its owner; None when it makes none."""
    if len(entry.body) > LARGE_BYTES:
        return len(entry.body)
    return _SMALL_ENTRIES_BYTES if number % _EVERY == 1 else None
