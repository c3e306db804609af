"""Responses: the bytes and headers of a reply, with JSON, compression, trace ids and CORS headers."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from chalice.app import Response

from chalicelib.api.cors import CorsPolicy, cors_headers
from chalicelib.api.credentials import PLATFORM_FORMATS
from chalicelib.api.fitting import fitting, showable
from chalicelib.api.messages import Reply, Trace
from chalicelib.api.operations.operation import NIGHTSCOUT_FORMATS, ErrorFormat
from chalicelib.encoding.file_content import FileContent
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.frozen import frozen
from chalicelib.observability import logger
from chalicelib.reading.ports import LargeReplies

JSON = "application/json"
JSON_UTF8 = "application/json; charset=utf-8"
PLAIN_TEXT = "text/plain; charset=utf-8"
REVALIDATED = "private, no-cache"
"""Only the client may keep a reply, and has to ask each time whether it still holds: permissions may change."""
MIN_COMPRESSED_BYTES = 1024
_UTF8_FORMATS = PLATFORM_FORMATS | NIGHTSCOUT_FORMATS
"""The formats of the APIs that name the charset of JSON."""
LAMBDA_REPLY_BYTES = 5_500_000
"""Lambda returns at most 6 MB (6,291,456 bytes); the rest is left for headers and for further escapes in the JSON."""
CUT_REPLY_BYTES = LAMBDA_REPLY_BYTES // 2
"""The size of a reply that is cut: each of its characters may be escaped."""
ELSEWHERE = (
    b"The content is large: fetch it from the address in the header Location, within a few minutes.\n"
    b"Clients that follow redirects do; with curl, add -L.\n"
)
"""The body of a redirect to content, for a person whose client does not follow it."""


@frozen
class Exchange:
    """The context of a reply on which its response depends: the request that it answers, and the API that answers."""

    error_format: ErrorFormat
    trace: Trace
    request_headers: Mapping[str, Sequence[str]]
    """All values of each header, by its name in lower case."""
    cors: CorsPolicy
    method: str = "GET"
    has_gateway: bool = True
    """True if the response passes through Lambda and the gateway."""
    takes_cookies: bool = False
    """True if pages of clients may send cookies along."""


@frozen
class Body:
    """The bytes of a body in parts, which may be made while they are sent."""

    parts: Iterable[bytes | memoryview]
    size_bytes: int


def rendered(reply: Reply, status: int, exchange: Exchange, large_replies: LargeReplies | None = None) -> Response:
    """The response that Chalice sends, compressed if that saves enough and the client accepts gzip.

    A successful reply to a GET that is too large for Lambda is stored in `large_replies`, and the response redirects
    there by 303: all clients that follow redirects follow it with a GET. Any other reply is cut to what fits: a client
    that is redirected from a refusal would take the 200 that it finds there for a success.
    Without a gateway, a reply of any size is sent as it is.

    Records that cannot be written as JSON are left out, and the header `X-Strandline-Left-Out` counts them: an earlier
    version may have stored a record that is nested too deeply.
    """
    trace, request_headers = exchange.trace, exchange.request_headers
    headers: dict[str, str | list[str]] = {
        "Vary": "Accept-Encoding",
        # A cache on the way knows no session token. Without a word, some keep whatever they see, and give it to others.
        "Cache-Control": REVALIDATED if "ETag" in reply.headers else "no-store",
    }
    if reply.body is not None:
        headers["Content-Type"] = JSON_UTF8 if exchange.error_format in _UTF8_FORMATS else JSON
    headers["X-Tidepool-Trace-Request"] = trace.request
    if trace.session is not None:
        headers["X-Tidepool-Trace-Session"] = trace.session
    try:
        encoded, encoding = _encode(reply, exchange)
    except orjson.JSONEncodeError:
        shown, left_out = showable(reply.body)
        logger.error("left out of a reply", trace=trace.request, records=left_out)
        headers["X-Strandline-Left-Out"] = str(left_out)
        encoded, encoding = _encode(replace(reply, body=shown), exchange)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    headers.update(reply.headers)
    headers.update(cors_headers(request_headers, exchange.cors, takes_cookies=exchange.takes_cookies))
    if not exchange.has_gateway:
        return DirectResponse(encoded, headers, status)
    body = b"".join(encoded.parts)
    if _lambda_size_bytes(body, encoding is None) > LAMBDA_REPLY_BYTES:
        if large_replies is None or exchange.method != "GET" or not 200 <= status < 300:
            return rendered(replace(reply, body=fitting(reply.body, CUT_REPLY_BYTES)), status, exchange, large_replies)
        headers |= {"Location": _stored(large_replies, body, headers)}
        headers |= {"Cache-Control": "no-store", "Content-Type": PLAIN_TEXT}
        headers.pop("Content-Encoding", None)
        return TextResponse(body=ELSEWHERE.decode(), headers=headers, status_code=303)
    if encoding is None and not reply.is_binary:
        return TextResponse(body=body.decode(), headers=headers, status_code=status)
    return Response(body=body, headers=headers, status_code=status)


def _stored(large_replies: LargeReplies, body: bytes, headers: Mapping[str, str | list[str]]) -> str:
    """The address of a body that is stored with the headers that say what it is."""
    given = (headers.get(name) for name in ("Content-Type", "Content-Encoding", "Content-Disposition"))
    media_type, encoding, disposition = (None if value is None else str(value) for value in given)
    return large_replies.put(body, media_type or JSON, encoding, disposition)


def _lambda_size_bytes(body: bytes, is_text: bool) -> int:
    """The size of a body in the JSON that Lambda returns: text is escaped, everything else is sent as base64."""
    if not is_text:
        return len(body) * 4 // 3
    return len(body) + body.count(b'"') + body.count(b"\\") + body.count(b"\n")


class TextResponse(Response):
    """A response that the gateway gets as text.

    Chalice would send all responses as base64, since compression makes all media types binary; the gateway decodes
    base64 only for clients that send an `Accept` header.
    """

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002  Chalice's signature
        """The response in the gateway's format, with the body as text."""
        return super().to_dict(None)


