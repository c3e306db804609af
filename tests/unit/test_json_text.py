"""JSON that clients send: text in strings that is not quite Unicode is repaired, everything else is refused."""

import json
from typing import Any

import orjson
import pytest

from chalicelib import json_text
from chalicelib.json_text import decode_sent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'["Pizza \ud83c"]', "Pizza \ufffd"),
        (rb'["\udc00 Ex"]', "\ufffd Ex"),
        (rb'["\uD83C\uDF55"]', "\U0001f355"),
        (rb'["\ud83c\ud83c\udf55"]', "\ufffd\U0001f355"),
        (rb'["\ud83c\udf55\udf55"]', "\U0001f355\ufffd"),
        (rb'["\udf55\ud83c"]', "\ufffd\ufffd"),
        (rb'["\ud83c\u0041"]', "\ufffdA"),
        (rb'["\ud83c\n"]', "\ufffd\n"),
        (rb'["\\ud83c \ud83c"]', "\\ud83c \ufffd"),
        (rb'["\\\ud83c"]', "\\\ufffd"),
        (rb'["\"\ud83c\""]', '"\ufffd"'),
        (b'["Caf\xe9"]', "Caf\ufffd"),
        (b'["\xf0\x9f\x8d"]', "\ufffd\ufffd\ufffd"),
        (b'["\xed\xa0\xbc"]', "\ufffd\ufffd\ufffd"),
        (b'["\xc0\x80\xff"]', "\ufffd\ufffd\ufffd"),
        (b'["\xe9\xc3\xa9"]', "\ufffd\u00e9"),
        (b'["\xe9\\ud83c"]', "\ufffd\ufffd"),
    ],
)
def test_each_byte_and_half_pair_that_is_not_unicode_becomes_one_replacement(text: bytes, expected: str) -> None:
    assert decode_sent(text) == [expected]


def test_names_of_members_are_repaired_too() -> None:
    assert decode_sent(b'{"a\\ud83c": 1, "\xe9": 2}') == {"a\ufffd": 1, "\ufffd": 2}


@pytest.mark.parametrize(
    "text",
    [
        b'[\xe9"a"]',
        b'["a"]\xff',
        b'\xef\xbb\xbf["a"]',
        rb'["a", \ud83c]',
        rb'["a\ud83c]',
        rb'["\ud83"]',
        rb'["\ud83g"]',
        b'["\xe9", NaN]',
        rb'["\ud83c" 1]',
        "\ufeff[]".encode("utf-16"),
        b"",
    ],
)
def test_what_is_no_json_apart_from_that_is_refused(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        decode_sent(text)


@pytest.mark.parametrize("value", [{"a": "\U0001f355", "b": [1, 2.5, None, True]}, [], "\\ud83c", "a\tb\u2028"])
def test_valid_json_is_what_it_is(value: Any) -> None:
    assert decode_sent(json.dumps(value).encode()) == value
    assert decode_sent(json.dumps(value, ensure_ascii=False).encode()) == value


def test_valid_and_malformed_texts_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[object] = []

    class Counting:
        JSONDecodeError = orjson.JSONDecodeError

        @staticmethod
        def loads(text: object) -> Any:
            parsed.append(text)
            return orjson.loads(text)  # type: ignore[arg-type]

    monkeypatch.setattr(json_text, "orjson", Counting)
    assert decode_sent('["Caf\u00e9 \U0001f355"]'.encode()) == ["Caf\u00e9 \U0001f355"]
    with pytest.raises(orjson.JSONDecodeError):
        decode_sent(rb'["a\n", "\ud83c\udf55"')
    assert len(parsed) == 2
