"""The array of records, plain and spliced: both have the same content, and damage is detected."""

import gzip
import json
import re
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.encoding.gzip_splice import (
    DeflatedLines,
    RecordArray,
    deflated_lines,
    inflated_lines,
    lines_with,
    size_bytes,
)

JSON_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
TEXTS = st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4).map(
    lambda record: json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
)
CHUNKS = st.lists(TEXTS, min_size=1, max_size=8)
PIECES = st.lists(st.tuples(st.sampled_from([None, 0, 1, 6, 9]), st.lists(TEXTS, max_size=8)), max_size=6)
DAY = [f'{{"type":"cbg","value":{row / 18},"time":"2026-01-01T00:00:00Z"}}'.encode() for row in range(288)]


def rendered(texts: list[bytes]) -> bytes:
    """The array in the format of the reference."""
    return b"[\n" + b",\n".join(texts) + b"\n]" if texts else b"[]"


@given(PIECES)
@example([])
@example([(None, []), (None, [])])
@example([(None, [b"{}"])])
@example([(6, [b"{}"])])
@example([(None, [b"1", b"2"]), (6, DAY), (None, []), (1, DAY), (None, [b"3"]), (None, [b"4"])])
def test_an_array_is_the_same_plain_and_spliced(pieces: list[tuple[int | None, list[bytes]]]) -> None:
    array = RecordArray(
        tuple(tuple(texts) if level is None or not texts else deflated_lines(texts, level) for level, texts in pieces)
    )
    texts = [text for _, piece in pieces for text in piece]
    plain = rendered(texts)
    assert array.plain() == plain
    assert (array.size_bytes, array.is_empty) == (len(plain), not texts)
    assert (array.count, list(array.texts())) == (len(texts), texts)
    member = array.gzip()
    assert gzip.decompress(member) == plain
    # One member and nothing after it: not every decoder reads on.
    decoder = zlib.decompressobj(wbits=31)
    assert decoder.decompress(member) == plain
    assert (decoder.eof, decoder.unused_data) == (True, b"")


@given(CHUNKS, st.integers(0, 9))
def test_the_texts_of_a_chunk_are_restored(texts: list[bytes], level: int) -> None:
    chunk = deflated_lines(texts, level)
    assert inflated_lines(chunk) == texts
    assert (chunk.size_bytes, chunk.crc32) == (len(b",\n".join(texts)), zlib.crc32(b",\n".join(texts)))


@given(st.lists(st.sampled_from([b"a", b"b", b"ab", b"ba", b"abab"]), min_size=1))
def test_lines_with_a_pattern_are_those_in_which_it_matches(texts: list[bytes]) -> None:
    pattern = re.compile(b"ab|bab")
    found = lines_with(b",\n".join(texts), pattern)
    assert found == [text for text in texts if pattern.search(text)]


@given(st.lists(st.binary(), min_size=1))
def test_the_size_of_lines_is_known_from_their_texts(texts: list[bytes]) -> None:
    assert size_bytes(texts) == deflated_lines(texts, 6).size_bytes


def test_a_chunk_is_sent_as_it_is_stored() -> None:
    chunks = [deflated_lines(DAY, 6), deflated_lines(DAY[:100], 1)]
    member = RecordArray(tuple(chunks)).gzip()
    header_bytes, trailer_bytes, stored_bytes = 10, 8, 7
    assert all(chunk.deflated in member for chunk in chunks)
    assert len(member) == header_bytes + sum(len(chunk.deflated) for chunk in chunks) + 3 * stored_bytes + trailer_bytes


def test_adjacent_texts_are_compressed_together() -> None:
    apart = RecordArray(tuple((text,) for text in DAY))
    assert apart.gzip() == RecordArray((tuple(DAY),)).gzip()


