"""Parsing and formatting times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.model.datum import FastPathMiss
from chalicelib.model.times import (
    is_local_time,
    is_zero_time,
    is_zoned_time,
    parse_local_time,
    parse_time,
    read_time,
    stored_time,
)


@pytest.mark.parametrize(
    ("sent", "stored", "canonical"),
    [
        ("2017-02-05T13:26:51Z", "2017-02-05T13:26:51Z", "2017-02-05T13:26:51Z"),
        ("2017-02-05T13:26:51.000Z", "2017-02-05T13:26:51Z", "2017-02-05T13:26:51Z"),
        ("2017-02-06T00:26:51.120+11:00", "2017-02-05T13:26:51.12Z", "2017-02-06T00:26:51.12+11:00"),
        ("2017-02-05T13:26:51.1239999999Z", "2017-02-05T13:26:51.123Z", "2017-02-05T13:26:51.123999999Z"),
        ("2023-06-01T00:00:00,25Z", "2023-06-01T00:00:00.25Z", "2023-06-01T00:00:00.25Z"),
        ("2023-06-01T5:00:00Z", "2023-06-01T05:00:00Z", "2023-06-01T05:00:00Z"),
        ("2023-06-01T00:00:00-00:00", "2023-06-01T00:00:00Z", "2023-06-01T00:00:00Z"),
        ("2023-06-01T00:00:00+24:00", "2023-05-31T00:00:00Z", "2023-06-01T00:00:00+24:00"),
        ("2023-06-01T00:00:00+05:60", "2023-05-31T18:00:00Z", "2023-06-01T00:00:00+06:00"),
        ("2024-02-29T23:30:00-01:30", "2024-03-01T01:00:00Z", "2024-02-29T23:30:00-01:30"),
        ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59Z", "9999-12-31T23:59:59+00:01"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_stored_in_utc_and_kept_as_sent(sent: str, stored: str, canonical: str) -> None:
    moment = parse_time(sent)
    assert moment is not None
    assert (moment.stored, moment.sent) == (stored, canonical)
    assert read_time(sent) == (stored, moment.epoch_ms, canonical)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-06-01",
        "2023-06-01T00:00:00",
        "2023-06-01 00:00:00Z",
        "2023-06-01t00:00:00z",
        "2023-6-1T00:00:00Z",
        "2023-06-01T00:00Z",
        "2023-06-01T00:00:00+05",
        "2023-06-01T00:00:00+0530",
        "2023-06-01T00:00:00+25:00",
        "2023-06-01T00:00:00+05:61",
        "2023-06-01T24:00:00Z",
        "2023-06-01T23:60:00Z",
        "2023-06-01T23:59:60Z",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "0000-01-01T00:00:00+00:01",
        "2023-06-01T00:00:00.Z",
        "2023-06-01T00:00:00Z ",
        " 2023-06-01T00:00:00Z",
        "2023-06-01T00:00:00Z\n",
        "\uff12\uff10\uff12\uff13-06-01T00:00:00Z",
    ],
)
def test_an_invalid_time_is_refused(text: str) -> None:
    assert parse_time(text) is None
    assert not is_zoned_time(text)
    with pytest.raises(FastPathMiss):
        read_time(text)


@pytest.mark.parametrize(
    ("text", "epoch_ms"),
    [
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1969-12-31T23:59:59Z", -1000),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2025-06-10T00:28:26.233Z", 1_749_515_306_233),
    ],
)
def test_digits_finer_than_milliseconds_are_truncated(text: str, epoch_ms: int) -> None:
    moment = parse_time(text)
    assert moment is not None
    assert moment.epoch_ms == epoch_ms
    assert read_time(text)[1] == epoch_ms


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T05:00:00+05:00", "0000-12-31T19:00:00-05:00"])
def test_the_first_instant_of_year_1_is_the_zero_time(text: str) -> None:
    moment = parse_time(text)
    assert moment is not None
    assert moment.is_zero
    assert is_zero_time(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:01Z", "2023-06-01T00:00:00Z", "nothing"])
def test_any_other_text_is_not_the_zero_time(text: str) -> None:
    assert not is_zero_time(text)


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("2023-06-01T00:00:00", True),
        ("2023-06-01T00:00:00.5", True),
        ("2023-06-01T5:00:00", True),
        ("2023-06-01T00:00:00Z", False),
        ("2023-06-01T24:00:00", False),
        ("2023-02-30T00:00:00", False),
        ("2023-06-01 00:00:00", False),
        ("", False),
    ],
)
def test_a_local_time_has_no_zone(text: str, *, is_local: bool) -> None:
    assert is_local_time(text) is is_local
    assert (parse_local_time(text) is not None) is is_local


_SHAPES = st.sampled_from(
    [
        "2023-06-01T12:34:56Z",
        "2023-06-01T12:34:56.120Z",
        "2023-06-01T12:34:56.123456789+05:30",
        "2024-02-29T23:59:59.5-07:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999-12:00",
        "2023-06-01T24:00:00Z",
        "2023-06-01T12:34:56",
    ]
)
_CHANGES = st.lists(st.tuples(st.integers(0, 34), st.sampled_from([*"0123456789-:TZ.+, zt²٣W", ""])), max_size=3)


@given(shape=_SHAPES, changes=_CHANGES)
def test_the_fast_path_agrees_with_the_full_parser(shape: str, changes: list[tuple[int, str]]) -> None:
    characters = list(shape)
    for index, character in changes:
        characters[index : index + 1] = character
    text = "".join(characters)
    moment = parse_time(text)
    assert is_zoned_time(text) is (moment is not None)
    assert is_local_time(text) is (parse_local_time(text) is not None)
    if moment is None or moment.is_zero:
        with pytest.raises(FastPathMiss):
            read_time(text)
    else:
        assert read_time(text) == (moment.stored, moment.epoch_ms, moment.sent)
        assert stored_time(text) == moment.stored
