"""Requests as they are received, with what waitress's parser does not do: repeated headers, limits by path and by time,
and refusals of what a proxy may read in another way.
"""

import copy
import errno
import time
from collections.abc import Callable, Mapping
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError, get_header_lines
from waitress.utilities import Error

from chalicelib.engine.embedded.signed_addresses import PATH_PREFIX
from strandline.home.http import refusals
from strandline.home.http.chunks import ChunkedBody

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Of a request to the API, as at the gateway on AWS; the limits of the API's operations are lower."""
MAX_UPLOAD_BYTES = 100 * 1024 * 1024 + 64 * 1024
"""Of a request to a signed address."""
HEADERS_PATIENCE_S = 30.0
"""The time that the headers of a request may take."""
BODY_PATIENCE_S = 60.0
MIN_BODY_BYTES_A_SECOND = 1024
"""The rate of a body after `BODY_PATIENCE_S`."""
_LENGTH, _ENCODING = "content-length", "transfer-encoding"

RefusalOfUpload = Callable[[str, Mapping[str, str]], refusals.Refusal | None]
"""The refusal of an upload by its target and its headers; None if its body may be received."""


class RequestParser(HTTPRequestParser):
    """Parses a request."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.all_headers: list[tuple[str, str]] = []
        """Names and values as they came: waitress itself joins the values of a repeated header."""
        self._started_s = time.monotonic()
        self._refusal: refusals.Refusal | None = None

    def is_too_slow(self, now_s: float) -> bool:
        """Whether the client takes longer to send the request than any that wants an answer."""
        elapsed_s = now_s - self._started_s
        if not self.headers_finished:
            return elapsed_s > HEADERS_PATIENCE_S
        return elapsed_s > BODY_PATIENCE_S + self.body_bytes_received / MIN_BODY_BYTES_A_SECOND

    def received(self, data: bytes) -> int:
        """Take the next bytes of a request; returns how many of them belong to it."""
        try:
            consumed = int(super().received(data))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self.error = _NoSpaceError("")
            self.completed = True
            return len(data)
        if self._refusal is not None and self.error is None:
            self.error = UploadRefusedError(self._refusal)
            self.completed = True
        if self.error is not None:
            self.expect_continue = False  # waitress would ask for the body of a request that is refused
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the first line and the headers.

        Raises:
            ParsingError: they are malformed, or leave open where the body ends.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # an address in brackets that is none
            raise ParsingError("the target cannot be read") from error
        for line in get_header_lines(header_plus.partition(b"\r\n")[2]):
            name, _, value = line.partition(b":")
            self.all_headers.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
        self._require_one_end()
        request: Any = self  # its stub lacks the target, the method, another reader and the setting of our own
        if self.chunked:
            request.body_rcv = ChunkedBody(request.body_rcv.getbuf())
        if not str(request.request_uri).startswith(PATH_PREFIX):
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = MAX_BODY_BYTES + 1
        elif request.command == "PUT":
            headers = {name.replace("_", "-").lower(): value for name, value in self.headers.items()}
            self._refusal = request.adj.refusal_of_upload(request.request_uri, headers)

    def _require_one_end(self) -> None:
        """Raise unless every reader of the request finds its end at the same place (RFC 9112, 6.3).

        Raises:
            ParsingError: it has a length and an encoding, or an encoding that older versions do not know.
        """
        names = [name.lower() for name, _ in self.all_headers]
        encodings = [value.lower() for name, value in self.all_headers if name.lower() == _ENCODING]
        if encodings and (_LENGTH in names or encodings != ["chunked"] or self.version != "1.1"):
            raise ParsingError("the request leaves open where it ends")


class _NoSpaceError(Error):
    """The disk to which the body of a request was to go is full."""

    code = refusals.NO_SPACE.status


class UploadRefusedError(Error):
    """An upload of which nothing is received."""

    def __init__(self, refusal: refusals.Refusal) -> None:
        super().__init__(refusal.detail)
        self.code = refusal.status
        self.refusal = refusal
