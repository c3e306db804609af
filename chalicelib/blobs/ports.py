"""What the rules of blobs need of the world: a store of blobs, and a store of their contents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.blobs.blob import Blob, BlobKind


class BlobStore(Protocol):
    """Keeps blobs, without their contents. Reads see every write that was answered."""

    def add(self, blob: Blob) -> None:
        """Keeps a new blob."""
        ...

    def find(self, kind: BlobKind, blob_id: str) -> Blob | None:
        """The blob, whatever its status; None when there is none."""
        ...

    def of_user(self, kind: BlobKind, user_id: str, start_from_ms: int | None = None) -> Iterator[Blob]:
        """All of the user, whatever their status; they are read as the caller asks for them.

        Blobs come newest first, by time of creation. Device logs come by the start of their span, latest first, only
        those that start at `start_from_ms` or later when it is given.
        """
        ...

    def make_available(self, blob: Blob) -> bool:
        """Stores what `Blob.with_content` says, if the blob is there and still `created`; False when it is not."""
        ...

    def remove(self, blobs: Sequence[Blob]) -> None:
        """Removes blobs; those that are gone are no error."""
        ...

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """Blobs of all users that were created before, and whose content had not come a moment ago."""
        ...


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What is known of a content without reading it."""

    size_bytes: int
    digest_md5: str
    """Base64, computed by the store from the bytes that it keeps."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A request by which a client brings a content straight to the store, until `expires_time_ms`.

    The headers are to be sent as they are.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    expires_time_ms: int


class ContentStore(Protocol):
    """Keeps contents by key. What came by upload is kept for good only when `keep` says so, else a day or two."""

    def put(self, key: str, content: bytes, media_type: str) -> None:
        """Keeps a content for good."""
        ...

    def read(self, key: str) -> bytes | None:
        """The content, or None; only for contents that fit in memory."""
        ...

    def describe(self, key: str) -> StoredContent | None:
        """Size and digest of the content, or None; it is not read."""
        ...

    def keep(self, key: str) -> None:
        """Keeps for good what came by upload; may be repeated. A content that is gone is no error."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Deletes contents; those that are gone are no error."""
        ...

    def delete_under(self, prefix: str) -> None:
        """Deletes all contents whose keys begin so, also those that no blob knows."""
        ...

    def upload(self, blob: Blob, now_ms: int) -> Upload:
        """A request that brings the blob's content, once: exactly the bytes, size and type that the blob announces."""
        ...

    def download_url(self, blob: Blob) -> str:
        """An address that gives the blob's content, with its type, to anyone, for a few minutes."""
        ...


@dataclass(frozen=True, slots=True)
class BlobPorts:
    """The stores of blobs and device logs, and of their contents."""

    blobs: BlobStore
    contents: ContentStore
