"""Bodies of the Nightscout API: JSON or the table of entries. Source: nightscout-api 3, 5 and 10."""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from chalicelib import json_text
from chalicelib.api.content_coding import decoded
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_etags import FORMATS, format_of, unless_known
from chalicelib.encoding.form import MEDIA_TYPE, FormError, form_members
from chalicelib.errors import InvalidRequestError, MalformedJsonError
from chalicelib.nightscout.search import FoundDocuments

MAX_INFLATED_BYTES = 16 * 1024 * 1024
"""The largest body that is sent compressed."""
_COLUMNS = ("dateString", "date", "sgv", "direction", "device")
_SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "\t"}
_JSON = "application/json"
_CHARSET = re.compile(r""";\s*charset\s*=\s*"?([\w.:-]+)""", re.IGNORECASE)
_LATIN = ("latin-1", "cp1252")
_ENCODINGS = {
    **{name: name for name in ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be")},
    **{"iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"},
}
"""Python's encodings by the charset that a client names; any other charset is read as UTF-8."""


def documents_in(request: Request) -> Any:
    """The JSON value of the body; an empty array for no body and for null. A form is a document whose values are texts,
    with a member of an object for `a[b]`, and an element of an array for `a[]`, for `a[0]` and for a name that repeats.

    Raises:
        MalformedJsonError: the body is not JSON.
        InvalidRequestError: the body has another media type or is damaged.
        TooLargeError: it has too many bytes once it is decompressed.
    """
    body = _content(request)
    if not body.strip():
        return []
    media_type = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if media_type == MEDIA_TYPE:
        try:
            return form_members(body)
        except FormError as error:
            raise InvalidRequestError(str(error)) from error
    if media_type != _JSON:
        raise InvalidRequestError("the body has to be JSON")
    try:
        sent = json_text.decode_sent(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJsonError from error
    return [] if sent is None else sent


def entries_reply(request: Request, found: FoundDocuments) -> Reply:
    """The entries in the format that the path ends with or the client accepts; 304 if the client has them."""
    name = format_of(request)
    if name not in _SEPARATORS:
        return documents_reply(request, found)
    return unless_known(request, _table(found.bodies, _SEPARATORS[name]), f"{FORMATS[name]}; charset=utf-8", found)


def documents_reply(request: Request, found: FoundDocuments) -> Reply:
    """The documents as JSON, whatever is asked for; 304 if the client has them."""
    body = orjson.dumps(found.bodies, option=orjson.OPT_SORT_KEYS)
    return unless_known(request, body, f"{_JSON}; charset=utf-8", found)


def deletion_reply(count: int) -> Reply:
    """The reply to a deletion."""
    return Reply({"acknowledged": True, "deletedCount": count})


def _table(bodies: Sequence[Mapping[str, Any]], separator: str) -> bytes:
    rows = (separator.join(_cell(body.get(column)) for column in _COLUMNS) for body in bodies)
    return "\r\n".join(rows).encode()


def _cell(value: Any) -> str:
    """A value as JSON; an absent one is empty."""
    return "" if value is None else orjson.dumps(value).decode()


def _content(request: Request) -> bytes:
    """The body in UTF-8, without its content coding and its byte order mark."""
    content = decoded(request.body, request.headers.get("content-encoding", ""), MAX_INFLATED_BYTES)
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    encoding = _ENCODINGS.get(charset[1].lower()) if charset else None
    if encoding is None or (encoding in _LATIN and _is_utf_8(content)):
        return content.removeprefix(BOM_UTF8)
    return content.decode(encoding, errors="replace").removeprefix("\ufeff").encode()


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
