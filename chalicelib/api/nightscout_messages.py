"""Bodies of the Nightscout API: JSON or the table of entries, and what a client has already.

Source: nightscout-api 3, 5 and 10.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import orjson

from chalicelib import json_text
from chalicelib.api.messages import Reply, Request
from chalicelib.api.router import EXTENSION
from chalicelib.errors import InvalidRequestError, MalformedJsonError, TooLargeError
from chalicelib.nightscout.search import FoundDocuments
from chalicelib.reading.etag import NotModifiedError, parse_known_etags, require_modified

MAX_INFLATED_BYTES = 16 * 1024 * 1024
"""The largest body that is sent compressed."""
_GZIP_WBITS = 31
_COLUMNS = ("dateString", "date", "sgv", "direction", "device")
_TABLES = {"csv": (",", "text/csv; charset=utf-8"), "tsv": ("\t", "text/plain; charset=utf-8")}
_JSON = "application/json"


def documents_in(request: Request) -> Any:
    """The JSON value of the body; an empty array for no body and for null.

    Raises:
        MalformedJsonError: the body is not JSON.
        InvalidRequestError: the body has another media type or is damaged.
        TooLargeError: it has too many bytes once it is decompressed.
    """
    body = _inflated(request)
    if not body.strip():
        return []
    media_type = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if media_type != _JSON:
        raise InvalidRequestError("the body has to be JSON")
    try:
        sent = json_text.decode_sent(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJsonError from error
    return [] if sent is None else sent


def entries_reply(request: Request, found: FoundDocuments) -> Reply:
    """The entries in the format that the path ends with or the client accepts; 304 if the client has them."""
    extension = request.path[EXTENSION] or _accepted(request)
    if extension == "json":
        return documents_reply(request, found)
    separator, media_type = _TABLES.get(extension, _TABLES["tsv"])
    return _unless_known(request, _table(found.bodies, separator), media_type, found.newest_ms)


def documents_reply(request: Request, found: FoundDocuments) -> Reply:
    """The documents as JSON, whatever is asked for; 304 if the client has them."""
    body = orjson.dumps(found.bodies, option=orjson.OPT_SORT_KEYS)
    return _unless_known(request, body, f"{_JSON}; charset=utf-8", found.newest_ms)


def deletion_reply(count: int) -> Reply:
    """The reply to a deletion."""
    return Reply({"acknowledged": True, "deletedCount": count})


def _unless_known(request: Request, body: bytes, media_type: str, newest_ms: int | None) -> Reply:
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Content-Type": media_type, "Vary": "Accept, Accept-Encoding"}
    if newest_ms is not None:
        headers["Last-Modified"] = formatdate(newest_ms // 1000, usegmt=True)
    try:
        require_modified(tag, parse_known_etags(request.headers.get("if-none-match", "")))
    except NotModifiedError:
        return Reply(status=304, headers=_without_type(headers))
    if newest_ms is not None and newest_ms // 1000 <= _known_since_s(request):
        return Reply(status=304, headers=_without_type(headers))
    return Reply(body, headers=headers)


def _known_since_s(request: Request) -> int:
    """The time of `If-Modified-Since` in seconds; 0 if there is none that can be read."""
    try:
        return int(parsedate_to_datetime(request.headers.get("if-modified-since", "")).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0


def _without_type(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Content-Type"}


def _accepted(request: Request) -> str:
    """The format of the first media type in `Accept`: JSON only if it is named."""
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return {_JSON: "json", "text/csv": "csv"}.get(first, "tsv")


def _table(bodies: Sequence[Mapping[str, Any]], separator: str) -> bytes:
    rows = (separator.join(_cell(body.get(column)) for column in _COLUMNS) for body in bodies)
    return "\r\n".join(rows).encode()


def _cell(value: Any) -> str:
    """A value as JSON; an absent one is empty."""
    return "" if value is None else orjson.dumps(value).decode()


def _inflated(request: Request) -> bytes:
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        return request.body
    inflate = zlib.decompressobj(_GZIP_WBITS)
    try:
        body = inflate.decompress(request.body, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise InvalidRequestError("the body is no gzip") from error
    if inflate.unconsumed_tail:
        raise TooLargeError(MAX_INFLATED_BYTES, f"a body may have at most {MAX_INFLATED_BYTES} bytes")
    if not inflate.eof:
        raise InvalidRequestError("the body is no whole gzip")
    return body
