"""Tests the calls that the stores of tiles make, and items in parts. On DynamoDB only."""

import pytest

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.tiles.manifest import Manifest, encode_manifest
from chalicelib.tiles.ports import CompactedRange
from chalicelib.tiles.stores import items as tile_contents
from chalicelib.tiles.stores import origin_index
from chalicelib.tiles.stores.keys import origin_index_partition, sweep_requests_partition
from chalicelib.tiles.tile import TileKey
from tests.stores.log.test_calls import Wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.tiles.tile_items import noise, sort_keys, stored_tiles
from tests.stores.tiles.tile_scene import (
    BOLUS,
    CBG,
    LATER_MS,
    LEASE_MS,
    QUARTER,
    Stores,
    after_attempt,
    contents,
    stores_on,
    tiles,
)

MANY = [TileKey("cbg", 20_454 + day) for day in range(150)]


@pytest.fixture
def stores(stage: Settings) -> Stores:
    """Empty stores on DynamoDB."""
    return stores_on(aws_engine(stage))


class TestCalls:
    def test_reading_the_current_manifest_takes_one_call(self, stores: Stores, wire: Wire) -> None:
        for made in (tiles(), tiles(CBG)):
            stores.put(made)
            wire.requests.clear()
            stores.tiles.current(ANNA)
            assert wire.calls == {"BatchGetItem": 1}

    def test_reading_ninety_tiles_takes_one_call(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(*QUARTER))
        wire.requests.clear()
        assert len(stores.shown(committed)) == 90
        assert wire.calls == {"GetItem": 1, "BatchGetItem": 1}  # the scene reads the owner

    def test_one_call_reads_at_most_a_hundred_tiles(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(*MANY))
        wire.requests.clear()
        assert len(stores.shown(committed)) == 150
        assert wire.calls["BatchGetItem"] == 2

    def test_one_call_reads_no_more_bytes_than_a_response_holds(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        committed = stores.put(tiles(*QUARTER))
        largest_bytes = max(ref.visible_bytes for ref in committed.tile_refs())
        monkeypatch.setattr(tile_contents, "READ_AT_ONCE_BYTES", 40 * largest_bytes)
        wire.requests.clear()
        assert len(stores.shown(committed)) == 90
        assert wire.calls["BatchGetItem"] == 3

    def test_acquiring_a_lease_takes_a_read_and_a_transaction(self, stores: Stores, wire: Wire) -> None:
        stores.begin()
        assert wire.calls == {"GetItem": 2, "TransactWriteItems": 1}  # one of the reads is the scene's, of the owner

    def test_writing_thirty_items_takes_two_calls(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        wire.requests.clear()
        stores.tiles.write(attempt, contents(tiles(*QUARTER[:15], shadowed=1)), {})
        assert wire.calls == {"BatchWriteItem": 2}

    def test_a_commit_takes_one_transaction(self, stores: Stores, wire: Wire) -> None:
        before = stores.put(tiles(*QUARTER))
        attempt = stores.begin()
        made = tiles(*QUARTER, value=2)
        stores.tiles.write(attempt, contents(made), {})
        wire.requests.clear()
        compacted = [CompactedRange(f"{number:032x}", is_continuous=True, last_number=9) for number in range(200)]
        stores.tiles.commit(attempt, before, after_attempt(before, attempt, made), compacted, NOW_MS)
        assert wire.calls == {"TransactWriteItems": 1}

    def test_releasing_a_lease_takes_one_write(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        wire.requests.clear()
        stores.tiles.release(attempt)
        assert wire.calls == {"UpdateItem": 1}

    def test_the_calls_of_sweeping_replaced_tiles(self, stores: Stores, wire: Wire) -> None:
        stores.open()
        stores.add(body=bytes(20_000))
        stores.put(tiles(*QUARTER[:20]))
        stores.sweep()
        compacted = [CompactedRange("a" * 32, is_continuous=True, last_number=1)]
        stores.put(tiles(*QUARTER[:20], value=2), compacted=compacted, now_ms=NOW_MS + 1)
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        wire.requests.clear()
        assert stores.sweep_requests.sweep(request) == 21
        assert wire.calls == {"GetItem": 1, "BatchGetItem": 1, "Query": 6, "BatchWriteItem": 4, "DeleteItem": 1}

    def test_the_calls_of_sweeping_an_uncommitted_compaction(self, stores: Stores, wire: Wire) -> None:
        stores.tiles.write(stores.begin(), contents(tiles(*QUARTER[:20])), {CBG: [1]})
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        wire.requests.clear()
        assert stores.sweep_requests.sweep(request) == 20
        called = {"GetItem": 1, "UpdateItem": 1, "BatchGetItem": 1, "Query": 2, "BatchWriteItem": 2, "DeleteItem": 1}
        assert wire.calls == called

    def test_marking_a_backlog_takes_no_extra_call(self, stores: Stores, wire: Wire) -> None:
        stores.open()
        wire.requests.clear()
        stores.add()
        assert len(list(stores.backlogs.all())) == 1
        assert wire.calls["TransactWriteItems"] == 1
        assert "UpdateItem" not in wire.calls

    def test_bodies_of_entries_in_tiles_are_not_fetched(self, stores: Stores, wire: Wire) -> None:
        for name, data_set_type in (("a", "continuous"), ("b", "normal")):
            stores.open(name, data_set_type)
            for _ in range(2):
                stores.add(name, bytes(20_000))
        owner = stores.data_sets.owner(ANNA)
        wire.requests.clear()
        assert stores.log.entries(owner, ["b" * 32], {"a" * 32: 2, "b" * 32: 2}) == []
        assert wire.calls == {"Query": 2}


class TestParts:
    def test_a_large_tile_is_stored_in_parts(self, stores: Stores, stage: Settings) -> None:
        made = tiles(CBG, shadowed=2, note=noise("a", 400_000)) | tiles(BOLUS)
        committed = stores.put(made)
        assert [sort_key.partition("#")[2] for sort_key in stored_tiles(stage)] == [
            "bolus#20454",
            "cbg#20454",
            "cbg#20454#H#0000",
            "cbg#20454#H#0001",
        ]
        owner = stores.data_sets.owner(ANNA)
        found = stores.tiles.tiles(owner, list(committed.tile_refs()), {CBG})
        (run,) = found[CBG].slices().values()
        assert len(run.rows) == 3
        assert next(len(text) for text in run.records.texts) > 400_000

    def test_many_parts_are_joined_in_order(self, stores: Stores, stage: Settings, small_parts: int) -> None:
        made = tiles(CBG, shadowed=30, note=noise("a", 2000)) | tiles(BOLUS, note=noise("b", 1500))
        committed = stores.put(made)
        assert len(stored_tiles(stage)) > 25
        shown = stores.shown(committed)
        assert {key: made[key][0].visible.endswith(shown[key]) for key in made} == {CBG: True, BOLUS: True}
        found = stores.tiles.tiles(stores.data_sets.owner(ANNA), list(committed.tile_refs()), {CBG, BOLUS})
        assert [len(run.rows) for run in found[CBG].slices().values()] == [31]

    def test_a_large_manifest_is_stored_in_parts(
        self, stores: Stores, stage: Settings, wire: Wire, small_parts: int
    ) -> None:
        committed = stores.put(tiles(*QUARTER))
        names = [sort_key for sort_key in stored_tiles(stage) if "=SNAPSHOT" in sort_key]
        assert len(names) == -(-len(encode_manifest(committed)) // small_parts) > 1
        wire.requests.clear()
        assert encode_manifest(stores.tiles.current(ANNA)[1]) == encode_manifest(committed)
        assert wire.calls == {"BatchGetItem": 2}

    def test_a_sweep_removes_all_parts_of_replaced_tiles(
        self, stores: Stores, stage: Settings, small_parts: int
    ) -> None:
        stores.put(tiles(*QUARTER, shadowed=2, note=noise("a", 300)))
        second = stores.put(tiles(CBG, value=2), gone=QUARTER[1:])
        third = stores.put(tiles(*QUARTER[1:50], value=3))
        assert any("=REPLACED" in sort_key for sort_key in stored_tiles(stage))
        assert stores.sweep() == 90
        left = stored_tiles(stage)
        versions = {sort_key.partition("#")[0] for sort_key in left}
        assert versions == {f"{second.version:012d}", f"{third.version:012d}"}
        assert {sort_key.split("#")[1] for sort_key in left} == {"=SNAPSHOT", "cbg"}
        assert {sort_key[:12] for sort_key in left if "=SNAPSHOT" in sort_key} == {f"{third.version:012d}"}
        assert len(stores.shown(stores.tiles.current(ANNA)[1])) == 50

    def test_a_sweep_removes_all_parts_of_an_uncommitted_compaction(
        self, stores: Stores, stage: Settings, small_parts: int
    ) -> None:
        mine = stores.begin()
        made = tiles(*QUARTER, shadowed=1)
        stores.tiles.write(mine, contents(made), {CBG: [1]})
        stores.begin("other", NOW_MS + LEASE_MS)
        with pytest.raises(WriteConflictError):
            stores.tiles.commit(mine, Manifest(), after_attempt(Manifest(), mine, made), [], NOW_MS)
        assert any("=SNAPSHOT" in sort_key for sort_key in stored_tiles(stage))
        assert stores.sweep() == 90
        assert stored_tiles(stage) == []
        assert sort_keys(stage, origin_index_partition(ANNA, 0)) == []

    def test_origin_index_segments_fit_into_items(self, stores: Stores, stage: Settings) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, {}, {CBG: list(range(200_000)), BOLUS: [1]})
        stores.tiles.write(attempt, {}, {CBG: list(range(200_000)), BOLUS: [1]})
        assert len(sort_keys(stage, origin_index_partition(ANNA, 0))) == 3
        for note in origin_index.encode_segments({CBG: list(range(200_000)), BOLUS: [1]}):
            assert len(note) <= origin_index.SEGMENT_BYTES

    def test_an_origin_index_segment_of_another_format_is_refused(self) -> None:
        (note,) = origin_index.encode_segments({CBG: [1]})
        with pytest.raises(ValueError, match="unknown format 2"):
            origin_index.decode_segment(b"\x02" + note[1:])

    def test_removing_an_erased_epoch_removes_all_its_parts(
        self, stores: Stores, stage: Settings, small_parts: int
    ) -> None:
        stores.put(tiles(*QUARTER))
        stores.put(tiles(*QUARTER, value=2))
        stores.data_sets.erase(ANNA, NOW_MS)
        stores.sweep_requests.remove_epoch(ANNA, 0)
        assert stored_tiles(stage) == []
        assert stores.sweep() == 0
        assert sort_keys(stage, sweep_requests_partition()) == []
