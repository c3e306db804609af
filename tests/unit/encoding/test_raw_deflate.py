"""Raw deflate: data are restored, inflating needs the dictionary, damage is detected, and chunks form one stream."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.encoding.raw_deflate import BEST_COMPRESSION, deflate, deflate_chunk, inflate, inflate_chunk

DATA = b'{"type":"cbg","units":"mmol/L","value":5.5}'
DICTIONARY = b'{"type":"cbg","units":"mmol/L","value":'
LEVELS = st.integers(0, BEST_COMPRESSION)


@given(st.binary(), LEVELS, st.binary())
def test_data_are_restored(data: bytes, level: int, dictionary: bytes) -> None:
    assert inflate(deflate(data, level, dictionary), dictionary) == data


def test_the_bytes_are_those_of_zlib_without_header_and_checksum() -> None:
    assert deflate(DATA, 6) == zlib.compress(DATA, 6)[2:-4]


def test_a_dictionary_that_resembles_the_data_shrinks_them() -> None:
    assert len(deflate(DATA, 6, DICTIONARY)) < len(deflate(DATA, 6)) / 2


def test_inflating_needs_the_dictionary() -> None:
    with pytest.raises(ValueError, match="cannot inflate"):
        inflate(deflate(DATA, 6, DICTIONARY))


@pytest.mark.parametrize("dictionary", [b"", DICTIONARY], ids=["without", "with"])
def test_a_truncated_stream_is_refused(dictionary: bytes) -> None:
    deflated = deflate(DATA, 6, dictionary)
    for size_bytes in range(len(deflated)):
        with pytest.raises(ValueError, match="cannot inflate"):
            inflate(deflated[:size_bytes], dictionary)


@given(st.lists(st.tuples(st.binary(), LEVELS)))
def test_chunks_form_one_stream(parts: list[tuple[bytes, int]]) -> None:
    chunks = [deflate_chunk(data, level) for data, level in parts]
    assert [inflate_chunk(chunk) for chunk in chunks] == [data for data, _ in parts]
    assert inflate(b"".join(chunks) + deflate(b"", 6)) == b"".join(data for data, _ in parts)


def test_a_finished_stream_is_not_a_chunk() -> None:
    with pytest.raises(ValueError, match="does not end in a full flush"):
        inflate_chunk(deflate(DATA, 6))
