"""Raw deflate: data comes back, a dictionary is needed again, damage is noticed, and chunks follow each other."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.encoding.raw_deflate import BEST_COMPRESSION, deflate, deflate_chunk, inflate, inflate_chunk

DATA = b'{"type":"cbg","units":"mmol/L","value":5.5}'
DICTIONARY = b'{"type":"cbg","units":"mmol/L","value":'
LEVELS = st.integers(0, BEST_COMPRESSION)


@given(st.binary(), LEVELS, st.binary())
def test_data_comes_back(data: bytes, level: int, dictionary: bytes) -> None:
    assert inflate(deflate(data, level, dictionary), dictionary) == data


def test_the_bytes_are_those_of_zlib_without_header_and_checksum() -> None:
    assert deflate(DATA, 6) == zlib.compress(DATA, 6)[2:-4]


def test_a_dictionary_that_resembles_the_data_saves_most_of_it() -> None:
    assert len(deflate(DATA, 6, DICTIONARY)) < len(deflate(DATA, 6)) / 2


def test_a_dictionary_is_needed_again() -> None:
    with pytest.raises(ValueError, match="cannot inflate"):
        inflate(deflate(DATA, 6, DICTIONARY))


@pytest.mark.parametrize("dictionary", [b"", DICTIONARY], ids=["without", "with"])
def test_a_stream_that_is_cut_off_is_noticed(dictionary: bytes) -> None:
    deflated = deflate(DATA, 6, dictionary)
    for size_bytes in range(len(deflated)):
        with pytest.raises(ValueError, match="cannot inflate"):
            inflate(deflated[:size_bytes], dictionary)


@given(st.lists(st.tuples(st.binary(), LEVELS)))
def test_chunks_follow_each_other_in_one_stream(parts: list[tuple[bytes, int]]) -> None:
    chunks = [deflate_chunk(data, level) for data, level in parts]
    assert [inflate_chunk(chunk) for chunk in chunks] == [data for data, _ in parts]
    assert inflate(b"".join(chunks) + deflate(b"", 6)) == b"".join(data for data, _ in parts)


def test_a_finished_stream_is_no_chunk() -> None:
    with pytest.raises(ValueError, match="does not end in a full flush"):
        inflate_chunk(deflate(DATA, 6))
