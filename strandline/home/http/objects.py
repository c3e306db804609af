"""The signed addresses of objects over HTTP, with S3's answers. An address gives access to one request for a time."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from chalicelib.api.cors import cors_policy
from chalicelib.engine.embedded.errors import AddressRefusedError
from chalicelib.engine.embedded.files import Download, FileObjects
from chalicelib.errors import NoSpaceError, UnavailableError
from chalicelib.services import services
from strandline.home.http.refusals import NO_SPACE, UNAVAILABLE, UNSIGNED, Refusal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PART_BYTES = 256 * 1024
STRANGERS_CONTENT = [
    ("Content-Security-Policy", "sandbox"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "private, no-store"),
]
"""Headers of a content, which anyone may have uploaded: at the address of the API, no browser may run it."""
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")

Headers = list[tuple[str, str]]


class ObjectsEndpoint:
    """Takes uploads and sends downloads."""

    def __init__(self, objects: Callable[[], FileObjects]) -> None:
        self._objects = objects

    def refusal_of_upload(self, target: str, headers: Mapping[str, str]) -> Refusal | None:
        """The refusal of an upload that was not signed, or whose time is over, of which nothing is received; None for
        others.

        Args:
            target: path and query as they were sent, still encoded.
            headers: those of the request, by their names in lower case.
        """
        try:
            self._objects().require_signed_upload(target, headers)
        except AddressRefusedError as error:
            return _refusal(error)
        return None

    def reply(self, target: str, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Reply to a request for a signed address.

        Args:
            target: path and query as they were sent, still encoded.
        """
        shared = _cors_headers(environ)
        try:
            match environ["REQUEST_METHOD"]:
                case "PUT":
                    self._objects().receive_upload(target, _headers(environ), environ["wsgi.input"])
                    return _empty(HTTPStatus.OK, shared, start_response)
                case "GET":
                    return _send(self._objects().open_download(target), shared, environ, start_response)
                case "OPTIONS":
                    return _empty(HTTPStatus.OK, shared, start_response)
                case _:
                    return UNSIGNED.send(start_response)
        except AddressRefusedError as error:
            return _refusal(error).send(start_response)
        except NoSpaceError:
            return NO_SPACE.send(start_response)
        except UnavailableError:
            return UNAVAILABLE.send(start_response)


def _refusal(error: AddressRefusedError) -> Refusal:
    return Refusal(error.status, UNSIGNED.code, str(error))


def _headers(environ: "WSGIEnvironment") -> dict[str, str]:
    """The headers of a request by their names in lower case."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if name in environ:
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _cors_headers(environ: "WSGIEnvironment") -> Headers:
    """The headers for a page: any may read, and the configured ones may upload, as on AWS (`infra/stateful.yaml`)."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return []
    method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", environ["REQUEST_METHOD"])
    if method == "PUT" and not cors_policy(services()).allows(origin):
        return []
    return [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", method if method in ("PUT", "GET", "HEAD") else "GET, HEAD"),
        ("Access-Control-Allow-Headers", environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "*")),
        ("Access-Control-Expose-Headers", "ETag"),
        ("Access-Control-Max-Age", "3600"),
    ]


def _empty(status: HTTPStatus, headers: Headers, start_response: "StartResponse") -> Iterable[bytes]:
    start_response(f"{status.value} {status.phrase}", [*headers, ("Content-Length", "0")])
    return ()


def _send(
    download: Download, shared: Headers, environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Send an object, or the one range of it that is asked for."""
    start, stop = 0, download.size_bytes
    status = HTTPStatus.OK
    headers = [*shared, *STRANGERS_CONTENT, ("Content-Type", download.media_type), ("Accept-Ranges", "bytes")]
    headers.append(("ETag", download.etag))
    if download.content_encoding is not None:
        headers.append(("Content-Encoding", download.content_encoding))
    if download.disposition is not None:
        headers.append(("Content-Disposition", download.disposition))
    wanted = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
    if wanted is not None:
        start, stop = _range(wanted, download.size_bytes)
        if start >= stop:
            download.body.close()
            headers = [*shared, ("Content-Range", f"bytes */{download.size_bytes}")]
            return _empty(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, start_response)
        status = HTTPStatus.PARTIAL_CONTENT
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{download.size_bytes}"))
    start_response(f"{status.value} {status.phrase}", [*headers, ("Content-Length", str(stop - start))])
    return _parts(download.body, start, stop)


def _range(wanted: re.Match[str], size_bytes: int) -> tuple[int, int]:
    """The first byte of a range, and the one behind its last (RFC 9110, 14.1.2)."""
    first, last, suffix = wanted.groups()
    if suffix is not None:
        return max(size_bytes - int(suffix), 0), size_bytes
    return int(first), min(int(last) + 1, size_bytes) if last else size_bytes


def _parts(body: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    with body:
        body.seek(start)
        while start < stop and (part := body.read(min(PART_BYTES, stop - start))):
            start += len(part)
            yield part
