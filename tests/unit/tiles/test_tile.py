"""The codec of tiles: what goes in comes out, in one order, in the same bytes."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import inflated_lines
from chalicelib.log.records import RecordAddress
from chalicelib.tiles.tile import (
    Candidate,
    Tile,
    TileContent,
    TileKey,
    TileStats,
    encode_tile,
    keys_of_rows,
    origin_key,
)

HASH = "TDuHrV2JX4DOU3nO83rxvSaVN1DHKvtZOiqS0DVmCVg="

bodies = st.fixed_dictionaries(
    {"id": st.text(max_size=8)},
    optional={
        "origin": st.fixed_dictionaries({"id": st.text(max_size=8)}),
        "_deduplicator": st.fixed_dictionaries({"hash": st.sampled_from([HASH, "other"])}),
        "deviceId": st.sampled_from(["pump", "meter"]),
        "notes": st.just(["a\nb", ",\n"]),
    },
)
some_candidates = st.lists(
    st.builds(
        lambda time_ms, data_set_id, place, is_shadowed, body: Candidate(
            time_ms, 7, data_set_id, place, is_shadowed, json_text.encode({"type": "cbg", **body})
        ),
        st.integers(-(10**14), 10**14),
        st.sampled_from(["a" * 32, "b" * 32]),
        st.builds(RecordAddress, st.integers(1, 2**40), st.integers(0, 2_000)),
        st.booleans(),
        bodies,
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda record: (record.data_set_id, record.address),
)


def candidate(time_ms: int, row: int = 0, is_shadowed: bool = False, data_set: str = "a", **body: Any) -> Candidate:
    text = json_text.encode({"type": "cbg", "id": f"{time_ms}-{row}", **body})
    return Candidate(time_ms, 0, data_set * 32, RecordAddress(1, row), is_shadowed, text)


def rows_of(tile: Tile) -> set[tuple[str, int, RecordAddress, bytes]]:
    return {
        (data_set_id, run.records.times_ms[row], run.records.addresses[row], run.records.texts[row])
        for data_set_id, run in tile.slices().items()
        for row in run.rows
    }


class TestRoundTrip:
    @given(some_candidates)
    def test_all_that_goes_in_comes_out(self, candidates: Sequence[Candidate]) -> None:
        content, traits = encode_tile(candidates)
        assert rows_of(Tile(content)) == {
            (record.data_set_id, record.time_ms, record.address, record.text) for record in candidates
        }
        assert traits.data_set_ids == tuple(sorted({record.data_set_id for record in candidates}))

    @given(some_candidates)
    def test_what_is_shown_is_in_the_order_of_the_answer(self, candidates: Sequence[Candidate]) -> None:
        content, traits = encode_tile(candidates)
        shown = [record.text for record in sorted(candidates) if not record.is_shadowed]
        assert traits.has_visible == bool(shown)
        assert (inflated_lines(Tile(content).lines) if shown else []) == shown

    @given(some_candidates, st.data())
    def test_the_part_between_two_times_is_what_is_shown_then(
        self, candidates: Sequence[Candidate], data: st.DataObject
    ) -> None:
        bounds = st.none() | st.sampled_from([record.time_ms for record in candidates]) | st.integers()
        start_ms, end_ms = data.draw(bounds), data.draw(bounds)
        between = [
            record.text
            for record in sorted(candidates)
            if not record.is_shadowed
            and (start_ms is None or record.time_ms >= start_ms)
            and (end_ms is None or record.time_ms <= end_ms)
        ]
        assert list(Tile(encode_tile(candidates)[0]).texts_between(start_ms, end_ms)) == between

    @given(some_candidates, st.randoms(use_true_random=False))
    def test_any_order_gives_the_same_bytes(self, candidates: list[Candidate], random: Any) -> None:
        shuffled = list(candidates)
        random.shuffle(shuffled)
        assert encode_tile(shuffled) == encode_tile(candidates)

    @given(some_candidates)
    def test_columns_are_what_the_texts_say(self, candidates: Sequence[Candidate]) -> None:
        for run in Tile(encode_tile(candidates)[0]).slices().values():
            records = run.records
            read = [json_text.decode(records.texts[row]) for row in run.rows]
            assert [records.origin_ids[row] for row in run.rows] == [body.get("origin", {}).get("id") for body in read]
            assert [records.device_ids[row] for row in run.rows] == [body.get("deviceId") for body in read]
            hashes = [body.get("_deduplicator", {}).get("hash") for body in read]
            assert [records.hashes[row] for row in run.rows] == hashes
            assert [records.ids[row] for row in run.rows] == [body["id"] for body in read]

    @given(st.integers(-(10**16), 10**16))
    def test_a_record_is_in_the_tile_of_its_day_in_utc(self, time_ms: int) -> None:
        (run,) = Tile(encode_tile([candidate(time_ms)])[0]).slices().values()
        (key,) = keys_of_rows(run.records)
        assert key.type == "cbg"
        assert key.day * DAY_MS <= time_ms < (key.day + 1) * DAY_MS


class TestRule3KeysAndHiddenCopiesAreApart:
    def test_without_anything_hidden_there_is_no_second_part(self) -> None:
        assert encode_tile([candidate(1), candidate(2)])[0].shadowed == b""

    def test_what_is_hidden_costs_a_reader_no_text(self) -> None:
        notes = [f"{number * 0x9E3779B1 % 2**32:x}" for number in range(1_000)]
        content, _ = encode_tile([candidate(1), candidate(2, is_shadowed=True, notes=notes)])
        assert len(content.visible) < 300
        assert len(content.shadowed) > 2_000

    def test_what_is_shown_needs_nothing_hidden(self) -> None:
        content, _ = encode_tile([candidate(1), candidate(2, is_shadowed=True)])
        assert len(inflated_lines(Tile(TileContent(content.visible, b"")).lines)) == 1

    @given(some_candidates, st.sets(st.text(max_size=3)))
    def test_the_filter_misses_nothing(self, candidates: Sequence[Candidate], others: set[str]) -> None:
        tile = Tile(encode_tile(candidates)[0])
        held = {json_text.decode(candidate.text).get("origin", {}).get("id") for candidate in candidates} - {None}
        for origin_id in held:
            assert tile.may_hold({origin_key(origin_id), *map(origin_key, others)})
        assert sorted(set(map(origin_key, held))) == list(tile.origin_keys())
        asked = set(map(origin_key, others))
        assert tile.may_hold(asked) == bool(asked & set(map(origin_key, held)))

    def test_a_record_that_is_hidden_is_found_by_its_origin_too(self) -> None:
        tile = Tile(encode_tile([candidate(1), candidate(2, is_shadowed=True, origin={"id": "x"})])[0])
        assert tile.may_hold({origin_key("x")})
        assert not tile.may_hold({origin_key("y")})
        assert not tile.may_hold(set())


class TestTraits:
    @pytest.mark.parametrize("is_shadowed", [True, False])
    def test_sources_count_whether_they_are_shown_or_not(self, is_shadowed: bool) -> None:
        app = {"payload": {"device": {"manufacturer": "Medtronic"}}}
        _, plain = encode_tile([candidate(1)])
        _, both = encode_tile([candidate(1), candidate(2, 1, is_shadowed, source="carelink", origin=app)])
        assert (plain.has_carelink, plain.has_medtronic) == (False, False)
        assert (both.has_carelink, both.has_medtronic) == (True, True)

    def test_rule_2_hidden_data_sets_are_listed(self) -> None:
        _, traits = encode_tile([candidate(1), candidate(1, is_shadowed=True, data_set="b")])
        assert traits == TileStats(("a" * 32, "b" * 32), has_visible=True, has_carelink=False, has_medtronic=False)


def test_a_tile_of_another_version_is_refused() -> None:
    content, _ = encode_tile([candidate(1)])
    with pytest.raises(ValueError, match="unknown version 2"):
        Tile(TileContent(b"\x02" + content.visible[1:], b""))


def test_a_tile_of_a_day_of_readings_is_small() -> None:
    readings = [
        candidate(number * 300_000, number, uploadId="a" * 32, units="mmol/L", value=5 + number % 7 / 10)
        for number in range(288)
    ]
    content, _ = encode_tile(readings)
    text_bytes = sum(len(record.text) for record in readings)
    assert len(content.visible) * 8 < text_bytes
    assert TileKey("cbg", 0) == keys_of_rows(next(iter(Tile(content).slices().values())).records)[-1]
