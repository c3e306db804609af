"""Bodies of items: each value comes back as it was, with its type."""

from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.engine.embedded.item_bodies import decode, encode, size_bytes
from chalicelib.engine.table import Item

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(
    TEXTS,
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.booleans(),
    st.binary(max_size=100),
    st.lists(TEXTS),
)
ITEMS = st.dictionaries(TEXTS, VALUES, max_size=8)


class Color(StrEnum):
    """An enumeration of texts."""

    RED = "red"


class Size(IntEnum):
    """An enumeration of numbers."""

    LARGE = 3


@given(ITEMS)
def test_an_item_comes_back_as_it_was(item: Item) -> None:
    decoded = decode(encode(item))
    assert decoded == item
    assert list(map(type, decoded.values())) == list(map(type, item.values()))


@given(ITEMS)
def test_a_body_is_never_smaller_than_what_dynamodb_counts(item: Item) -> None:
    assert len(encode(item)) >= size_bytes(item)


@pytest.mark.parametrize("value", [-(2**63), -(2**63) - 1, 2**63, 2**64 - 1, 2**64, 10**37, -(10**37), 10**40])
def test_numbers_beyond_64_bits_are_exact(value: int) -> None:
    assert decode(encode({"n": value})) == {"n": value}


@pytest.mark.parametrize(("value", "plain"), [(Color.RED, "red"), (Size.LARGE, 3), ((Color.RED, "a"), ["red", "a"])])
def test_members_of_enumerations_and_tuples_become_plain(value: Any, plain: Any) -> None:
    decoded = decode(encode({"a": value}))["a"]
    assert decoded == plain
    assert type(decoded) is type(plain)


@pytest.mark.parametrize("value", [None, 1.5, {"b": 1}, {"i": "1"}, [1], "\ud800"])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode({"a": value})


def test_a_body_holds_bytes_as_they_are() -> None:
    text = b'{"a":{"b":2},"b":1}'
    assert encode({"a": b"\x00\xff", "b": 1}) == bytes([len(text), 0, 0, 0]) + text + b"\x00\xff"
