"""Tests that every store of tiles, in memory and on DynamoDB, does the same."""

from dataclasses import replace

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.definitions import DATA
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry, EntryKind
from chalicelib.log.stores.archive import StoredArchive
from chalicelib.tiles.manifest import LogPosition, Manifest, encode_manifest
from chalicelib.tiles.ports import TileMissingError
from chalicelib.tiles.tile import TileContent, TileKey, TileStats
from tests.fakes.checked_stores import CheckedArchive, CheckedSweepRequests, CheckedTiles
from tests.fakes.engine import WatchedCalls, memory_engine, stored_items
from tests.fakes.processes import watched
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
    stores_on,
    tiles,
)


class TestReading:
    def test_the_manifest_is_empty_before_the_first_compaction(self, stores: Stores) -> None:
        assert stores.tiles.current("unknown") == (OwnerState("unknown"), Manifest())
        stores.open()
        assert stores.tiles.current(ANNA) == (stores.data_sets.owner(ANNA), Manifest())

    def test_a_committed_manifest_and_its_tiles_are_read_unchanged(self, stores: Stores) -> None:
        applied = {"a" * 32: LogPosition(7, "state", is_whole=True)}
        committed = stores.put(tiles(CBG, CBG_NEXT, BOLUS), logs=applied)
        owner, current = stores.tiles.current(ANNA)
        assert (current.epoch, current.version, current.logs) == (0, committed.version, applied)
        assert encode_manifest(current) == encode_manifest(committed)
        assert sorted(current.tile_refs(), key=str) == sorted(committed.tile_refs(), key=str)
        made = tiles(CBG, CBG_NEXT, BOLUS)
        found = stores.tiles.tiles(owner, list(current.tile_refs()), ())
        assert {key: tile.lines.deflated for key, tile in found.items()} == {
            key: content.visible[-len(found[key].lines.deflated) :] for key, content in contents(made).items()
        }
        assert [address.number for part in found[CBG].slices().values() for address in part.records.addresses] == [1]

    def test_shadowed_records_are_read_only_on_request(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG, BOLUS, shadowed=3))
        found = stores.tiles.tiles(stores.data_sets.owner(ANNA), list(committed.tile_refs()), {CBG})
        (run,) = found[CBG].slices().values()
        assert len(run.rows) == 4
        with pytest.raises(ValueError, match="incomplete"):
            found[BOLUS].slices()

    def test_only_requested_tiles_are_read(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG, BOLUS))
        ref = committed.tile(CBG)
        assert ref is not None
        assert list(stores.tiles.tiles(stores.data_sets.owner(ANNA), [ref], ())) == [CBG]
        assert stores.tiles.tiles(stores.data_sets.owner(ANNA), [], ()) == {}

    def test_reading_an_absent_tile_raises(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG))
        never = refs(tiles(CBG), 99)[CBG]
        assert never is not None
        with pytest.raises(TileMissingError):
            stores.tiles.tiles(stores.data_sets.owner(ANNA), [*committed.tile_refs(), never], ())

    @pytest.mark.parametrize("day", [-720_000, -1, 0, 2_932_896, 10_000_000])
    def test_any_day_may_have_a_tile(self, stores: Stores, day: int) -> None:
        made = tiles(TileKey("cbg", day), TileKey("cbg", day + 1), shadowed=1)
        committed = stores.put(made)
        assert set(stores.shown(committed)) == set(made)

    def test_tiles_of_types_with_similar_names_are_separate(self, stores: Stores) -> None:
        names = ["a", "a#1", "a%231", "H", "=SNAPSHOT", "sha256=a", "b" * 300, "b" * 301, "ä"]
        made: dict[TileKey, tuple[TileContent, TileStats]] = {}
        for value, name in enumerate(names):
            made |= tiles(TileKey(name, 1), value=value, shadowed=1)
        shown = stores.shown(stores.put(made))
        assert len(shown) == len(set(shown.values())) == len(names)

    def test_tiles_of_users_are_separate(self, stores: Stores) -> None:
        stores.put(tiles(CBG))
        other = f"{ANNA}#0"
        assert stores.tiles.current(other)[1] == Manifest()
        assert list(stores.tiles.origin_keys(OwnerState(other))) == []


