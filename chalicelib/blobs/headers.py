"""The headers of an upload, which describe its content. Source: blob-api 3."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from chalicelib.blobs.blob import MAX_BYTES, TimeSpan
from chalicelib.errors import InvalidHeaderError, MissingHeaderError, TooLargeError
from chalicelib.frozen import frozen
from chalicelib.model.times import parse_time

MAX_MEDIA_TYPE_LENGTH = 256

NO_DIGEST = "null"
"""Sent by the Uploader for an unknown digest (clients 5)."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  a token of RFC 2045 is not a secret
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*(?=;|$)")
_QUOTED = r'"((?:[\t !#-\[\]-~]|\\[\t -~])*)"'
_PARAMETER = re.compile(rf"\s*;\s*({_TOKEN})\s*=\s*(?:({_TOKEN})|{_QUOTED})\s*(?=;|$)")
_DIGEST = re.compile(r"md5=(.{24})", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,15}")


@frozen
class UploadRequest:
    """A request for a new blob or device log: its query, its headers by lower-case names, the bytes of its body, and
    the key that marks its repetitions."""

    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    content: bytes
    idempotency_key: str | None = None


@frozen
class UploadHeaders:
    """The content that a client announces: media type, digest (base64) and, for a direct upload, size."""

    media_type: str
    digest_md5: str | None = None
    size_bytes: int | None = None
    span: TimeSpan | None = None


def parse_blob_headers(headers: Mapping[str, str], *, is_direct: bool) -> UploadHeaders:
    """The content announced by the headers (lower-case names) of a blob's upload.

    A direct upload requires digest and size, since the store checks both; otherwise the digest is optional.

    Raises:
        MissingHeaderError, InvalidHeaderError: in this order, for Digest, Content-Type, X-Upload-Size.
        TooLargeError: the announced size is above 100 MiB.
    """
    if is_direct:
        digest: str | None = _required_digest({name: value for name, value in headers.items() if value != NO_DIGEST})
    elif headers.get("digest", NO_DIGEST) == NO_DIGEST:
        digest = None
    else:
        digest = _required_digest(headers)
    media_type = _media_type(headers)
    return UploadHeaders(media_type, digest, _size_bytes(headers) if is_direct else None)


def parse_device_log_headers(headers: Mapping[str, str], *, is_direct: bool) -> UploadHeaders:
    """The content announced by the headers (lower-case names) of a device log's upload.

    Raises:
        MissingHeaderError, InvalidHeaderError: in this order, for Digest, Content-Type, X-Logs-Start-At-Time,
            X-Logs-End-At-Time, X-Upload-Size.
        TooLargeError: the announced size is above 100 MiB.
    """
    digest = _required_digest(headers)
    media_type = _media_type(headers)
    span = TimeSpan(_time_ms(headers, "X-Logs-Start-At-Time"), _time_ms(headers, "X-Logs-End-At-Time"))
    return UploadHeaders(media_type, digest, _size_bytes(headers) if is_direct else None, span)


def normalized_media_type(text: str) -> str | None:
    """A media type as it is stored; None when the text is not a media type.

    Type and parameter names are in lower case, parameters sorted by name after one space each; values are unchanged.
    """
    match = _MEDIA_TYPE.match(text)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    end = match.end()
    while text[end:].strip() not in ("", ";"):
        parameter = _PARAMETER.match(text, end)
        if parameter is None or parameter[1].lower() in parameters:
            return None
        quoted = parameter[3]
        parameters[parameter[1].lower()] = parameter[2] if quoted is None else _as_value(quoted)
        end = parameter.end()
    return "".join([match[1].lower(), *(f"; {name}={parameters[name]}" for name in sorted(parameters))])


def _as_value(quoted: str) -> str:
    """A quoted value, without quotes unless it needs them."""
    plain = re.sub(r"\\(.)", r"\1", quoted)
    if re.fullmatch(_TOKEN, plain):
        return plain
    escaped = re.sub(r'(["\\])', r"\\\1", plain)
    return f'"{escaped}"'


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower())
    if value is None:
        raise MissingHeaderError(name)
    return value


def _required_digest(headers: Mapping[str, str]) -> str:
    match = _DIGEST.fullmatch(_required(headers, "Digest"))
    if match is None or not _is_md5(match[1]):
        raise InvalidHeaderError("Digest")
    return match[1]


def _is_md5(text: str) -> bool:
    """Whether a text is the base64 of 16 bytes, in the one spelling that encoding gives."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(digest) == 16 and base64.b64encode(digest).decode() == text


def _media_type(headers: Mapping[str, str]) -> str:
    normalized = normalized_media_type(_required(headers, "Content-Type"))
    if normalized is None or len(normalized) > MAX_MEDIA_TYPE_LENGTH:
        raise InvalidHeaderError("Content-Type")
    return normalized


def _time_ms(headers: Mapping[str, str], name: str) -> int:
    moment = parse_time(_required(headers, name))
    if moment is None:
        raise InvalidHeaderError(name)
    return moment.epoch_ms


def _size_bytes(headers: Mapping[str, str]) -> int:
    size = _required(headers, "X-Upload-Size")
    if _SIZE.fullmatch(size) is None:
        raise InvalidHeaderError("X-Upload-Size")
    if int(size) > MAX_BYTES:
        raise TooLargeError(MAX_BYTES, f"a blob may have at most {MAX_BYTES} bytes")
    return int(size)
