"""What a blob is: bytes of one user that the platform keeps and does not read. Source: blob-api 5.

A device log is a blob with a time span, in a collection of its own.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chalicelib.model.times import format_time

MAX_BYTES = 104_857_600
"""100 MiB, the most that a blob may have."""

CREATED = "created"
AVAILABLE = "available"
STATUSES = (AVAILABLE, CREATED)

_CONTENT_KEY = re.compile(r"(blobs|device_logs)/([0-9a-fA-F-]+)/([0-9a-z]{32})")


class BlobKind(StrEnum):
    """Where a blob belongs."""

    BLOBS = "blobs"
    DEVICE_LOGS = "device_logs"


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From when to when a device log tells, in milliseconds since the epoch; the order is not checked."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob without its bytes.

    `digest_md5` (base64) and `size_bytes` are those of the content, or, before it has come, those it will have;
    None when no content was announced. Only device logs have a `span`.
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
        """The name under which the content is kept."""
        return f"{self.kind}/{self.user_id}/{self.id}"

    @property
    def is_available(self) -> bool:
        """Whether the content has come."""
        return self.status == AVAILABLE

    def with_content(self, now_ms: int) -> "Blob":
        """The blob once its content has come."""
        return replace(self, status=AVAILABLE, revision=self.revision + 1, modified_time_ms=now_ms)


def kind_and_id(content_key: str) -> tuple[BlobKind, str] | None:
    """Which blob a content key belongs to; None when it is the key of no blob."""
    match = _CONTENT_KEY.fullmatch(content_key)
    return (BlobKind(match[1]), match[3]) if match else None


def content_prefix(kind: BlobKind, user_id: str) -> str:
    """What the content keys of a user's blobs begin with."""
    return f"{kind}/{user_id}/"


def as_blob(blob: Blob) -> dict[str, Any]:
    """The object that clients know as a blob. Source: blob-api 5."""
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
    """The object that clients know as a device log: without status and modifiedTime. Source: blob-api 5."""
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
