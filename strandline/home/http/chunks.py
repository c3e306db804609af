"""The body of a request that comes in chunks (RFC 9112, 7.1), in place of waitress's own reader.

That one copies what it has not read yet for each chunk, and keeps lines and trailers of any length, while all other
connections wait. It also takes forms that proxies may read in another way.
"""

import re
from enum import Enum, auto
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.utilities import BadRequest, Error

MAX_LINE_BYTES = 4096
MAX_FRAMING_BYTES = 16 * 1024
"""The size of all that is not content, beyond that of the content: chunks of a byte each cost more to read than to
send."""
_SIZE = re.compile(b"[0-9a-fA-F]{1,8}")


class _LineKind(Enum):
    """The sorts of lines that may come next."""

    SIZE = auto()
    END_OF_CHUNK = auto()
    TRAILER = auto()


class ChunkedBody:
    """Takes the bytes of a body, in the interface that waitress has for this."""

    def __init__(self, buffer: OverflowableBuffer) -> None:
        self.completed = False
        self.error: Error | None = None
        self._buffer: Any = buffer  # its stub lacks methods
        self._expected = _LineKind.SIZE
        self._line = b""
        self._left_bytes = 0
        """The rest of the content of a chunk."""
        self._framing_bytes = self._content_bytes = 0

    def __len__(self) -> int:
        return len(self._buffer)

    def received(self, data: bytes) -> int:
        """Take the next bytes; returns how many of them belong to the body."""
        place = 0
        while place < len(data) and not self.completed and self.error is None:
            place = self._take_content(data, place) if self._left_bytes else self._take_line(data, place)
        return place

    def getfile(self) -> Any:
        """The content as a file."""
        return self._buffer.getfile()

    def getbuf(self) -> Any:
        """The content as waitress keeps it."""
        return self._buffer

    def _take_content(self, data: bytes, place: int) -> int:
        content = data[place : place + self._left_bytes]
        self._buffer.append(content)
        self._left_bytes -= len(content)
        self._content_bytes += len(content)
        return place + len(content)

    def _take_line(self, data: bytes, place: int) -> int:
        end = data.find(b"\n", place, place + MAX_LINE_BYTES) + 1
        part = data[place : end or place + MAX_LINE_BYTES]
        self._line += part
        self._framing_bytes += len(part)
        if len(self._line) > MAX_LINE_BYTES or self._framing_bytes > MAX_FRAMING_BYTES + self._content_bytes:
            self.error = BadRequest("the body has more framing than content")
        elif end:
            line, self._line = self._line, b""
            self._read(line)
        return place + len(part)

    def _read(self, line: bytes) -> None:
        text = line.removesuffix(b"\r\n")
        if text == line or b"\r" in text:
            self.error = BadRequest("a line of the body does not end with CRLF")
            return
        match self._expected:
            case _LineKind.SIZE:
                self._begin(text)
            case _LineKind.END_OF_CHUNK if text:
                self.error = BadRequest("a chunk has another size than was said")
            case _LineKind.END_OF_CHUNK:
                self._expected = _LineKind.SIZE
            case _LineKind.TRAILER:
                self.completed = not text

    def _begin(self, text: bytes) -> None:
        size = text.partition(b";")[0]
        if not _SIZE.fullmatch(size):
            self.error = BadRequest("the size of a chunk is not a number")
            return
        self._left_bytes = int(size, 16)
        self._expected = _LineKind.END_OF_CHUNK if self._left_bytes else _LineKind.TRAILER
