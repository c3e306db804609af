"""Splices the array of records in a reply from parts that are already compressed.

A gzip reply is one member, spliced from chunks of raw deflate that were compressed earlier: nothing is parsed, inflated
or deflated. Chunks can be joined in any order (see `raw_deflate`), and the CRC-32 of the whole follows from the CRC-32
of each. Source: data-api 9, order.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Sequence

from chalicelib.encoding.crc32 import combined_crc32
from chalicelib.encoding.raw_deflate import deflate_chunk, inflate_chunk
from chalicelib.frozen import frozen

_OPENING, _BETWEEN, _CLOSING, _EMPTY = b"[\n", b",\n", b"\n]", b"[]"
_PLAIN_PIECE_LEVEL = 1
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no flags, no time, unknown system: so equal arrays give equal bytes (RFC 1952, 2.3)."""


@frozen
class DeflatedLines:
    """JSON texts of records joined by `,\\n`, as a chunk of raw deflate."""

    deflated: bytes | memoryview
    """A view of a tile's content, which is not copied."""
    size_bytes: int
    """The length of the inflated lines."""
    crc32: int
    """The CRC-32 of the inflated lines."""


def deflated_lines(texts: Sequence[bytes], level: int) -> DeflatedLines:
    """The texts, at least one, compressed at a zlib level."""
    lines = _BETWEEN.join(texts)
    return DeflatedLines(deflate_chunk(lines, level), len(lines), zlib.crc32(lines))


def size_bytes(texts: Sequence[bytes]) -> int:
    """The length of texts as inflated lines."""
    return sum(map(len, texts)) + len(_BETWEEN) * max(0, len(texts) - 1)


def inflated(chunk: DeflatedLines) -> bytes:
    """The texts in a chunk, joined by `,\\n`.

    Raises:
        ValueError: the chunk is damaged.
    """
    lines = inflate_chunk(chunk.deflated)
    if len(lines) != chunk.size_bytes or zlib.crc32(lines) != chunk.crc32:
        raise ValueError("a chunk whose length or CRC-32 does not match its description")
    return lines


def inflated_lines(lines: DeflatedLines) -> list[bytes]:
    """The texts in a chunk. JSON that is not indented has no line feed, so lines separate them.

    Raises:
        ValueError: the chunk is damaged.
    """
    return split_lines(inflated(lines))


def split_lines(joined: bytes) -> list[bytes]:
    """The texts of inflated lines."""
    return joined.split(_BETWEEN)


def lines_with(joined: bytes, pattern: re.Pattern[bytes]) -> list[bytes]:
    """The texts of inflated lines in which a pattern matches within the text. The others are not split off."""
    found = []
    match = pattern.search(joined)
    while match is not None:
        end = joined.find(_BETWEEN, match.end())
        end = len(joined) if end < 0 else end
        found.append(joined[joined.rfind(_BETWEEN[-1:], 0, match.start()) + 1 : end])
        match = pattern.search(joined, end)
    return found


@frozen
class RecordArray:
    """The records of a reply in order, as pieces: chunks, and tuples of texts that are not compressed."""

    pieces: tuple[DeflatedLines | tuple[bytes, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there are no records."""
        return not any(self.pieces)

    @property
    def count(self) -> int:
        """The number of records; chunks are inflated one by one, and not parsed.

        Raises:
            ValueError: a chunk is damaged.
        """
        return sum(
            len(piece) if isinstance(piece, tuple) else inflated(piece).count(_BETWEEN) + 1 for piece in self.pieces
        )

    @property
    def size_bytes(self) -> int:
        """The length of `plain()`, computed without inflating."""
        sizes_bytes = [_size_bytes(piece) for piece in self.pieces if piece]
        between_bytes = len(_BETWEEN) * (len(sizes_bytes) - 1)
        return sum(sizes_bytes) + between_bytes + len(_OPENING + _CLOSING) if sizes_bytes else len(_EMPTY)

    def plain(self) -> bytes:
        """The array with one line for each record; `[]` if there are none.

        Raises:
            ValueError: a chunk is damaged.
        """
        return b"".join(self.plain_parts())

    def plain_parts(self) -> Iterator[bytes]:
        """`plain()` in parts; a chunk is inflated when its part is asked for.

        Raises (the iterator):
            ValueError: a chunk is damaged.
        """
        before = _OPENING
        for piece in self.pieces:
            if not piece:
                continue
            yield before
            yield _BETWEEN.join(piece) if isinstance(piece, tuple) else inflated(piece)
            before = _BETWEEN
        yield _EMPTY if self.is_empty else _CLOSING

    def texts(self) -> Iterator[bytes]:
        """The JSON text of each record; a chunk is inflated when the iterator gets to it.

        Raises (the iterator):
            ValueError: a chunk is damaged.
        """
        for piece in self.pieces:
            yield from piece if isinstance(piece, tuple) else inflated_lines(piece)

    def gzip(self) -> bytes:
        """`plain()` as one gzip member; the same pieces give the same bytes.

        A damaged chunk is not detected here but by the client's decoder, which compares length and CRC-32. The only
        decoder known not to is that of Chromium's fetch.
        """
        return b"".join(self.gzip_parts())

    def gzip_parts(self) -> list[bytes | memoryview]:
        """`gzip()` in parts; those of chunks are not copied."""
        member: list[bytes | memoryview] = [_GZIP_HEADER]
        crc32, before = 0, _OPENING
        for chunk in self._chunks():
            member += (_stored_block(before), chunk.deflated)
            crc32 = combined_crc32(zlib.crc32(before, crc32), chunk.crc32, chunk.size_bytes)
            before = _BETWEEN
        last = _EMPTY if self.is_empty else _CLOSING
        member += (_stored_block(last, is_final=True), _trailer(zlib.crc32(last, crc32), self.size_bytes))
        return member

    def _chunks(self) -> Iterator[DeflatedLines]:
        texts: list[bytes] = []
        for piece in self.pieces:
            if isinstance(piece, tuple):
                texts += piece
                continue
            if texts:
                yield deflated_lines(texts, _PLAIN_PIECE_LEVEL)
                texts = []
            yield piece
        if texts:
            yield deflated_lines(texts, _PLAIN_PIECE_LEVEL)


def _size_bytes(piece: DeflatedLines | tuple[bytes, ...]) -> int:
    return size_bytes(piece) if isinstance(piece, tuple) else piece.size_bytes


def _stored_block(content: bytes, is_final: bool = False) -> bytes:
    """A deflate block that stores a few bytes uncompressed (RFC 1951, 3.2.4)."""
    size_bytes = len(content)
    return struct.pack("<BHH", is_final, size_bytes, size_bytes ^ 0xFFFF) + content


def _trailer(crc32: int, size_bytes: int) -> bytes:
    """The trailer of a gzip member, with the length modulo 2^32 (RFC 1952, 2.3.1)."""
    return struct.pack("<II", crc32, size_bytes & 0xFFFFFFFF)
