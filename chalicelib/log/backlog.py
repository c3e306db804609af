"""The backlog of compaction: whose tiles lag behind, since when, and by about how many bytes.

Adding to it with each entry would cost as much as the entry, so only some entries do, for those before them as well.
Their sizes are an estimate: a reader that finds more in the tail makes its backlog due.
"""

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.log.entry import NewEntry

DUE_BYTES = 512 * 1024
"""From this size on, a user's tail is compacted: readers fold it with each request, at a cost that grows with it."""
DUE_AFTER_MS = DAY_MS
"""The wait for a smaller backlog: each compaction rewrites the tiles of the current day."""
URGENT_BYTES = DUE_BYTES
"""The bytes that closing, deleting or truncating a data set adds: its whole log enters or leaves the tiles."""
LARGE_BYTES = 8 * 1024
_EVERY = 32
_SMALL_ENTRIES_BYTES = 64 * 1024
"""The usual size of `_EVERY` entries of a phone."""


@frozen
class Backlog:
    """About how many bytes were added to a user's logs since the first of the entries that are not in tiles yet."""

    owner_id: str
    since_ms: int
    """Time at which the first of these entries was stored."""
    backlog_bytes: int


def backlog_bytes(entry: NewEntry, number: int) -> int | None:
    """The bytes that an entry adds to its owner's backlog; None if it is not one that adds."""
    if len(entry.body) > LARGE_BYTES:
        return len(entry.body)
    return _SMALL_ENTRIES_BYTES if number % _EVERY == 1 else None
