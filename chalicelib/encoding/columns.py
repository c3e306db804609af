"""Columns of numbers, as they are stored."""

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub

UINT32_BYTES = 4


def steps(values: Sequence[int]) -> list[int]:
    """The first value, then the difference of each to the one before.

    Where values rise evenly, the differences are small and much alike, so that they deflate well.
    """
    return [*values[:1], *map(sub, values[1:], values)]


def from_steps(differences: Iterable[int]) -> list[int]:
    """The values that `steps` took apart."""
    return list(accumulate(differences))


def pack_uint32(values: Iterable[int]) -> bytes:
    """Numbers below 2^32 in their order, four bytes each, most significant first.

    Raises:
        OverflowError: a number is negative or too large.
    """
    packed = array("I", values)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def unpack_uint32(packed: bytes) -> Sequence[int]:
    """The numbers that `pack_uint32` packed.

    Raises:
        ValueError: the bytes are no whole count of numbers.
    """
    values = array("I")
    values.frombytes(packed)
    if sys.byteorder == "little":
        values.byteswap()
    return values
