"""Columns of numbers are restored, and their bytes do not depend on the machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.encoding.columns import UINT32_BYTES, from_steps, pack_uint32, steps, unpack_uint32


@given(st.lists(st.integers()))
def test_values_are_restored_from_their_steps(values: list[int]) -> None:
    assert from_steps(steps(values)) == values


def test_even_values_have_even_steps() -> None:
    assert steps([1_000, 1_300, 1_600, 1_500]) == [1_000, 300, 300, -100]


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_packed_numbers_are_restored(values: list[int]) -> None:
    packed = pack_uint32(values)
    assert len(packed) == UINT32_BYTES * len(values)
    assert list(unpack_uint32(packed)) == values


def test_packed_numbers_are_big_endian() -> None:
    assert pack_uint32([1, 0x01020304]) == bytes([0, 0, 0, 1, 1, 2, 3, 4])


@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_number_above_32_bits_is_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        pack_uint32([value])


def test_bytes_of_a_partial_number_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        unpack_uint32(b"12345")