class TestOriginKeys:
    def test_origin_keys_of_all_writes_are_found(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, {}, {CBG: [7, 2**32 - 1, 0], BOLUS: [5]})
        stores.tiles.write(attempt, {}, {CBG: [8], TileKey("cbg", -5): [1]})
        found: dict[TileKey, list[int]] = {}
        for note in stores.tiles.origin_keys(attempt.owner):
            for key, keys in note.items():
                found.setdefault(key, []).extend(keys)
        assert {key: sorted(keys) for key, keys in found.items()} == {
            CBG: [0, 7, 8, 2**32 - 1],
            BOLUS: [5],
            TileKey("cbg", -5): [1],
        }

    def test_many_origin_keys_are_stored(self, stores: Stores) -> None:
        attempt = stores.begin()
        many = {TileKey("cbg", day): list(range(day, day + 400_000, 10)) for day in range(6)}
        stores.tiles.write(attempt, {}, many)
        found: dict[TileKey, list[int]] = {}
        for note in stores.tiles.origin_keys(attempt.owner):
            for key, keys in note.items():
                found.setdefault(key, []).extend(keys)
        assert {key: sorted(keys) for key, keys in found.items()} == many


class TestLeases:
    def test_each_lease_has_the_next_fencing_token(self, stores: Stores) -> None:
        first = stores.begin()
        assert (first.fencing_token, first.holder, first.until_ms) == (1, "me", NOW_MS + LEASE_MS)
        assert stores.begin().fencing_token == 2

    def test_a_user_has_one_lease_at_a_time(self, stores: Stores) -> None:
        owner = stores.data_sets.owner(ANNA)
        mine = stores.begin("me")
        assert stores.tiles.acquire(owner, "other", NOW_MS + LEASE_MS - 1, NOW_MS + 2 * LEASE_MS) is None
        stores.tiles.release(mine)
        stores.begin("other", NOW_MS + 1)

    def test_an_expired_lease_does_not_block_the_next(self, stores: Stores) -> None:
        stores.begin("me")
        assert stores.begin("other", NOW_MS + LEASE_MS).fencing_token == 2

    def test_an_old_lease_does_not_release_a_new_one(self, stores: Stores) -> None:
        mine = stores.begin("me")
        stores.begin("other", NOW_MS + LEASE_MS)
        stores.tiles.release(mine)
        assert stores.tiles.acquire(mine.owner, "third", NOW_MS + LEASE_MS, LATER_MS) is None

    def test_a_compaction_with_an_old_lease_is_not_committed(self, stores: Stores) -> None:
        mine = stores.begin("me")
        stores.tiles.write(mine, contents(tiles(CBG)), {})
        stores.begin("other", NOW_MS + LEASE_MS)
        with pytest.raises(WriteConflictError):
            stores.tiles.commit(mine, Manifest(), after_attempt(Manifest(), mine, tiles(CBG)), [], NOW_MS)
        assert stores.tiles.current(ANNA)[1] == Manifest()

    def test_a_lease_commits_once(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        after = after_attempt(Manifest(), attempt, tiles(CBG))
        stores.tiles.commit(attempt, Manifest(), after, [], NOW_MS)
        for before in (Manifest(), after):
            with pytest.raises(WriteConflictError):
                stores.tiles.commit(attempt, before, after, [], NOW_MS)

    def test_only_the_current_manifest_is_replaced(self, stores: Stores) -> None:
        old = stores.put(tiles(CBG))
        stores.put(tiles(BOLUS))
        for before in (Manifest(), old):
            attempt = stores.begin()
            with pytest.raises(WriteConflictError):
                stores.tiles.commit(attempt, before, after_attempt(before, attempt, {}), [], NOW_MS)
        assert {ref.key for ref in stores.tiles.current(ANNA)[1].tile_refs()} == {BOLUS, CBG}

    def test_uncommitted_tiles_are_not_visible(self, stores: Stores) -> None:
        committed = stores.put(tiles(CBG))
        shown = stores.shown(committed)
        stores.tiles.write(stores.begin(), contents(tiles(CBG, value=2)), {})
        assert encode_manifest(stores.tiles.current(ANNA)[1]) == encode_manifest(committed)
        assert stores.shown(committed) == shown


class TestErasing:
    def test_the_manifest_is_empty_after_an_erasure(self, stores: Stores) -> None:
        stores.put(tiles(CBG))
        stores.data_sets.erase(ANNA, NOW_MS)
        assert stores.tiles.current(ANNA) == (stores.data_sets.owner(ANNA), Manifest(epoch=1))

    def test_no_lease_is_acquired_in_an_erased_epoch(self, stores: Stores) -> None:
        owner = stores.data_sets.owner(ANNA)
        stores.data_sets.erase(ANNA, NOW_MS)
        with pytest.raises(WriteConflictError):
            stores.tiles.acquire(owner, "me", NOW_MS, NOW_MS + LEASE_MS)

    def test_no_manifest_is_committed_in_an_erased_epoch(self, stores: Stores) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        stores.data_sets.erase(ANNA, NOW_MS)
        with pytest.raises(WriteConflictError):
            stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, tiles(CBG)), [], NOW_MS)

    def test_manifest_versions_rise_across_epochs(self, stores: Stores) -> None:
        before = stores.put(tiles(CBG))
        stores.data_sets.erase(ANNA, NOW_MS)
        after = stores.put(tiles(BOLUS))
        assert (after.epoch, after.version) == (1, before.version + 1)
        assert list(stores.shown(after)) == [BOLUS]

    @pytest.mark.parametrize("is_used", [False, True])
    def test_removing_an_erased_epoch_leaves_the_next_one(self, stores: Stores, is_used: bool) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, {}, {CBG: [1]})
        old = stores.put(tiles(CBG, shadowed=1))
        stores.data_sets.erase(ANNA, NOW_MS)
        new = stores.put(tiles(BOLUS)) if is_used else Manifest(epoch=1)
        for _ in range(2):
            stores.sweep_requests.remove_epoch(ANNA, 0)
        assert list(stores.tiles.origin_keys(OwnerState(ANNA))) == []
        for ref in old.tile_refs():
            with pytest.raises(TileMissingError):
                stores.tiles.tiles(OwnerState(ANNA), [ref], ())
        assert encode_manifest(stores.tiles.current(ANNA)[1]) == encode_manifest(new)
        assert len(stores.shown(new)) == is_used


