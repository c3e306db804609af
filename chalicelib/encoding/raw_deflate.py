"""Raw deflate (RFC 1951): compressed bytes without the header and checksum of zlib or gzip.

A preset dictionary is text that compressor and decompressor treat as if it came before the data, so small data that
resemble it compress far better. Inflating needs the same dictionary.
"""

import zlib
from collections.abc import Iterable

BEST_COMPRESSION = zlib.Z_BEST_COMPRESSION
_WINDOW_BITS = -zlib.MAX_WBITS
_END_OF_FULL_FLUSH = b"\0\0\xff\xff"
"""The end of a full flush: a stored block without content."""


def deflate(data: bytes, level: int, dictionary: bytes = b"") -> bytes:
    """The data as one complete stream, compressed at a zlib level: 1 is fastest, 9 smallest."""
    if dictionary:
        compressor = zlib.compressobj(level, wbits=_WINDOW_BITS, zdict=dictionary)
    else:
        compressor = zlib.compressobj(level, wbits=_WINDOW_BITS)
    return compressor.compress(data) + compressor.flush()


def inflate(deflated: bytes, dictionary: bytes = b"") -> bytes:
    """The data that `deflate` compressed with this dictionary.

    Raises:
        ValueError: the stream is damaged or incomplete.
    """
    if dictionary:
        return inflate_each((deflated,), dictionary)[0]
    try:
        return zlib.decompress(deflated, _WINDOW_BITS)
    except zlib.error as error:
        raise ValueError(f"cannot inflate: {error}") from error


def inflate_each(streams: Iterable[bytes], dictionary: bytes) -> list[bytes]:
    """The data of each stream, all of which `deflate` compressed with this dictionary.

    For many small streams this takes half the time of a call for each.

    Raises:
        ValueError: a stream is damaged or incomplete.
    """
    inflated: list[bytes] = []
    new = zlib.decompressobj
    try:
        for stream in streams:
            decompressor = new(_WINDOW_BITS, dictionary)
            inflated.append(decompressor.decompress(stream))
            if not decompressor.eof:
                raise ValueError("cannot inflate: incomplete stream")
    except zlib.error as error:
        raise ValueError(f"cannot inflate: {error}") from error
    return inflated


def deflate_chunk(data: bytes, level: int) -> bytes:
    """The data as a chunk: it ends in a full flush, so at a byte boundary, and refers to nothing outside itself.

    Hence chunks can be joined into one stream in any order (RFC 1951, 3.2.4).
    """
    compressor = zlib.compressobj(level, wbits=_WINDOW_BITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def inflate_chunk(chunk: bytes | memoryview) -> bytes:
    """The data that `deflate_chunk` compressed.

    Raises:
        ValueError: the chunk is damaged, or does not end in a full flush.
    """
    decompressor = zlib.decompressobj(_WINDOW_BITS)
    try:
        data = decompressor.decompress(chunk)
    except zlib.error as error:
        raise ValueError(f"cannot inflate: {error}") from error
    if decompressor.eof or chunk[-len(_END_OF_FULL_FLUSH) :] != _END_OF_FULL_FLUSH:
        raise ValueError("a chunk that does not end in a full flush")
    return data
