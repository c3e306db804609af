"""Encodes columns of numbers for storage."""

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub

UINT32_BYTES = 4


def steps(values: Sequence[int]) -> list[int]:
    """The first value, then the difference of each value to the one before.

    The differences of evenly rising values are small and similar, so they compress well.
    """
    return [*values[:1], *map(sub, values[1:], values)]


def from_steps(differences: Iterable[int]) -> list[int]:
    """The values from which `steps` made these differences."""
    return list(accumulate(differences))


def pack_uint32(values: Iterable[int]) -> bytes:
    """Numbers below 2^32 in order, in four bytes each, big-endian.

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
        ValueError: the length is not a multiple of four bytes.
    """
    values = array("I")
    values.frombytes(packed)
    if sys.byteorder == "little":
        values.byteswap()
    return values