class TestReadingLogs:
    def test_only_entries_after_the_positions_are_read(self, stores: Stores) -> None:
        for name in ("a", "b"):
            stores.open(name)
        for name in ("c", "d"):
            stores.open(name, "normal")
        for name in "abcd":
            for _ in range(3):
                stores.add(name, bytes(20_000))
        after = {"a" * 32: 2, "c" * 32: 1, "d" * 32: 3, "x" * 32: 9}
        entries = stores.log.entries(stores.data_sets.owner(ANNA), ["c" * 32, "d" * 32], after)
        assert sorted((entry.data_set_id[0], entry.number) for entry in entries) == [
            ("a", 3),
            ("b", 1),
            ("b", 2),
            ("b", 3),
            ("c", 2),
            ("c", 3),
        ]
        assert {entry.body for entry in entries} == {bytes(20_000)}


class TestCheckedStores:
    """Checks that the checked stores add to the ports, so that tests of compaction can trust them."""

    def test_they_refuse_to_write_a_committed_tile_again(self) -> None:
        stores = checked()
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, tiles(CBG)), [], NOW_MS)
        stores.tiles.write(attempt, contents(tiles(CBG)), {})
        for late in (tiles(CBG, value=2), tiles(BOLUS)):
            with pytest.raises(AssertionError, match="written again"):
                stores.tiles.write(attempt, contents(late), {})
        stores.sweep()
        with pytest.raises(AssertionError, match="written again"):
            stores.tiles.write(attempt, contents(tiles(CBG, value=2)), {})

    def test_they_refuse_to_commit_unwritten_tiles(self) -> None:
        stores = checked()
        attempt = stores.begin()
        with pytest.raises(AssertionError, match="was not written"):
            stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, tiles(CBG)), [], NOW_MS)

    def test_they_refuse_to_remove_an_epoch_that_was_not_erased(self) -> None:
        stores = checked()
        stores.data_sets.erase(ANNA, NOW_MS)
        stores.sweep_requests.remove_epoch(ANNA, 0)
        with pytest.raises(AssertionError, match="was not erased"):
            stores.sweep_requests.remove_epoch(ANNA, 1)

    def test_they_refuse_entries_out_of_order_or_under_a_number_that_is_taken(self) -> None:
        archive = CheckedArchive(memory_engine().objects)
        first, second = (Entry("a" * 32, number, EntryKind.ADD, NOW_MS, b"") for number in (1, 2))
        archive.put(OwnerState(ANNA), [first, second])
        archive.put(OwnerState(ANNA), [second])
        with pytest.raises(AssertionError, match="not in order"):
            archive.put(OwnerState(ANNA), [second, first])
        with pytest.raises(AssertionError, match="has this number"):
            archive.put(OwnerState(ANNA), [replace(first, body=b"another")])


