"""Content codings of requests: gzip and deflate (RFC 9110, 8.4).

On AWS, the gateway may have decoded a body (`minimum_compression_size`) and left the header `Content-Encoding`; a home
server has no gateway.
"""

import zlib

from chalicelib.errors import InvalidRequestError, TooLargeError

_GZIP_WBITS, _ZLIB_WBITS = 31, 15
_WBITS = {"gzip": _GZIP_WBITS, "x-gzip": _GZIP_WBITS, "deflate": _ZLIB_WBITS}


def decoded(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """The content of a body; the body itself if it is not in the coding that `Content-Encoding` names.

    Args:
        body: as it came.
        coding: the value of `Content-Encoding`; empty without one.
        limit_bytes: the largest content.

    Raises:
        InvalidRequestError: the body is damaged, or something follows its end.
        TooLargeError: the content is too large.
    """
    wbits = _WBITS.get(coding.strip().lower())
    if wbits is None or not _is_encoded(body, wbits):
        return body
    inflate = zlib.decompressobj(wbits)
    try:
        content = inflate.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise InvalidRequestError("the compressed body is damaged") from error
    if len(content) > limit_bytes:
        raise TooLargeError(limit_bytes, f"a body may have at most {limit_bytes} bytes once it is decompressed")
    if not inflate.eof or inflate.unused_data:
        raise InvalidRequestError("the compressed body is not one complete stream")
    return content


def _is_encoded(body: bytes, wbits: int) -> bool:
    """Whether a body begins like a compressed one. No JSON text does."""
    if wbits == _GZIP_WBITS:
        return body[:2] == b"\x1f\x8b"
    return len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
