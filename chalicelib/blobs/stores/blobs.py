"""Blobs in the blobs table: an item in the user's partition, and a small one that leads to it from the id.

A counter for each user holds what all contents and items of blobs and device logs take. Those that earlier versions
stored were not counted, and give room back when they are removed.
"""

from collections.abc import Iterator, Sequence

from chalicelib.access.quotas import BLOBS, Quotas, near
from chalicelib.blobs.blob import AVAILABLE, CREATED, Blob, BlobKind, TimeSpan
from chalicelib.blobs.stores.keys import (
    AWAITING,
    AWAITING_INDEX,
    blob_key,
    partition,
    pointer_key,
    time_part,
    usage_key,
)
from chalicelib.engine.conditions import absent, any_of, at_most, exists
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Delete, Item, Put, Query, Range, Table, Update, Write
from chalicelib.errors import StorageQuotaError

MAX_REMOVED_BLOBS = (MAX_TRANSACTION_WRITES - 1) // 2
"""Blobs of one transaction: each blob is two items, and all share the counter."""
ITEMS_BYTES = 1024
"""About how many bytes the items of a blob take, so that blobs without content have a limit as well."""
_STORED = "blobs and device logs"
_POINTER = 1
"""The position of the pointer among the writes that add a blob."""


class StoredBlobs:
    """The port `BlobStore` on the blobs table, with the quotas of the stage."""

    def __init__(self, blobs: Table, quotas: Quotas | None = None) -> None:
        self._blobs = blobs
        self._quotas = quotas

    def add(self, blob: Blob) -> bool:
        """See `BlobStore.add`: one transaction, and another one when the user's quota is nearly used."""
        if self._quotas is None:
            return self._is_added(blob, None)
        quota_bytes = self._quotas.blob_bytes
        try:
            return self._is_added(blob, near(quota_bytes))
        except StorageQuotaError:
            is_added = self._is_added(blob, quota_bytes)
        self._quotas.report(BLOBS, blob.user_id)
        return is_added

    def _is_added(self, blob: Blob, limit_bytes: int | None) -> bool:
        """Whether the blob was added; False if there is one with its id.

        Raises:
            StorageQuotaError: the user would have stored more than the limit.
        """
        key = blob_key(blob)
        pointer = pointer_key(blob.kind, blob.id) | {"blob_pk": key["pk"], "blob_sk": key["sk"]}
        size_bytes = _size_bytes(blob)
        room = None
        if limit_bytes is not None:
            room = any_of(at_most("bytes", limit_bytes - size_bytes), absent("bytes"))
            if size_bytes > limit_bytes:
                raise StorageQuotaError(limit_bytes, _STORED)
        counted = Update(usage_key(blob.user_id), add={"bytes": size_bytes}, condition=room)
        try:
            self._blobs.transact([Put(key | _attributes(blob)), Put(pointer, absent()), counted])
        except TransactionRefusedError as refused:
            if limit_bytes is None or refused.failed(_POINTER):
                return False
            raise StorageQuotaError(limit_bytes, _STORED) from refused
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
        """See `BlobStore.remove`: one transaction for each 49 blobs, and another one if some are gone already."""
        for start in range(0, len(blobs), MAX_REMOVED_BLOBS):
            left = blobs[start : start + MAX_REMOVED_BLOBS]
            while left:
                try:
                    self._blobs.transact(_removal(left))
                except TransactionRefusedError as refused:
                    left = [blob for place, blob in enumerate(left) if not refused.failed(place)]
                else:
                    break

    def stored_bytes(self, user_ids: Sequence[str]) -> list[int]:
        """See `BlobStore.stored_bytes`: one batch for each hundred, at half the price."""
        items = self._blobs.batch_get([usage_key(user_id) for user_id in user_ids], may_lag=True)
        return [0 if item is None else max(0, item["bytes"]) for item in items]

    def forget_usage(self, user_id: str) -> None:
        """See `BlobStore.forget_usage`: one delete."""
        self._blobs.delete(usage_key(user_id))

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """See `BlobStore.created_before`: one query of the index, in pages."""
        return map(_blob, self._blobs.query(Query(AWAITING, Range(below=time_ms), AWAITING_INDEX)))


def _size_bytes(blob: Blob) -> int:
    """The bytes that a blob adds to the counter of its user."""
    return (blob.size_bytes or 0) + ITEMS_BYTES


def _removal(blobs: Sequence[Blob]) -> list[Write]:
    """The writes that remove blobs of one user: the blobs themselves first, then their pointers and the counter."""
    freed_bytes = sum(map(_size_bytes, blobs))
    return [
        *(Delete(blob_key(blob), exists()) for blob in blobs),
        *(Delete(pointer_key(blob.kind, blob.id)) for blob in blobs),
        Update(usage_key(blobs[0].user_id), add={"bytes": -freed_bytes}),
    ]


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