class DirectResponse(Response):
    """A response that the process itself sends: its event has the body as it is, neither as text nor as base64."""

    def __init__(self, body: Body, headers: dict[str, str | list[str]], status_code: int) -> None:
        super().__init__(b"", headers, status_code)
        self.direct_body = body

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002  Chalice's signature
        """The response in the gateway's format, with the `Body` in place of its text."""
        return super().to_dict(None) | {"body": self.direct_body}


def accepts_gzip(request_headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether the client accepts a gzip body; the weight 0 in `Accept-Encoding` rejects it."""
    for value in request_headers.get("accept-encoding", ()):
        for offer in value.lower().split(","):
            coding, _, weight = offer.partition(";")
            if coding.strip() in ("gzip", "*"):
                return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _encode(reply: Reply, exchange: Exchange) -> tuple[Body, str | None]:
    """The body, and its encoding.

    A client that sends no `Accept` gets text from behind a gateway, which sends it no binary bodies.
    """
    body = reply.body
    if body is None:
        return Body((), 0), None
    may_be_binary = not exchange.has_gateway or "accept" in exchange.request_headers
    is_gzip_accepted = reply.content_encoding is None and may_be_binary and accepts_gzip(exchange.request_headers)
    if isinstance(body, FileContent):
        return Body(body.parts(), body.size_bytes), reply.content_encoding
    if isinstance(body, RecordArray):
        if is_gzip_accepted and body.size_bytes >= MIN_COMPRESSED_BYTES:
            parts = body.gzip_parts()
            return Body(parts, sum(map(len, parts))), "gzip"
        return Body(body.plain_parts(), body.size_bytes), None
    if not isinstance(body, bytes):
        body = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    if is_gzip_accepted and len(body) >= MIN_COMPRESSED_BYTES:
        compressed = gzip.compress(body, compresslevel=1, mtime=0)
        return Body((compressed,), len(compressed)), "gzip"
    return Body((body,), len(body)), reply.content_encoding
