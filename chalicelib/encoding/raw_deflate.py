"""Raw deflate (RFC 1951): compressed bytes without the header and checksum of zlib or gzip.

A dictionary is what the compressor has seen, as it were, before the data: small data that resembles it takes far less.
What was deflated with a dictionary can be inflated with the same dictionary only.
"""

import zlib

BEST_COMPRESSION = zlib.Z_BEST_COMPRESSION
_WINDOW_BITS = -zlib.MAX_WBITS
_END_OF_FULL_FLUSH = b"\0\0\xff\xff"
"""A stored block without content."""


def deflate(data: bytes, level: int, dictionary: bytes = b"") -> bytes:
    """The data as one finished stream, compressed at a level of zlib's: 1 is fastest, 9 smallest."""
    if dictionary:
        compressor = zlib.compressobj(level, wbits=_WINDOW_BITS, zdict=dictionary)
    else:
        compressor = zlib.compressobj(level, wbits=_WINDOW_BITS)
    return compressor.compress(data) + compressor.flush()


def inflate(deflated: bytes, dictionary: bytes = b"") -> bytes:
    """The data that `deflate` compressed with this dictionary.

    Raises:
        ValueError: the stream is damaged or cut off.
    """
    try:
        if not dictionary:
            return zlib.decompress(deflated, _WINDOW_BITS)
        decompressor = zlib.decompressobj(_WINDOW_BITS, zdict=dictionary)
        data = decompressor.decompress(deflated)
    except zlib.error as error:
        raise ValueError(f"cannot inflate: {error}") from error
    if not decompressor.eof:
        raise ValueError("cannot inflate: incomplete stream")
    return data


def deflate_chunk(data: bytes, level: int) -> bytes:
    """The data as a chunk, which ends in a full flush: at a byte, and with no reference across its ends.

    So chunks may follow each other in any order within one stream (RFC 1951, 3.2.4).
    """
    compressor = zlib.compressobj(level, wbits=_WINDOW_BITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def inflate_chunk(chunk: bytes) -> bytes:
    """The data that `deflate_chunk` compressed.

    Raises:
        ValueError: the chunk is damaged, or another one could not follow it.
    """
    decompressor = zlib.decompressobj(_WINDOW_BITS)
    try:
        data = decompressor.decompress(chunk)
    except zlib.error as error:
        raise ValueError(f"cannot inflate: {error}") from error
    if decompressor.eof or not chunk.endswith(_END_OF_FULL_FLUSH):
        raise ValueError("a chunk that nothing can follow")
    return data
