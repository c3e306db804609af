"""Blobs in the blobs table: an item in the user's partition, and a small one that leads to it from the id."""

from collections.abc import Iterator, Sequence

from chalicelib.blobs.blob import AVAILABLE, CREATED, Blob, BlobKind, TimeSpan
from chalicelib.blobs.stores.keys import AWAITING, AWAITING_INDEX, blob_key, partition, pointer_key, time_part
from chalicelib.engine.conditions import absent, exists
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Delete, Item, Put, Query, Range, Table, Update

MAX_REMOVED_BLOBS = MAX_TRANSACTION_WRITES // 2
"""Blobs of one transaction: each blob is two items."""


class StoredBlobs:
    """The port `BlobStore` on the blobs table."""

    def __init__(self, blobs: Table) -> None:
        self._blobs = blobs

    def add(self, blob: Blob) -> bool:
        """See `BlobStore.add`: one transaction."""
        key = blob_key(blob)
        pointer = pointer_key(blob.kind, blob.id) | {"blob_pk": key["pk"], "blob_sk": key["sk"]}
        try:
            self._blobs.transact([Put(key | _attributes(blob)), Put(pointer, absent())])
        except TransactionRefusedError:
            return False
        return True

    def find(self, kind: BlobKind, blob_id: str) -> Blob | None:
        """See `BlobStore.find`: two reads."""
        pointer = self._blobs.get(pointer_key(kind, blob_id))
        if pointer is None:
            return None
        item = self._blobs.get({"pk": pointer["blob_pk"], "sk": pointer["blob_sk"]})
        return None if item is None else _blob(item)

    def of_user(self, kind: BlobKind, user_id: str, start_from_ms: int | None = None) -> Iterator[Blob]:
        """See `BlobStore.of_user`: one query, in pages."""
        sort_key = None if start_from_ms is None else Range(at_least=time_part(start_from_ms))
        return map(_blob, self._blobs.query(Query(partition(kind, user_id), sort_key, newest_first=True)))

    def make_available(self, blob: Blob) -> bool:
        """See `BlobStore.make_available`: one write."""
        changes = {"revision": blob.revision, "modified_time_ms": blob.modified_time_ms}
        try:
            self._blobs.update(Update(blob_key(blob), set=changes, remove=["awaiting"], condition=exists("awaiting")))
        except ConditionFailedError:
            return False
        return True

    def remove(self, blobs: Sequence[Blob]) -> None:
        """See `BlobStore.remove`: one transaction for each fifty blobs."""
        for start in range(0, len(blobs), MAX_REMOVED_BLOBS):
            batch = blobs[start : start + MAX_REMOVED_BLOBS]
            keys = [key for blob in batch for key in (blob_key(blob), pointer_key(blob.kind, blob.id))]
            self._blobs.transact([Delete(key) for key in keys])

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """See `BlobStore.created_before`: one query of the index, in pages."""
        return map(_blob, self._blobs.query(Query(AWAITING, Range(below=time_ms), AWAITING_INDEX)))


def _attributes(blob: Blob) -> Item:
    attributes = {
        "collection": blob.kind,
        "id": blob.id,
        "user_id": blob.user_id,
        "media_type": blob.media_type,
        "digest_md5": blob.digest_md5,
        "awaiting": None if blob.is_available else AWAITING,
        "created_time_ms": blob.created_time_ms,
        "modified_time_ms": blob.modified_time_ms,
        "revision": blob.revision,
        "size_bytes": blob.size_bytes,
        "start_ms": None if blob.span is None else blob.span.start_ms,
        "end_ms": None if blob.span is None else blob.span.end_ms,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _blob(item: Item) -> Blob:
    return Blob(
        kind=BlobKind(item["collection"]),
        id=item["id"],
        user_id=item["user_id"],
        media_type=item["media_type"],
        created_time_ms=item["created_time_ms"],
        digest_md5=item.get("digest_md5"),
        size_bytes=item.get("size_bytes"),
        span=TimeSpan(item["start_ms"], item["end_ms"]) if "start_ms" in item else None,
        status=CREATED if "awaiting" in item else AVAILABLE,
        revision=item["revision"],
        modified_time_ms=item.get("modified_time_ms"),
    )
