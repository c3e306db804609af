"""Computes the CRC-32 of joined byte strings from the CRC-32 of each, without the bytes.

`zlib.crc32_combine` of Python 3.15 does the same (CPython issue 134635) and will replace this file.

A CRC-32 is a polynomial over GF(2) modulo the polynomial of the CRC. Each byte that follows multiplies it by x^8, and
the CRC-32 of the bytes that follow is added. The highest bit of a number is the coefficient of x^0 (RFC 1952, 8).
"""

import zlib
from functools import lru_cache

_MODULUS = 0xEDB88320
_ONE, _X = 1 << 31, 1 << 30
_ALL_ONES = 0xFFFFFFFF
_BLOCK = bytes(4096)


def combined_crc32(first: int, second: int, second_size_bytes: int) -> int:
    """The CRC-32 of two byte strings joined, from the CRC-32 of each and the length of the second.

    Raises:
        ValueError: the length is negative.
    """
    if second_size_bytes < 0:
        raise ValueError(f"negative length: {second_size_bytes} bytes")
    blocks, rest_bytes = divmod(second_size_bytes, len(_BLOCK))
    return _after_zeros(_product(_power_of_blocks(blocks), first), rest_bytes) ^ second


def _after_zeros(polynomial: int, count: int) -> int:
    """The polynomial times x^8 for each of `count` bytes, at most a block. zlib inverts its input and its result."""
    return zlib.crc32(_BLOCK[:count], polynomial ^ _ALL_ONES) ^ _ALL_ONES


@lru_cache(maxsize=1024)  # the lengths of days of records are similar, even more so in blocks
def _power_of_blocks(blocks: int) -> int:
    """The product of x^8 for each byte of `blocks` blocks."""
    exponent = 8 * len(_BLOCK) * blocks
    power, square = _ONE, _X
    while exponent:
        if exponent & 1:
            power = _product(power, square)
        square = _product(square, square)
        exponent >>= 1
    return power


def _product(left: int, right: int) -> int:
    product = 0
    while left:
        if left & _ONE:
            product ^= right
        left = left << 1 & _ALL_ONES
        right = right >> 1 ^ (_MODULUS if right & 1 else 0)
    return product
