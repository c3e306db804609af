"""Stores, confirms and removes the contents of blobs and device logs. Source: blob-api 4 and 8.

A blob is stored before its content and removed after it, so that a blob leads to each content. An interrupted operation
leaves a blob that is `created`, which `remove_abandoned` removes a day later.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from itertools import islice

from chalicelib.access.call import Call
from chalicelib.blobs.blob import Blob, BlobKind, content_prefix, kind_and_id
from chalicelib.blobs.ports import BlobPorts, Upload
from chalicelib.durations import DAY_MS
from chalicelib.errors import ConflictError, UnavailableError, UnequalDigestsError

REMOVAL_BATCH_SIZE = 100


class UploadOutcome(Enum):
    """The result of a notice that a content has arrived."""

    AVAILABLE = "available"
    """The blob is available now."""
    KNOWN = "known"
    """The blob was available before."""
    ABSENT = "absent"
    """There is no such content, or no longer."""
    STRAY = "stray"
    """There is no such blob, or no longer."""
    OTHER = "other"
    """The content differs from the announced one."""


class CleanupOutcome(Enum):
    """The outcome for a blob that waited for its content for a day."""

    REMOVED = "removed"
    RECOVERED = "recovered"
    """Made available: the content had arrived, and the notice was lost."""


def md5_base64(content: bytes) -> str:
    """The MD5 of a content in base64, as clients send it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def with_digest(blob: Blob, content: bytes) -> Blob:
    """The blob with digest and size of its content.

    Raises:
        UnequalDigestsError: the blob announces another digest.
    """
    calculated = md5_base64(content)
    if blob.digest_md5 is not None and blob.digest_md5 != calculated:
        raise UnequalDigestsError(blob.digest_md5, calculated)
    return replace(blob, digest_md5=calculated, size_bytes=len(content))


def store(call: Call, blob: Blob, content: bytes, ports: BlobPorts) -> Blob:
    """Store a blob with its content, and return it as available; one that an earlier request stored is the same.

    The content that a failed request stored is not removed: another request with its id may have made it available.

    Raises:
        ConflictError: an earlier request with the same idempotency key stored something else.
        UnequalDigestsError: the blob announces another digest; nothing is stored.
        UnavailableError: a store failed. A repeated request stores the rest.
    """
    blob = add_once(with_digest(blob, content), ports)
    if blob.is_available:
        return blob
    ports.contents.put(blob.content_key, content, blob.media_type)
    available = blob.with_content(call.now_ms)
    # A blob that is no longer `created` was made available by the bucket's notice, with the same result.
    ports.blobs.make_available(available)
    return available


def store_under_new_id(call: Call, blob: Blob, content: bytes, ports: BlobPorts) -> Blob:
    """As `store`, for a blob whose id no other request has: a repeated request would store another one.

    Raises:
        UnequalDigestsError: the blob announces another digest; nothing is stored.
        UnavailableError: a store failed. The content is removed again, if the stores answer.
    """
    try:
        return store(call, blob, content, ports)
    except UnavailableError:
        with suppress(UnavailableError):
            # The blob goes first: it may be available by now, and an available blob never loses its content.
            ports.blobs.remove([with_digest(blob, content)])
            ports.contents.delete([blob.content_key])
        raise


def open_upload(call: Call, blob: Blob, ports: BlobPorts) -> tuple[Blob, Upload | None]:
    """Store a blob as `created`, and return it with the request with which the client uploads its content.

    For a blob that an earlier request stored, the upload can be made again until the content has arrived.

    Raises:
        ConflictError: an earlier request with the same idempotency key stored something else.
    """
    blob = add_once(blob, ports)
    return blob, None if blob.is_available else ports.contents.upload(blob, call.now_ms)


def add_once(blob: Blob, ports: BlobPorts) -> Blob:
    """Store a new blob, or return the one that an earlier request with the same id stored.

    Raises:
        ConflictError: the earlier one is of another content.
    """
    if ports.blobs.add(blob):
        return blob
    earlier = ports.blobs.find(blob.kind, blob.id)
    if earlier is None or _identity(earlier) != _identity(blob):
        raise ConflictError(blob.id)
    return earlier


def _identity(blob: Blob) -> tuple[object, ...]:
    return blob.user_id, blob.media_type, blob.digest_md5, blob.size_bytes, blob.span


def confirm_upload(call: Call, content_key: str, ports: BlobPorts) -> UploadOutcome:
    """Make a blob available if its content has arrived, with the announced size and digest.

    May be called any number of times, late, and in any order. A content that belongs to no blob expires.

    Source: docs/architecture.md, "One event".
    """
    identity = kind_and_id(content_key)
    blob = ports.blobs.find(*identity) if identity else None
    if blob is None or blob.content_key != content_key:
        return UploadOutcome.STRAY
    if blob.is_available:
        return UploadOutcome.KNOWN
    content = ports.contents.describe(content_key)
    if content is None:
        return UploadOutcome.ABSENT
    if (content.size_bytes, content.digest_md5) != (blob.size_bytes, blob.digest_md5):
        return UploadOutcome.OTHER
    ports.contents.keep(content_key)  # before the blob is available, so that an available blob never loses its content
    if ports.blobs.make_available(blob.with_content(call.now_ms)):
        return UploadOutcome.AVAILABLE
    if ports.blobs.find(blob.kind, blob.id) is not None:
        return UploadOutcome.KNOWN
    ports.contents.delete([content_key])
    return UploadOutcome.STRAY


def remove(blob: Blob, ports: BlobPorts) -> None:
    """Remove a blob and its content. An interrupted call may be repeated."""
    ports.contents.delete([blob.content_key])
    ports.blobs.remove([blob])


def remove_all(kind: BlobKind, user_id: str, ports: BlobPorts) -> None:
    """Remove all of a user's blobs of a kind, with their contents. An interrupted call may be repeated."""
    for batch in _batches(REMOVAL_BATCH_SIZE, ports.blobs.of_user(kind, user_id)):
        ports.contents.delete([blob.content_key for blob in batch])
        ports.blobs.remove(batch)


def erase_user(user_id: str, ports: BlobPorts) -> None:
    """Remove all blobs and device logs of a deleted user, and contents of that user that belong to no blob.

    An interrupted call may be repeated. An upload that was opened before expires by itself.
    """
    for kind in BlobKind:
        remove_all(kind, user_id, ports)
        ports.contents.delete_under(content_prefix(kind, user_id))
    ports.blobs.forget_usage(user_id)


def remove_abandoned(call: Call, ports: BlobPorts) -> Iterator[CleanupOutcome]:
    """Remove blobs that were created a day ago and have no content, and yield what was done with each.

    A blob whose content has arrived becomes available instead. Each step of the iterator does one blob.
    """
    for blob in ports.blobs.created_before(call.now_ms - DAY_MS):
        match confirm_upload(call, blob.content_key, ports):
            case UploadOutcome.AVAILABLE:
                yield CleanupOutcome.RECOVERED
            case UploadOutcome.ABSENT | UploadOutcome.OTHER:
                remove(blob, ports)
                yield CleanupOutcome.REMOVED
            case UploadOutcome.KNOWN | UploadOutcome.STRAY:
                pass  # the index lagged behind


def _batches(size: int, blobs: Iterator[Blob]) -> Iterator[list[Blob]]:
    while batch := list(islice(blobs, size)):
        yield batch