class TestInterruptions:
    """A watch sees each call of an engine in memory before it is carried out, and may end the process there."""

    def test_a_watch_sees_each_write_of_a_compaction_and_its_sweep(self, one_write_a_batch: None) -> None:
        calls = WatchedCalls()
        engine = memory_engine(calls=calls)
        stores, archive = stores_on(engine), StoredArchive(engine.objects)
        steps: list[str] = []
        calls.watch = lambda call: None if call in READS else steps.append(call)
        stores.put(tiles(CBG))
        committed = ["TransactWriteItems", "BatchWriteItem", "TransactWriteItems", "UpdateItem"]
        assert steps == committed
        steps.clear()
        stores.tiles.write(stores.begin(), contents(tiles(BOLUS)), {BOLUS: [1]})
        assert steps == ["TransactWriteItems", "BatchWriteItem", "BatchWriteItem"]
        steps.clear()
        stores.sweep()
        mark_tile_origin_keys_and_newest = ["UpdateItem", *["BatchWriteItem"] * 3]
        assert steps == ["DeleteItem", *mark_tile_origin_keys_and_newest, "DeleteItem"]
        steps.clear()
        archive.put(OwnerState(ANNA), [Entry("a" * 32, 1, EntryKind.ADD, NOW_MS, b"")])
        archive.remove(OwnerState(ANNA))
        assert steps == ["objects.put", "objects.keys", "objects.delete"]

    @pytest.mark.parametrize("calls_before", range(4))
    def test_an_interrupted_compaction_leaves_nothing_after_its_sweep(
        self, one_write_a_batch: None, calls_before: int
    ) -> None:
        calls = WatchedCalls()
        engine = memory_engine(calls=calls)
        stores = stores_on(engine)
        left = iter(range(calls_before))

        def dies(call: str) -> None:
            if call not in READS and next(left, None) is None:
                raise InterruptedError

        with watched(calls, dies), pytest.raises(InterruptedError):
            write_and_commit(stores)
        stores.sweep()
        left_over = [item for item in stored_items(engine, DATA) if item["sk"] != "COMPACTION"]
        assert left_over == []


READS = ("GetItem", "BatchGetItem", "Query")


@pytest.fixture
def one_write_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a call of each write of a batch."""
    monkeypatch.setattr("chalicelib.engine.embedded.sqlite.MAX_BATCH_WRITES", 1)


def write_and_commit(stores: Stores) -> None:
    """Acquire a lease, write a tile and commit it."""
    attempt = stores.begin()
    stores.tiles.write(attempt, contents(tiles(CBG)), {CBG: [1]})
    stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, tiles(CBG)), [], NOW_MS)


def checked() -> Stores:
    """Checked stores on an engine in memory."""
    engine = memory_engine()
    return replace(stores_on(engine), tiles=CheckedTiles(engine), sweep_requests=CheckedSweepRequests(engine))
