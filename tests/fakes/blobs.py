"""Blobs and their contents in memory, with the upload of a content by a client."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.content import md5_base64
from chalicelib.blobs.ports import StoredContent, Upload
from chalicelib.errors import UnavailableError

UPLOAD_LIFETIME_MS = 900_000


class FakeBlobs:
    """The port `BlobStore` in memory."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[BlobKind, str], Blob] = {}

    def add(self, blob: Blob) -> bool:
        """See the port."""
        return self.by_id.setdefault((blob.kind, blob.id), blob) is blob

    def find(self, kind: BlobKind, blob_id: str) -> Blob | None:
        """See the port."""
        return self.by_id.get((kind, blob_id))

    def of_user(self, kind: BlobKind, user_id: str, start_from_ms: int | None = None) -> Iterator[Blob]:
        """See the port."""
        of_user = [blob for blob in self.by_id.values() if (blob.kind, blob.user_id) == (kind, user_id)]
        for blob in sorted(of_user, key=_order, reverse=True):
            if start_from_ms is None or blob.span is None or blob.span.start_ms >= start_from_ms:
                yield blob

    def make_available(self, blob: Blob) -> bool:
        """See the port."""
        stored = self.find(blob.kind, blob.id)
        if stored is None or stored.is_available:
            return False
        self.by_id[blob.kind, blob.id] = blob
        return True

    def remove(self, blobs: Sequence[Blob]) -> None:
        """See the port."""
        for blob in blobs:
            self.by_id.pop((blob.kind, blob.id), None)

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """See the port."""
        waiting = [blob for blob in self.by_id.values() if not blob.is_available and blob.created_time_ms < time_ms]
        yield from sorted(waiting, key=lambda blob: blob.created_time_ms)


class FakeContents:
    """The port `ContentStore` in memory. `pending` holds the keys that the lifecycle would remove.

    `before_put` runs before a content is put: a test can let something happen there.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, tuple[bytes, str]] = {}
        self.pending: set[str] = set()
        self.is_down = False
        self.before_put: Callable[[str], None] = lambda key: None

    def put(self, key: str, content: bytes, media_type: str) -> None:
        """See the port."""
        self.before_put(key)
        if self.is_down:
            raise UnavailableError
        self.by_key[key] = (content, media_type)

    def read(self, key: str) -> bytes | None:
        """See the port."""
        return self.by_key[key][0] if key in self.by_key else None

    def describe(self, key: str) -> StoredContent | None:
        """See the port."""
        content = self.read(key)
        return None if content is None else StoredContent(len(content), md5_base64(content))

    def keep(self, key: str) -> None:
        """See the port."""
        self.pending.discard(key)

    def delete(self, keys: Iterable[str]) -> None:
        """See the port."""
        for key in keys:
            self.by_key.pop(key, None)
            self.pending.discard(key)

    def delete_under(self, prefix: str) -> None:
        """See the port."""
        self.delete([key for key in self.by_key if key.startswith(prefix)])

    def upload(self, blob: Blob, now_ms: int) -> Upload:
        """See the port."""
        headers = {
            "Content-Length": str(blob.size_bytes),
            "Content-MD5": blob.digest_md5 or "",
            "Content-Type": blob.media_type,
        }
        return Upload("PUT", f"https://store.example.org/{blob.content_key}", headers, now_ms + UPLOAD_LIFETIME_MS)

    def download_url(self, blob: Blob) -> str:
        """See the port."""
        return f"https://store.example.org/{blob.content_key}?signed"

    def arrive(self, key: str, content: bytes, media_type: str = "text/plain") -> None:
        """Upload a content as a client does."""
        self.by_key[key] = (content, media_type)
        self.pending.add(key)


def _order(blob: Blob) -> tuple[int, str]:
    return (blob.created_time_ms if blob.span is None else blob.span.start_ms, blob.id)