@pytest.mark.parametrize("chunk_bytes", [1, 7, 4099])
def test_a_member_can_be_read_in_pieces_of_any_size(chunk_bytes: int) -> None:
    array = RecordArray((tuple(DAY[:3]), deflated_lines(DAY, 6), deflated_lines(DAY, 1), tuple(DAY[5:])))
    member, decoder = array.gzip(), zlib.decompressobj(wbits=31)
    chunks = (member[at : at + chunk_bytes] for at in range(0, len(member), chunk_bytes))
    assert b"".join(map(decoder.decompress, chunks)) == array.plain()
    assert decoder.eof


def test_the_same_array_has_the_same_bytes() -> None:
    array = RecordArray((deflated_lines(DAY, 6), (b"{}",)))
    assert array.gzip() == array.gzip()
    assert array.gzip()[4:8] == bytes(4), "a member that tells the time differs from the next"


def test_the_length_of_a_member_is_kept_modulo_4_gib() -> None:
    chunk = replace(deflated_lines([b"{}"], 6), size_bytes=2**32 + 1)
    assert RecordArray((chunk,)).gzip()[-4:] == (len(b"[\n\n]") + 1).to_bytes(4, "little")


WHOLE = deflated_lines(DAY, 6)
DAMAGED = {
    "another CRC-32": replace(WHOLE, crc32=WHOLE.crc32 ^ 1),
    "another length": replace(WHOLE, size_bytes=WHOLE.size_bytes + 1),
    "cut off": replace(WHOLE, deflated=WHOLE.deflated[:-20]),
    "not flushed": replace(WHOLE, deflated=WHOLE.deflated[:-1]),
    "nothing": replace(WHOLE, deflated=b""),
    "said to be the last": replace(WHOLE, deflated=bytes([WHOLE.deflated[0] ^ 1]) + WHOLE.deflated[1:]),
    "another chunk": replace(deflated_lines(DAY[::-1], 6), crc32=WHOLE.crc32),
}


@pytest.mark.parametrize("chunk", DAMAGED.values(), ids=DAMAGED.keys())
class TestDamage:
    def test_a_damaged_chunk_is_refused_when_the_member_is_inflated(self, chunk: DeflatedLines) -> None:
        member = RecordArray((deflated_lines(DAY, 6), chunk, (b"{}",))).gzip()
        with pytest.raises((gzip.BadGzipFile, zlib.error, EOFError)):
            gzip.decompress(member)

    def test_a_damaged_chunk_is_refused_in_a_plain_array(self, chunk: DeflatedLines) -> None:
        with pytest.raises(ValueError, match=r"a chunk|cannot inflate"):
            RecordArray((chunk,)).plain()
        with pytest.raises(ValueError, match=r"a chunk|cannot inflate"):
            inflated_lines(chunk)


@given(st.integers(0, len(WHOLE.deflated) * 8 - 1))
def test_a_flipped_bit_of_a_chunk_never_yields_other_content(bit: int) -> None:
    deflated = bytearray(WHOLE.deflated)
    deflated[bit // 8] ^= 1 << bit % 8
    chunk = replace(WHOLE, deflated=bytes(deflated))
    plain = RecordArray((WHOLE,)).plain()
    try:
        got = gzip.decompress(RecordArray((chunk,)).gzip())
    except (gzip.BadGzipFile, zlib.error, EOFError):
        return
    assert got == plain, "a damaged chunk was taken for another array"


@pytest.mark.parametrize("pieces", [(), ((),), ((b"1",), deflated_lines([b"2", b"3"], 6), (), (b"4", b"5"))])
def test_the_parts_make_up_the_whole(pieces: tuple[Any, ...]) -> None:
    array = RecordArray(pieces)

    assert b"".join(array.plain_parts()) == array.plain()
    assert b"".join(array.gzip_parts()) == array.gzip()


def test_a_chunk_is_inflated_when_its_part_is_asked_for() -> None:
    damaged = replace(deflated_lines([b"2"], 6), crc32=0)
    parts = RecordArray(((b"1",), damaged)).plain_parts()

    assert [next(parts) for _ in range(3)] == [b"[\n", b"1", b",\n"]
    with pytest.raises(ValueError, match="CRC-32"):
        next(parts)
