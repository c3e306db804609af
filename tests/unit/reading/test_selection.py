"""Tests which records and whole tiles a query selects: for tiles, never less than for their records."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import json_text
from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import DeflatedLines, inflated_lines
from chalicelib.log.data_set import DataSet
from chalicelib.log.fold import VisibleData
from chalicelib.log.records import RecordAddress
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import cuts, must_fold, select_records, selects_tile
from chalicelib.reading.select_texts import select_texts
from chalicelib.reading.source_filters import Imports, SourceFilters
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.tile import Candidate, Tile, TileKey, TileStats, encode_tile

A, B = "a" * 32, "b" * 32
NOTHING_DROPPED = SourceFilters(drops_carelink=False, medtronic_data_set_ids=frozenset())
DAY = 20_454
START_MS = DAY * DAY_MS


def place(name: str = "cbg", *data_set_ids: str, **stats: bool) -> TileRef:
    shown = {"has_visible": True, "has_carelink": False, "has_medtronic": False} | stats
    return TileRef(TileKey(name, DAY), 1, 100, 0, TileStats(data_set_ids or (A,), **shown))


class TestTiles:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (DataQuery(), True),
            (DataQuery(types=("cbg", "food")), True),
            (DataQuery(types=("food",)), False),
            (DataQuery(upload_id=A), True),
            (DataQuery(upload_id=B), False),
        ],
    )
    def test_a_tile_is_read_if_any_of_its_records_can_be_selected(self, query: DataQuery, expected: bool) -> None:
        assert selects_tile(place(), query) is expected

    def test_a_tile_without_visible_records_is_not_read(self) -> None:
        assert not selects_tile(place(has_visible=False), DataQuery())

    @pytest.mark.parametrize(
        ("of", "query", "sources", "expected"),
        [
            (place(), DataQuery(), NOTHING_DROPPED, False),
            (place(), DataQuery(start_ms=START_MS, end_ms=START_MS + DAY_MS - 1), NOTHING_DROPPED, False),
            (place(), DataQuery(start_ms=START_MS + 1, end_ms=START_MS + DAY_MS - 2), NOTHING_DROPPED, False),
            (place("dosingDecision"), DataQuery(reasons=frozenset({"loop"})), NOTHING_DROPPED, False),
            (place(), DataQuery(sample_interval_minimum_ms=1), NOTHING_DROPPED, False),
            (place("cbg", A, B), DataQuery(upload_id=A), NOTHING_DROPPED, True),
            (place(), DataQuery(), SourceFilters(True, frozenset()), False),
            (place(has_carelink=True), DataQuery(), SourceFilters(True, frozenset()), True),
            (place("cbg", A, B), DataQuery(), SourceFilters(False, frozenset({B})), True),
            (place("food", A, B), DataQuery(), SourceFilters(False, frozenset({B})), False),
            (place(), DataQuery(), SourceFilters(False, frozenset(), Imports(frozenset({A}), ())), False),
            (place("cbg", A, B), DataQuery(), SourceFilters(False, frozenset(), Imports(frozenset({A}), ())), True),
            (place("food", B), DataQuery(), SourceFilters(False, frozenset(), Imports(frozenset({A}), ())), False),
        ],
    )
    def test_a_tile_is_folded_where_a_data_set_or_a_source_can_drop_a_record(
        self, of: TileRef, query: DataQuery, sources: SourceFilters, expected: bool
    ) -> None:
        assert must_fold(of, query, sources) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (DataQuery(), False),
        (DataQuery(start_ms=START_MS, end_ms=START_MS + DAY_MS - 1), False),
        (DataQuery(start_ms=START_MS + 1), True),
        (DataQuery(end_ms=START_MS + DAY_MS - 2), True),
    ],
)
def test_a_day_is_cut_by_a_query_that_begins_or_ends_within_it(query: DataQuery, expected: bool) -> None:
    assert cuts(query, DAY) is expected


bodies = st.fixed_dictionaries(
    {"id": st.uuids().map(str)},
    optional={
        "deviceId": st.sampled_from(["pump", "meter"]),
        "subType": st.sampled_from(["normal", "square"]),
        "source": st.just("carelink"),
        "reason": st.sampled_from(["loop", "other"]),
        "sampleInterval": st.sampled_from([0, 1, 300_000]),
        "payload": st.dictionaries(
            st.sampled_from(["deviceId", "subType", "reason", "sampleInterval"]),
            st.sampled_from(["pump", "normal", "loop", 0]),
        ),
    },
)
offsets_ms = st.sampled_from([0, 1, DAY_MS // 2, DAY_MS - 1])
bounds_ms = st.none() | st.integers(-1, 1).flatmap(
    lambda day: offsets_ms.map(lambda offset: START_MS + day * DAY_MS + offset)
)
queries = st.builds(
    DataQuery,
    types=st.none() | st.just(("cbg", "bolus")),
    sub_types=st.none() | st.just(frozenset({"normal"})),
    start_ms=bounds_ms,
    end_ms=bounds_ms,
    device_id=st.sampled_from([None, None, "pump"]),
    upload_id=st.sampled_from([None, None, A]),
    reasons=st.none() | st.just(frozenset({"loop"})),
    sample_interval_minimum_ms=st.sampled_from([0, 1]),
)
all_sources = st.builds(
    SourceFilters,
    st.booleans(),
    st.sets(st.sampled_from([A, B])).map(frozenset),
    st.none()
    | st.builds(Imports, st.just(frozenset({A})), st.sampled_from([(), ((START_MS, START_MS + DAY_MS // 2),)])),
)


def data_set(data_set_id: str) -> DataSet:
    return DataSet(data_set_id, "anna", 0, 0, 0, {"dataSetType": "continuous"})


@given(
    st.sampled_from(["cbg", "bolus", "dosingDecision"]),
    st.lists(st.tuples(st.sampled_from([A, B]), offsets_ms, bodies), min_size=1, max_size=5),
    queries,
    all_sources,
)
def test_decisions_on_a_tile_hold_for_each_of_its_records(
    name: str, records: list[tuple[str, int, dict[str, Any]]], query: DataQuery, sources: SourceFilters
) -> None:
    content, stats = encode_tile(
        Candidate(
            START_MS + offset_ms, 0, owner, RecordAddress(1, row), False, json_text.encode({"type": name, **body})
        )
        for row, (owner, offset_ms, body) in enumerate(records)
    )
    key = TileKey(name, DAY)
    of = TileRef(key, 1, len(content.visible), 0, stats)
    tile = Tile(content)
    # Both data sets were created at the same time, so the one with the smaller id counts as the older one.
    data = [VisibleData(data_set(owner), [run]) for owner, run in sorted(tile.slices().items())]
    found = select_records(data, query, sources)
    texts = found[key].texts() if key in found else []
    if not selects_tile(of, query):
        assert texts == []
    elif not must_fold(of, query, sources):
        piece = select_texts(tile, key, query)
        assert list(inflated_lines(piece) if isinstance(piece, DeflatedLines) else piece) == texts
        # A tile of which nothing is dropped is not compressed again.
        assert (piece is tile.lines) is (len(texts) == len(records))
