"""The keys of the blobs table: every item of it is named here and nowhere else. See docs/access-patterns-blobs.md."""

from typing import TYPE_CHECKING

from chalicelib.blobs.blob import Blob, Collection

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Key = dict[str, AttributeValueTypeDef]

AWAITING_INDEX = "awaiting-content"
"""The index of blobs whose content has not come: partition `awaiting`, sorted by `created_time_ms`."""
AWAITING = "content"
"""The one value of `awaiting`; an item loses the attribute, and leaves the index, when its content comes."""

_YEAR_ZERO_MS = 100_000_000_000_000
"""Added to a time so that those before 1970 sort too; spans may begin in any year from 0 to 9999."""


def partition(collection: Collection, user_id: str) -> str:
    """The blobs of a user in a collection."""
    return f"{collection}#{user_id}"


def time_part(time_ms: int) -> str:
    """A time as the sort key begins with it."""
    return f"{time_ms + _YEAR_ZERO_MS:015d}"


def blob_key(blob: Blob) -> "Key":
    """A blob, in the order of its creation; a device log, in the order of its start."""
    time_ms = blob.created_time_ms if blob.span is None else blob.span.start_ms
    return _key(partition(blob.collection, blob.user_id), f"{time_part(time_ms)}#{blob.id}")


def place_key(collection: Collection, blob_id: str) -> "Key":
    """Where the blob with an id is."""
    return _key(f"{collection}#id#{blob_id}", "place")


def _key(pk: str, sk: str) -> "Key":
    return {"pk": {"S": pk}, "sk": {"S": sk}}
