"""Bodies of the Nightscout API: JSON or the table of entries. Source: nightscout-api 3, 5 and 10."""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson

from chalicelib import json_text
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_etags import FORMATS, format_of, unless_known
from chalicelib.errors import InvalidRequestError, MalformedJsonError, TooLargeError
from chalicelib.nightscout.search import FoundDocuments

MAX_INFLATED_BYTES = 16 * 1024 * 1024
"""The largest body that is sent compressed."""
_GZIP_WBITS = 31
_FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1_000
"""Fields of a form."""
_MAX_DEPTH = 5
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_COLUMNS = ("dateString", "date", "sgv", "direction", "device")
_SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "\t"}
_JSON = "application/json"


def documents_in(request: Request) -> Any:
    """The JSON value of the body; an empty array for no body and for null. A form is a document whose values are texts,
    with a member of an object for `a[b]` and an element of an array for `a[]`.

    Raises:
        MalformedJsonError: the body is not JSON.
        InvalidRequestError: the body has another media type or is damaged.
        TooLargeError: it has too many bytes once it is decompressed.
    """
    body = _inflated(request)
    if not body.strip():
        return []
    media_type = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if media_type == _FORM:
        return _form_document(body)
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


def _inflated(request: Request) -> bytes:
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        return request.body
    inflate = zlib.decompressobj(_GZIP_WBITS)
    try:
        body = inflate.decompress(request.body, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise InvalidRequestError("the body is not gzip") from error
    if inflate.unconsumed_tail:
        raise TooLargeError(MAX_INFLATED_BYTES, f"a body may have at most {MAX_INFLATED_BYTES} bytes")
    if not inflate.eof:
        raise InvalidRequestError("the body is not a complete gzip stream")
    return body


def _form_document(body: bytes) -> dict[str, Any]:
    """The document of a form.

    Raises:
        InvalidRequestError: it has too many fields, or a field has two meanings.
    """
    try:
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise InvalidRequestError(f"a form may have at most {MAX_FIELDS} fields") from error
    document: dict[str, Any] = {}
    for name, value in fields:
        match = _NAME.fullmatch(name)
        path = [name] if match is None else [match[1], *_PART.findall(match[2])]
        if len(path) > _MAX_DEPTH:
            raise InvalidRequestError(f"the field {name[:50]} is nested too deeply")
        _put(document, path, value)
    return document


def _put(document: dict[str, Any], path: list[str], value: str) -> None:
    first, *rest = path
    if not rest:
        document[first] = value
    elif rest == [""]:
        elements = document.setdefault(first, [])
        if not isinstance(elements, list):
            raise InvalidRequestError(f"the field {first[:50]} has two meanings")
        elements.append(value)
    else:
        inner = document.setdefault(first, {})
        if not isinstance(inner, dict):
            raise InvalidRequestError(f"the field {first[:50]} has two meanings")
        _put(inner, rest, value)
