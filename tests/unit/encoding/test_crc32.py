"""The CRC-32 of joined bytes, compared with the CRC-32 of zlib."""

import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.encoding.crc32 import combined_crc32

GIBIBYTE = 2**30
CRC32S = st.integers(0, 2**32 - 1)
LENGTHS = st.integers(0, 2**45)


@given(st.binary(), st.binary())
@example(b"", b"")
@example(b"first", b"")
@example(b"", b"second")
@example(b"\0", b"\0" * 4095)
@example(b"\0", b"\0" * 4096)
@example(b"first", b"second" * 50_000)
def test_the_combined_crc_is_that_of_the_joined_bytes(first: bytes, second: bytes) -> None:
    assert combined_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@given(CRC32S, CRC32S, CRC32S, LENGTHS, LENGTHS)
def test_combining_is_associative(a: int, b: int, c: int, b_bytes: int, c_bytes: int) -> None:
    from_left = combined_crc32(combined_crc32(a, b, b_bytes), c, c_bytes)
    assert from_left == combined_crc32(a, combined_crc32(b, c, c_bytes), b_bytes + c_bytes)


def test_the_second_part_may_exceed_4_gib() -> None:
    # Repeated doubling reaches a length that zlib could not read in a test.
    crc32, size_bytes = zlib.crc32(bytes(2**20)), 2**20
    while size_bytes < 8 * GIBIBYTE:
        crc32, size_bytes = combined_crc32(crc32, crc32, size_bytes), 2 * size_bytes
    assert combined_crc32(zlib.crc32(b"a"), crc32, size_bytes) == _after_zeros(zlib.crc32(b"a"), 33)


def _after_zeros(crc32: int, length_exponent: int) -> int:
    """The CRC-32 of bytes followed by 2^n zeros, by squaring the matrix of one zero byte, as older zlib did."""
    matrix = [zlib.crc32(b"\0", 1 << bit) ^ zlib.crc32(b"\0", 0) for bit in range(32)]
    zeros = zlib.crc32(b"\0")
    for _ in range(length_exponent):
        zeros = _times(matrix, zeros) ^ zeros
        matrix = [_times(matrix, row) for row in matrix]
    return _times(matrix, crc32) ^ zeros


def _times(matrix: list[int], vector: int) -> int:
    product = 0
    for bit, row in enumerate(matrix):
        if vector >> bit & 1:
            product ^= row
    return product


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="-5"):
        combined_crc32(0, 0, -5)
