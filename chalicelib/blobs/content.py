"""How a content comes to its blob and goes again; the same for blobs and device logs. Source: blob-api 4 and 8.

The blob is stored before its content and removed after it, so that no content is ever without a blob that leads to
it. What stops half-way leaves a blob that is `created`, and `remove_abandoned` clears that away a day later.
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
from chalicelib.errors import UnavailableError, UnequalDigestsError

DAY_MS = 86_400_000
REMOVAL_BATCH_SIZE = 100


class UploadOutcome(Enum):
    """What was found when a content was said to have come."""

    AVAILABLE = "available"
    """The blob has its content now."""
    KNOWN = "known"
    """The blob had it already."""
    ABSENT = "absent"
    """The content is not there (any more)."""
    STRAY = "stray"
    """There is no such blob (any more)."""
    OTHER = "other"
    """The content is not the one that was announced."""


class CleanupOutcome(Enum):
    """What became of a blob that had waited for a day."""

    REMOVED = "removed"
    RECOVERED = "recovered"
    """Its content was there, and it is available now: the notice was lost."""


def md5_base64(content: bytes) -> str:
    """The MD5 of a content as clients write it."""
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
    """The blob, available, once it and its content are stored.

    Raises:
        UnequalDigestsError: the blob announces another digest; nothing is stored.
        UnavailableError: a store failed; nothing is left behind.
    """
    blob = with_digest(blob, content)
    ports.blobs.add(blob)
    try:
        ports.contents.put(blob.content_key, content, blob.media_type)
        available = blob.with_content(call.now_ms)
        # When it is not `created` any more, the store's event came first and made it what it is here.
        ports.blobs.make_available(available)
    except UnavailableError:
        with suppress(UnavailableError):
            remove(blob, ports)
        raise
    return available


def open_upload(call: Call, blob: Blob, ports: BlobPorts) -> Upload:
    """A request by which the client brings the content of the blob, which is stored and stays `created` until then."""
    upload = ports.contents.upload(blob, call.now_ms)
    ports.blobs.add(blob)
    return upload


def confirm_upload(call: Call, content_key: str, ports: BlobPorts) -> UploadOutcome:
    """Makes a blob available if its content is there, with the announced size and digest.

    May be called any number of times, late, and in any order. What is no blob's content is left to expire.

    Source: docs/architecture.md, "One event".
    """
    place = kind_and_id(content_key)
    blob = ports.blobs.find(*place) if place else None
    if blob is None or blob.content_key != content_key:
        return UploadOutcome.STRAY
    if blob.is_available:
        return UploadOutcome.KNOWN
    content = ports.contents.describe(content_key)
    if content is None:
        return UploadOutcome.ABSENT
    if (content.size_bytes, content.digest_md5) != (blob.size_bytes, blob.digest_md5):
        return UploadOutcome.OTHER
    ports.contents.keep(content_key)  # before the blob says that it has it: an available blob never loses its content
    if ports.blobs.make_available(blob.with_content(call.now_ms)):
        return UploadOutcome.AVAILABLE
    if ports.blobs.find(blob.kind, blob.id) is not None:
        return UploadOutcome.KNOWN
    ports.contents.delete([content_key])
    return UploadOutcome.STRAY


def remove(blob: Blob, ports: BlobPorts) -> None:
    """Removes content and blob; may be repeated when it stops half-way."""
    ports.contents.delete([blob.content_key])
    ports.blobs.remove([blob])


def remove_all(kind: BlobKind, user_id: str, ports: BlobPorts) -> None:
    """Removes all of a user's blobs in a collection, with their contents; may be repeated when it stops half-way."""
    for some in _by(REMOVAL_BATCH_SIZE, ports.blobs.of_user(kind, user_id)):
        ports.contents.delete([blob.content_key for blob in some])
        ports.blobs.remove(some)


def erase_user(user_id: str, ports: BlobPorts) -> None:
    """Removes all blobs and device logs of a user who is deleted, and contents that belong to no blob.

    May be repeated when it stops half-way. An upload that was opened before expires by itself.
    """
    for kind in BlobKind:
        remove_all(kind, user_id, ports)
        ports.contents.delete_under(content_prefix(kind, user_id))


def remove_abandoned(call: Call, ports: BlobPorts) -> Iterator[CleanupOutcome]:
    """Removes blobs that were created a day ago and still have no content, and says what became of each.

    A blob whose content is there becomes available instead. The work is done as the caller asks for what was done.
    """
    for blob in ports.blobs.created_before(call.now_ms - DAY_MS):
        match confirm_upload(call, blob.content_key, ports):
            case UploadOutcome.AVAILABLE:
                yield CleanupOutcome.RECOVERED
            case UploadOutcome.ABSENT | UploadOutcome.OTHER:
                remove(blob, ports)
                yield CleanupOutcome.REMOVED
            case UploadOutcome.KNOWN | UploadOutcome.STRAY:
                pass  # the list was a moment behind


def _by(size: int, blobs: Iterator[Blob]) -> Iterator[list[Blob]]:
    while some := list(islice(blobs, size)):
        yield some
