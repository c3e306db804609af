"""Contents of blobs as objects."""

from collections.abc import Iterable

from chalicelib.blobs.blob import Blob
from chalicelib.blobs.ports import StoredContent, Upload
from chalicelib.engine.objects import Objects, UploadTerms

UPLOAD_LIFETIME_S = 900
"""Within this time an upload has to start; one that has started is not interrupted."""
DOWNLOAD_LIFETIME_S = 300


class StoredContents:
    """The port `ContentStore` on objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, key: str, content: bytes, media_type: str) -> None:
        """See `ContentStore.put`: one request."""
        self._objects.put(key, content, media_type)

    def read(self, key: str) -> bytes | None:
        """See `ContentStore.read`: one request."""
        return self._objects.get(key)

    def describe(self, key: str) -> StoredContent | None:
        """See `ContentStore.describe`: one request."""
        head = self._objects.head(key)
        return None if head is None else StoredContent(head.size_bytes, head.md5)

    def keep(self, key: str) -> None:
        """See `ContentStore.keep`: one request."""
        self._objects.keep(key)

    def delete(self, keys: Iterable[str]) -> None:
        """See `ContentStore.delete`: one request for each thousand."""
        self._objects.delete(keys)

    def delete_under(self, prefix: str) -> None:
        """See `ContentStore.delete_under`: two requests for each thousand."""
        self._objects.delete(self._objects.keys(prefix))

    def upload(self, blob: Blob, now_ms: int) -> Upload:
        """See `ContentStore.upload`: no request, only a signature."""
        terms = UploadTerms(blob.size_bytes or 0, blob.digest_md5 or "", blob.media_type)
        signed = self._objects.sign_upload(blob.content_key, terms, UPLOAD_LIFETIME_S)
        return Upload(signed.method, signed.url, signed.headers, now_ms + UPLOAD_LIFETIME_S * 1000)

    def download_url(self, blob: Blob) -> str:
        """See `ContentStore.download_url`: no request, only a signature."""
        return self._objects.sign_download(
            blob.content_key, DOWNLOAD_LIFETIME_S, media_type=blob.media_type, disposition=blob.disposition
        )
