"""Tests that sweeps of every store of tiles, in memory and on DynamoDB, delete obsolete items and no others."""

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import CompactedRange, TileMissingError
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.tiles.tile_scene import (
    BOLUS,
    CBG,
    CBG_NEXT,
    LATER_MS,
    LEASE_MS,
    Stores,
    after_attempt,
    contents,
    refs,
    tiles,
)


class TestSweepRequests:
    def test_a_lease_leaves_a_sweep_request_due_at_its_end(self, stores: Stores) -> None:
        attempt = stores.begin()
        end_ms = NOW_MS + LEASE_MS
        assert list(stores.sweep_requests.older_than(end_ms)) == []
        (request,) = stores.sweep_requests.older_than(end_ms + 1)
        assert (request.time_ms, request.owner_id, request.epoch, request.version) == (
            end_ms,
            ANNA,
            0,
            attempt.fencing_token,
        )

    def test_a_commit_replaces_the_sweep_request_of_its_lease(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG))
        assert list(stores.sweep_requests.older_than(NOW_MS)) == []
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        assert (request.time_ms, request.owner_id, request.epoch, request.version) == (
            NOW_MS,
            ANNA,
            0,
            committed.version,
        )

    def test_a_commit_at_the_end_of_its_lease_leaves_one_sweep_request(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, {}), [], attempt.until_ms)
        assert len(list(stores.sweep_requests.older_than(LATER_MS))) == 1

    def test_sweep_requests_are_listed_oldest_first(self, stores: Stores) -> None:
        for later_ms in (5, 3, 4):
            stores.put({}, now_ms=NOW_MS + later_ms)
        assert [request.time_ms - NOW_MS for request in stores.sweep_requests.older_than(LATER_MS)] == [3, 4, 5]

    def test_a_sweep_removes_all_of_an_uncommitted_compaction(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG, BOLUS))
        shown = stores.shown(committed)
        stores.sweep()
        attempt = stores.begin()
        made = tiles(CBG, BOLUS, CBG_NEXT, value=2, shadowed=1)
        stores.tiles.write(attempt, contents(made), {CBG: [1, 2]})
        assert stores.sweep() == 3
        for ref in refs(made, attempt.fencing_token).values():
            assert ref is not None
            with pytest.raises(TileMissingError):
                stores.tiles.tiles(attempt.owner, [ref], ())
        assert list(stores.tiles.origin_keys(attempt.owner)) == []
        assert list(stores.sweep_requests.older_than(LATER_MS)) == []
        assert stores.shown(committed) == shown

    def test_a_swept_compaction_cannot_be_committed(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        stores.sweep()
        with pytest.raises(WriteConflictError):
            stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, tiles(CBG)), [], NOW_MS)
        assert stores.tiles.current(ANNA)[1] == Manifest()

    def test_a_sweep_after_the_commit_removes_nothing(self, stores: Stores) -> None:
        attempt = stores.begin()
        (begun,) = stores.sweep_requests.older_than(LATER_MS)
        stores.tiles.write(attempt, contents(tiles(CBG)), {CBG: [1]})
        after = after_attempt(Manifest(), attempt, tiles(CBG))
        stores.tiles.commit(attempt, Manifest(), after, [], NOW_MS)
        assert stores.sweep_requests.sweep(begun) == 0
        assert list(stores.shown(after)) == [CBG]
        assert len(list(stores.tiles.origin_keys(attempt.owner))) == 1

    def test_a_sweep_removes_tiles_that_a_manifest_replaced(self, stores: Stores) -> None:
        first = stores.put(tiles(CBG, CBG_NEXT, BOLUS, shadowed=2))
        second = stores.put(tiles(CBG, value=2), gone=[BOLUS])
        shown = stores.shown(second)
        stores.shown(first)  # replaced tiles stay readable until they are swept
        assert stores.sweep() == 2
        assert stores.shown(second) == shown
        for key in (CBG, BOLUS):
            ref = first.tile(key)
            assert ref is not None
            with pytest.raises(TileMissingError):
                stores.tiles.tiles(stores.data_sets.owner(ANNA), [ref], ())
        assert list(stores.sweep_requests.older_than(LATER_MS)) == []
        assert stores.sweep() == 0

    def test_a_sweep_request_may_be_carried_out_twice(self, stores: Stores) -> None:
        stores.put(tiles(CBG))
        second = stores.put(tiles(CBG, value=2))
        requests = list(stores.sweep_requests.older_than(LATER_MS))
        assert [stores.sweep_requests.sweep(request) for request in requests + requests] == [0, 1, 0, 0]
        assert list(stores.shown(second)) == [CBG]

    def test_a_sweep_removes_tiles_that_a_rebuild_replaced_on_the_way(self, stores: Stores) -> None:
        """A rebuild writes a tile once for each step that changes it, and the tile may be empty in the end."""
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG, BOLUS, shadowed=2)), {})
        stores.tiles.write(attempt, contents(tiles(CBG, value=2)), {})
        after = after_attempt(Manifest(), attempt, tiles(CBG, value=2))
        stores.tiles.commit(attempt, Manifest(), after, [], NOW_MS)
        assert stores.sweep() > 0
        assert list(stores.shown(after)) == [CBG]
        stray = refs(tiles(BOLUS, shadowed=2), attempt.fencing_token)[BOLUS]
        assert stray is not None
        with pytest.raises(TileMissingError):
            stores.tiles.tiles(attempt.owner, [stray], ())

    def test_a_sweep_request_of_an_erased_epoch_is_carried_out(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        stores.data_sets.erase(ANNA, NOW_MS)
        new = stores.put(tiles(CBG, value=2))
        assert stores.sweep() == 1
        assert list(stores.shown(new)) == [CBG]


class TestSweepingEntries:
    def test_a_sweep_removes_only_entries_in_tiles(self, stores: Stores) -> None:
        for name in ("a", "b"):
            stores.open(name)
        for name in ("c", "d"):
            stores.open(name, "normal")
        for name in "abcd":
            for _ in range(3):
                stores.add(name)
        compacted = [CompactedRange("a" * 32, is_continuous=True, last_number=2), CompactedRange("c" * 32, False, 3)]
        stores.put({}, compacted=compacted)
        assert len(stores.numbers("c", "d")) == 12
        assert stores.sweep() == 5
        assert stores.numbers("c", "d") == [("a", 3), ("b", 1), ("b", 2), ("b", 3), ("d", 1), ("d", 2), ("d", 3)]

    def test_entries_of_uncommitted_compactions_stay(self, stores: Stores) -> None:
        stores.open()
        stores.add()
        stores.begin()
        assert stores.sweep() == 0
        assert stores.numbers() == [("a", 1)]

    def test_entry_numbers_continue_after_a_sweep(self, stores: Stores) -> None:
        stores.open()
        stores.add()
        stores.put({}, compacted=[CompactedRange("a" * 32, is_continuous=True, last_number=1)])
        assert stores.sweep() == 1
        assert stores.add() == 2
        assert stores.numbers() == [("a", 2)]
