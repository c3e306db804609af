"""Tests that entries are decoded exactly as they were encoded, for any content."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.log.compression_dictionary import PRESET_DICTIONARY
from chalicelib.log.entry import (
    PLAIN,
    SMALL_BYTES,
    WITH_DICTIONARY,
    SelectorKind,
    Selectors,
    decode_selectors,
    encode_data,
    encode_selectors,
    read_records,
)
from chalicelib.model.data import Datum

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
bodies = st.fixed_dictionaries(
    {"type": st.sampled_from(["cbg", "dosingDecision", "bolus"]), "id": texts},
    optional={
        "origin": st.fixed_dictionaries(
            {}, optional={"id": texts, "time": texts, "payload": st.dictionaries(texts, json_values)}
        ),
        "deviceId": texts,
        "subType": texts,
        "source": st.just("carelink"),
        "reason": texts,
        "sampleInterval": st.integers(0, 2**40),
        "payload": json_values,
        "value": st.floats(allow_nan=False, allow_infinity=False),
    },
)
data = st.lists(st.builds(Datum, bodies, st.integers(-(2**45), 2**45), texts), min_size=1, max_size=8)


def _origin(body: dict[str, Any]) -> dict[str, Any]:
    origin: dict[str, Any] = body.get("origin", {})
    return origin


@given(data, st.booleans(), st.none() | st.integers(0, 9))
def test_data_comes_back_in_columns_and_texts(data: list[Datum], is_hashed: bool, revision: int | None) -> None:
    hashes = [f"hash {place % 3}" for place in range(len(data))] if is_hashed else None
    records = read_records(encode_data(data, "upload", hashes, revision), number=7)
    kept = [datum.body for datum in data]
    assert len(records) == len(data)
    assert records.times_ms == [datum.time_ms for datum in data]
    assert records.addresses == [(7, row) for row in range(len(data))]
    assert records.types == [body["type"] for body in kept]
    assert records.ids == [body["id"] for body in kept]
    assert records.origin_ids == [_origin(body).get("id") for body in kept]
    assert records.origin_times == [_origin(body).get("time") for body in kept]
    assert records.hashes == ([None] * len(data) if hashes is None else hashes)
    assert records.device_ids == [body.get("deviceId") for body in kept]
    assert records.sub_types == [body.get("subType") for body in kept]
    assert records.sources == [body.get("source") for body in kept]
    assert records.sample_intervals_ms == [body.get("sampleInterval") for body in kept]
    assert records.reasons == [body.get("reason") if body["type"] == "dosingDecision" else None for body in kept]
    service = {"uploadId": "upload"} | ({} if revision is None else {"revision": revision})
    expected = [
        body | service | ({} if hashes is None else {"_deduplicator": {"hash": hashes[place]}})
        for place, body in enumerate(kept)
    ]
    assert [json.loads(text) for text in records.texts] == expected


@given(bodies)
def test_members_are_sorted_at_every_depth(body: dict[str, Any]) -> None:
    (text,) = read_records(encode_data([Datum(body, 0, "")], "upload", None, None), number=1).texts
    assert json.dumps(json.loads(text), sort_keys=True) == json.dumps(json.loads(text))


@given(st.sampled_from(SelectorKind), st.frozensets(texts, min_size=1))
def test_selectors_come_back(kind: SelectorKind, values: frozenset[str]) -> None:
    selectors = Selectors(kind, values)
    assert decode_selectors(encode_selectors(selectors)) == selectors


@given(data, st.integers(0, 3))
def test_both_forms_hold_the_same(data: list[Datum], notes: int) -> None:
    """A large entry does without the words; what was stored in either form is read alike."""
    large = [*data, Datum({"type": "food", "id": "large", "payload": {"notes": "a" * (SMALL_BYTES + notes)}}, 0, "")]
    small_body, large_body = (encode_data(content, "upload", None, None) for content in (data, large))
    assert (small_body[0], large_body[0]) == (WITH_DICTIONARY, PLAIN)
    small, whole = (read_records(body, number=1) for body in (small_body, large_body))
    assert whole.texts[:-1] == small.texts
    assert whole.times_ms[:-1] == small.times_ms


def test_the_dictionary_never_changes() -> None:
    """Stored entries cannot be read with another one."""
    assert (
        hashlib.sha256(PRESET_DICTIONARY).hexdigest()
        == "639ab58cf804beba0522863682a9ece794319567fb67ad12e0acb82e88b330f8"
    )


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown form 9"):
        read_records(bytes([9, 0, 0, 0, 0]), number=1)


def test_a_body_that_is_cut_off_is_refused() -> None:
    body = encode_data([Datum({"type": "food", "id": "a"}, 0, "")], "upload", None, None)
    with pytest.raises(ValueError, match="incomplete"):
        _ = read_records(body[:-2], number=1).texts
