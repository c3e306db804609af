"""Blobs: contents of one user that the platform stores and does not interpret. Source: blob-api 5.

A device log is a blob of its own kind, with a time span.
"""

import re
from dataclasses import replace
from enum import StrEnum
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.model.times import format_time

MAX_BYTES = 104_857_600
"""100 MiB, the largest content of a blob."""

SHOWN_MEDIA_TYPES = frozenset(
    {"application/json", "image/gif", "image/jpeg", "image/png", "image/webp", "text/csv", "text/plain"}
)
"""Types of contents that a browser may show: none of them can run a script. All others it has to save as a file."""

CREATED = "created"
AVAILABLE = "available"
STATUSES = (AVAILABLE, CREATED)

_CONTENT_KEY = re.compile(r"(blobs|device_logs)/([0-9a-fA-F-]+)/([0-9a-z]{32})")


class BlobKind(StrEnum):
    """The kind of a blob, as it is called in keys and content keys."""

    BLOBS = "blobs"
    DEVICE_LOGS = "device_logs"


@frozen
class TimeSpan:
    """The time that a device log covers, in milliseconds since the epoch; the order is not checked."""

    start_ms: int
    end_ms: int


@frozen
class Blob:
    """A blob without its content.

    `digest_md5` (base64) and `size_bytes` are those of the content, or the announced ones until it has arrived; None
    when no content was announced. Only device logs have a `span`.
    """

    kind: BlobKind
    id: str
    user_id: str
    media_type: str
    created_time_ms: int
    digest_md5: str | None = None
    size_bytes: int | None = None
    span: TimeSpan | None = None
    status: str = CREATED
    revision: int = 0
    modified_time_ms: int | None = None

    @property
    def content_key(self) -> str:
        """The key under which the content is stored."""
        return f"{self.kind}/{self.user_id}/{self.id}"

    @property
    def disposition(self) -> str:
        """The `Content-Disposition` of the content, which anyone with the right to upload may have made."""
        essence = self.media_type.partition(";")[0].strip().lower()
        return "inline" if essence in SHOWN_MEDIA_TYPES else f'attachment; filename="{self.id}"'

    @property
    def is_available(self) -> bool:
        """Whether the content has arrived."""
        return self.status == AVAILABLE

    def with_content(self, now_ms: int) -> "Blob":
        """The blob after its content has arrived."""
        return replace(self, status=AVAILABLE, revision=self.revision + 1, modified_time_ms=now_ms)


def kind_and_id(content_key: str) -> tuple[BlobKind, str] | None:
    """The kind and id of the blob that a content key belongs to; None when it is not the key of a blob."""
    match = _CONTENT_KEY.fullmatch(content_key)
    return (BlobKind(match[1]), match[3]) if match else None


def content_prefix(kind: BlobKind, user_id: str) -> str:
    """The prefix of the content keys of a user's blobs."""
    return f"{kind}/{user_id}/"


def as_blob(blob: Blob) -> dict[str, Any]:
    """The blob as the API shows it. Source: blob-api 5."""
    return _without_none(
        id=blob.id,
        userId=blob.user_id,
        digestMD5=blob.digest_md5,
        mediaType=blob.media_type,
        size=blob.size_bytes,
        status=blob.status,
        createdTime=format_time(blob.created_time_ms),
        modifiedTime=None if blob.modified_time_ms is None else format_time(blob.modified_time_ms),
        revision=blob.revision,
    )


def as_device_log(log: Blob) -> dict[str, Any]:
    """The device log as the API shows it, without status and modifiedTime. Source: blob-api 5."""
    return _without_none(
        id=log.id,
        userId=log.user_id,
        digestMD5=log.digest_md5,
        mediaType=log.media_type,
        size=log.size_bytes,
        createdTime=format_time(log.created_time_ms),
        startAtTime=None if log.span is None else format_time(log.span.start_ms),
        endAtTime=None if log.span is None else format_time(log.span.end_ms),
        revision=log.revision,
    )


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
