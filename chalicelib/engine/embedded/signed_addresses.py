"""Signed addresses of objects: each lets its holder send or fetch exactly what it was made for, for a time.

The signature covers the method, the key and everything else that decides what happens, as a JSON array, so that no two
requests have the same text. An upload's length, type and MD5 are not part of its address: they are headers that
the client has to send, and the signature fits no others.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode

import orjson

from chalicelib.engine.embedded.errors import AddressRefusedError
from chalicelib.engine.objects import SignedUpload, UploadTerms
from chalicelib.frozen import frozen

PATH_PREFIX = "/objects/"
"""Begins the path of each signed address; no route of an API does."""
_UPLOAD, _DOWNLOAD = "PUT", "GET"
_DISPOSITION, _EXPIRES, _MEDIA_TYPE = "response-content-disposition", "expires", "response-content-type"
_SIGNATURE = "signature"


@frozen
class DownloadTerms:
    """The terms of a signed download."""

    key: str
    media_type: str | None
    disposition: str | None


class AddressSigner:
    """Makes and verifies signed addresses."""

    def __init__(self, secret: bytes, base_url: str, now_ms: Callable[[], int]) -> None:
        self._secret = secret
        self._base_url = base_url.rstrip("/")
        self._now_ms = now_ms

    def upload(self, key: str, terms: UploadTerms, lifetime_s: int) -> SignedUpload:
        """See `Objects.sign_upload`."""
        headers = {
            "Content-Length": str(terms.size_bytes),
            "Content-MD5": terms.md5,
            "Content-Type": terms.media_type,
            "If-None-Match": "*",
        }
        expires_ms = self._expires_ms(lifetime_s)
        signature = self._signature(_UPLOAD, key, expires_ms, terms.size_bytes, terms.md5, terms.media_type)
        return SignedUpload(_UPLOAD, self._url(key, {_EXPIRES: str(expires_ms), _SIGNATURE: signature}), headers)

    def download(self, key: str, lifetime_s: int, media_type: str | None, disposition: str | None) -> str:
        """See `Objects.sign_download`."""
        expires_ms = self._expires_ms(lifetime_s)
        query = {_EXPIRES: str(expires_ms)}
        if media_type is not None:
            query[_MEDIA_TYPE] = media_type
        if disposition is not None:
            query[_DISPOSITION] = disposition
        query[_SIGNATURE] = self._signature(_DOWNLOAD, key, expires_ms, media_type, disposition)
        return self._url(key, query)

    def verify_upload(self, target: str, headers: Mapping[str, str]) -> tuple[str, UploadTerms]:
        """The key and the terms of an upload.

        Args:
            target: path and query of the request as they came, still encoded.
            headers: those of the request, by their names in lower case.

        Raises:
            AddressRefusedError: the request is not the one that was signed, or its time is over.
        """
        key, query = _parts(target)
        expires_ms = _number(query.pop(_EXPIRES, ""))
        signature = query.pop(_SIGNATURE, "")
        terms = UploadTerms(
            _number(headers.get("content-length", "")), headers.get("content-md5", ""), headers.get("content-type", "")
        )
        expected = self._signature(_UPLOAD, key, expires_ms, terms.size_bytes, terms.md5, terms.media_type)
        if query or headers.get("if-none-match") != "*":
            raise _refused()
        self._require(signature, expected, expires_ms)
        return key, terms

    def verify_download(self, target: str) -> DownloadTerms:
        """The terms that a signed download was made with.

        Args:
            target: as for `verify_upload`.

        Raises:
            AddressRefusedError: the request is not the one that was signed, or its time is over.
        """
        key, query = _parts(target)
        expires_ms = _number(query.pop(_EXPIRES, ""))
        signature = query.pop(_SIGNATURE, "")
        terms = DownloadTerms(key, query.pop(_MEDIA_TYPE, None), query.pop(_DISPOSITION, None))
        if query:
            raise _refused()
        expected = self._signature(_DOWNLOAD, key, expires_ms, terms.media_type, terms.disposition)
        self._require(signature, expected, expires_ms)
        return terms

    def _require(self, signature: str, expected: str, expires_ms: int) -> None:
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
            raise _refused()
        if expires_ms <= self._now_ms():
            raise AddressRefusedError(403, "the address has expired")

    def _signature(self, *signed: str | int | None) -> str:
        try:
            text = orjson.dumps(signed)
        except TypeError as error:  # a number beyond 64 bits, or half a surrogate pair
            raise _refused() from error
        return base64.urlsafe_b64encode(hmac.digest(self._secret, text, hashlib.sha256)).rstrip(b"=").decode()

    def _expires_ms(self, lifetime_s: int) -> int:
        return self._now_ms() + lifetime_s * 1000

    def _url(self, key: str, query: Mapping[str, str]) -> str:
        return f"{self._base_url}{PATH_PREFIX}{quote(key)}?{urlencode(query, quote_via=quote)}"


def _parts(target: str) -> tuple[str, dict[str, str]]:
    """The key and the query of a request."""
    path, _, query = target.partition("?")
    if not path.startswith(PATH_PREFIX):
        raise _refused()
    try:
        key = unquote(path.removeprefix(PATH_PREFIX), errors="strict")
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=8)
    except ValueError as error:
        raise _refused() from error
    named = dict(pairs)
    if len(named) != len(pairs):
        raise _refused()
    return key, named


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise _refused()
    return int(text)


def _refused() -> AddressRefusedError:
    return AddressRefusedError(403, "the signature does not fit the request")
