"""The keys of the blobs table: every item of it is named here and nowhere else. See docs/access-patterns-blobs.md."""

from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.engine.table import Key

AWAITING_INDEX = "awaiting-content"
"""The index of blobs that wait for their content: partition `awaiting`, sorted by `created_time_ms`."""
AWAITING = "content"
"""The one value of `awaiting`. An item loses the attribute when its content arrives, and so leaves the index."""

_YEAR_ZERO_MS = 100_000_000_000_000
"""Added to a time so that times before 1970 sort as well; time spans may begin in any year from 0 to 9999."""


def partition(kind: BlobKind, user_id: str) -> str:
    """The partition of a user's blobs of one kind."""
    return f"{kind}#{user_id}"


def time_part(time_ms: int) -> str:
    """A time as the sort key begins with it."""
    return f"{time_ms + _YEAR_ZERO_MS:015d}"


def blob_key(blob: Blob) -> Key:
    """The key of a blob, sorted by creation time; that of a device log, sorted by the start of its time span."""
    time_ms = blob.created_time_ms if blob.span is None else blob.span.start_ms
    return {"pk": partition(blob.kind, blob.user_id), "sk": f"{time_part(time_ms)}#{blob.id}"}


def usage_key(user_id: str) -> Key:
    """The counter of what a user's blobs and device logs take."""
    return {"pk": f"usage#{user_id}", "sk": "usage"}


def pointer_key(kind: BlobKind, blob_id: str) -> Key:
    """The key of the item that leads from an id to the key of its blob."""
    return {"pk": f"{kind}#id#{blob_id}", "sk": "place"}
