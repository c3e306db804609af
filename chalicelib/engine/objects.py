"""The port of objects: bytes under a key, written whole, in the stage's one bucket.

All methods raise `UnavailableError` when the engine throttles, times out or cannot be reached.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from chalicelib.frozen import frozen


@frozen
class ObjectHead:
    """The description of an object, which is known without reading it."""

    size_bytes: int
    md5: str
    """In base64; empty when the engine does not know it."""


@frozen
class UploadTerms:
    """The terms of a signed upload; the engine refuses anything else."""

    size_bytes: int
    md5: str
    """In base64."""
    media_type: str


@frozen
class SignedUpload:
    """A request that puts an object without further credentials."""

    method: str
    url: str
    headers: Mapping[str, str]
    """To be sent as they are: the signature covers them."""


class Objects(Protocol):
    """The objects of a stage. A get and a head cost the same on S3; a put, a list and a tagging twelve times that."""

    def put(
        self, key: str, body: bytes, media_type: str, *, content_encoding: str | None = None, once: bool = False
    ) -> bool:
        """Store an object in place of any that has its key: one request.

        Args:
            once: leave an object that is there as it is.

        Returns:
            Whether it was stored; False only with `once`, when there is an object with this key.
        """

    def get(self, key: str) -> bytes | None:
        """The body of an object, or None: one request."""

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        """The bytes from `start` up to `stop`, without it, as far as the object has them; None when there is no such
        object: one request.

        Raises:
            ValueError: the range is empty or begins after the end of the object.
        """

    def head(self, key: str) -> ObjectHead | None:
        """The description of an object, or None: one request."""

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with a prefix, in the order of their bytes: one request for each thousand, made when the
        iterator gets to it."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the objects that are there: one request for each thousand keys.

        Raises:
            RuntimeError: the engine refuses to remove one; others may be gone.
        """

    def keep(self, key: str) -> None:
        """Keep what came by a signed upload, which is removed after a day otherwise. Nothing happens if there is no
        object: one request."""

    def sign_upload(self, key: str, terms: UploadTerms, lifetime_s: int) -> SignedUpload:
        """A request that puts the object once, begun within the lifetime: no request, only a signature. The object is
        removed after a day unless `keep` is called."""

    def sign_download(
        self, key: str, lifetime_s: int, *, media_type: str | None = None, disposition: str | None = None
    ) -> str:
        """An address that answers the object to anybody within the lifetime: no request, only a signature.

        Args:
            media_type: the `Content-Type` of the answer, instead of that of the object.
            disposition: its `Content-Disposition`.
        """
