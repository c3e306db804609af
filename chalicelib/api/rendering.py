"""From an answer to the bytes and headers that go out: JSON, compression, trace ids, cross-origin headers."""

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from chalice.app import Response

from chalicelib.api.credentials import PLATFORM_FORMATS
from chalicelib.api.messages import Reply, Trace
from chalicelib.api.operations.operation import ErrorFormat
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.reading.ports import LargeReplies

JSON = "application/json"
JSON_UTF8 = "application/json; charset=utf-8"
COMPRESSED_FROM_BYTES = 1024
LAMBDA_REPLY_BYTES = 5_500_000
"""Lambda answers 6 MB at most (6,291,456 bytes); the rest is for headers and for what else the JSON escapes."""
CORS_HEADERS = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Digest, If-None-Match, Prefer, X-Tidepool-Session-Token, "
        "X-Tidepool-Trace-Request, X-Tidepool-Trace-Session, X-Logs-Start-At-Time, X-Logs-End-At-Time, X-Upload-Size"
    ),
    # Browsers read the token from the answer to a login (errors 6).
    "Access-Control-Expose-Headers": "Digest, ETag, X-Tidepool-Session-Token, X-Tidepool-Trace-Request",
    "Access-Control-Max-Age": "600",
}


def rendered(
    reply: Reply,
    status: int,
    form: ErrorFormat,
    trace: Trace,
    request_headers: Mapping[str, Sequence[str]],
    cors_origins: Sequence[str],
    large_replies: LargeReplies | None = None,
) -> Response:
    """The answer as Chalice sends it, compressed when it is worth it and the client takes gzip.

    What is too large for Lambda is put aside, and the client is sent there with 303, which every client that follows
    redirects follows with a GET.
    """
    headers: dict[str, str | list[str]] = {"Vary": "Accept-Encoding"}
    if form in PLATFORM_FORMATS:
        headers["Content-Type"] = JSON_UTF8
    elif reply.body is not None:  # only the platform's services name the type of what is empty (errors 1 and 6)
        headers["Content-Type"] = JSON
    headers["X-Tidepool-Trace-Request"] = trace.request
    if trace.session is not None:
        headers["X-Tidepool-Trace-Session"] = trace.session
    body, encoding = _encoded(reply, request_headers)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    headers.update(reply.headers)
    headers.update(cors_headers(request_headers, cors_origins))
    if large_replies is not None and _lambda_size_bytes(body, encoding is None) > LAMBDA_REPLY_BYTES:
        headers |= {"Location": large_replies.put(body, str(headers["Content-Type"]), encoding)}
        headers |= {"Cache-Control": "no-store"}
        headers.pop("Content-Encoding", None)
        return TextResponse(body="", headers=headers, status_code=303)
    if encoding is None and not reply.is_binary:
        return TextResponse(body=body.decode(), headers=headers, status_code=status)
    return Response(body=body, headers=headers, status_code=status)


def _lambda_size_bytes(body: bytes, is_text: bool) -> int:
    """What a body takes in the JSON that Lambda answers: text is escaped, everything else goes as base64."""
    if not is_text:
        return len(body) * 4 // 3
    return len(body) + body.count(b'"') + body.count(b"\\") + body.count(b"\n")


class TextResponse(Response):
    """A response that goes to the gateway as text.

    Chalice would send everything as base64, since compression makes every media type a binary one; the gateway turns
    base64 back only for clients that say what they accept.
    """

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002  Chalice's signature
        """The gateway's form of the response, its body as it is."""
        return super().to_dict(None)


def accepts_gzip(request_headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether the client takes a gzip body; an `Accept-Encoding` that gives it the weight 0 refuses it.

    A client that sends no `Accept` gets text: the gateway hands binary bodies only to those that accept a binary type.
    """
    if "accept" not in request_headers:
        return False
    for value in request_headers.get("accept-encoding", ()):
        for offer in value.lower().split(","):
            coding, _, weight = offer.partition(";")
            if coding.strip() in ("gzip", "*"):
                return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def cors_headers(request_headers: Mapping[str, Sequence[str]], origins: Sequence[str]) -> dict[str, str]:
    """What lets a page of a configured origin read the answer; nothing for any other origin.

    The origin is echoed, since credentials rule out `*`, and so does having more than one.
    """
    origin = next(iter(request_headers.get("origin", ())), None)
    if origin is None or (origin not in origins and "*" not in origins):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Accept-Encoding, Origin", **CORS_HEADERS}


def _encoded(reply: Reply, request_headers: Mapping[str, Sequence[str]]) -> tuple[bytes, str | None]:
    body = reply.body
    if body is None:
        return b"", None
    takes_gzip = reply.content_encoding is None and accepts_gzip(request_headers)
    if isinstance(body, RecordArray):
        if takes_gzip and body.size_bytes >= COMPRESSED_FROM_BYTES:
            return body.gzip(), "gzip"
        return body.plain(), None
    if not isinstance(body, bytes):
        body = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    if takes_gzip and len(body) >= COMPRESSED_FROM_BYTES:
        return gzip.compress(body, compresslevel=1, mtime=0), "gzip"
    return body, reply.content_encoding
