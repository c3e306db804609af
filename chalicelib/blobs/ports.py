"""The ports of blobs: a store of blobs, and a store of their contents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.frozen import frozen


class BlobStore(Protocol):
    """Stores blobs without their contents. Reads see the last write."""

    def add(self, blob: Blob) -> bool:
        """Store a new blob; False if there is one with its id.

        Raises:
            StorageQuotaError: the user has no room for its content; nothing was stored.
        """
        ...

    def find(self, kind: BlobKind, blob_id: str) -> Blob | None:
        """The blob, whatever its status; None when there is none."""
        ...

    def of_user(self, kind: BlobKind, user_id: str, start_from_ms: int | None = None) -> Iterator[Blob]:
        """All blobs of a kind of a user, of any status, read page by page as the caller iterates.

        Blobs come newest first, by time of creation. Device logs come by the start of their span, latest first, only
        those that start at `start_from_ms` or later when it is given.
        """
        ...

    def make_available(self, blob: Blob) -> bool:
        """Store the result of `Blob.with_content` if the blob exists and is `created`; False otherwise."""
        ...

    def remove(self, blobs: Sequence[Blob]) -> None:
        """Remove blobs of one user, which give their room back; absent ones are ignored."""
        ...

    def stored_bytes(self, user_ids: Sequence[str]) -> list[int]:
        """The bytes of the blobs and device logs of each of these users. The counters may lag behind for a moment."""
        ...

    def forget_usage(self, user_id: str) -> None:
        """Forget what a deleted user's blobs and device logs took."""
        ...

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """Blobs of all users that were created before the time and wait for their content. The list may lag behind."""
        ...


@frozen
class StoredContent:
    """Size and digest of a stored content."""

    size_bytes: int
    digest_md5: str
    """In base64, computed by the store from the bytes that it holds."""


@frozen
class Upload:
    """A request with which a client uploads a content directly to the store, until `expires_time_ms`.

    The client sends the headers unchanged.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    expires_time_ms: int


class ContentStore(Protocol):
    """Stores contents by key. A directly uploaded content is removed after a day or two unless `keep` is called."""

    def put(self, key: str, content: bytes, media_type: str) -> None:
        """Store a content permanently."""
        ...

    def read(self, key: str) -> bytes | None:
        """The content, or None; only for contents that fit in memory."""
        ...

    def describe(self, key: str) -> StoredContent | None:
        """Size and digest of the content, which is not read, or None."""
        ...

    def keep(self, key: str) -> None:
        """Keep a directly uploaded content permanently; may be repeated. An absent content is not an error."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete contents; absent ones are ignored."""
        ...

    def delete_under(self, prefix: str) -> None:
        """Delete all contents whose keys have the prefix, including those without a blob."""
        ...

    def upload(self, blob: Blob, now_ms: int) -> Upload:
        """A request that uploads the blob's content once, with exactly the announced digest, size and type."""
        ...

    def download_url(self, blob: Blob) -> str:
        """An address at which anyone can read the blob's content, with its type and disposition, for a few minutes."""
        ...


@frozen
class BlobPorts:
    """The stores of blobs and device logs, and of their contents."""

    blobs: BlobStore
    contents: ContentStore
