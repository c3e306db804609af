"""Tests compactions and sweeps that meet other writers, or are interrupted. On DynamoDB only."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine import backoff
from chalicelib.engine.aws.attribute_values import to_values
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.errors import UnavailableError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import part_key, parts_partition
from chalicelib.tiles.manifest import Manifest, encode_manifest
from chalicelib.tiles.ports import CompactedRange
from chalicelib.tiles.stores.keys import manifest_key, origin_index_partition, sweep_requests_partition, tiles_partition
from tests.engine.sent import refusal
from tests.stores.log.test_calls import Wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.tiles.tile_items import items, sort_keys, stored_tiles
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

MINUTE_MS = 60_000


@pytest.fixture
def stores(stage: Settings) -> Stores:
    """Empty stores on DynamoDB."""
    return stores_on(aws_engine(stage))


class TestConcurrentWriters:
    def test_a_reader_whose_manifest_was_swept_reads_again(self, stores: Stores, wire: Wire, small_parts: int) -> None:
        stores.put(tiles(*QUARTER))
        second: list[Manifest] = []

        def replaced() -> None:
            second.append(stores.put(tiles(*QUARTER, value=2)))
            stores.sweep()

        wire.before["BatchGetItem"] = [lambda: None, replaced]
        current = stores.tiles.current(ANNA)[1]
        assert encode_manifest(current) == encode_manifest(second[0])
        assert current.version == second[0].version

    def test_one_of_two_concurrent_compactions_gets_the_lease(self, stores: Stores, wire: Wire) -> None:
        owner = stores.data_sets.owner(ANNA)
        stores.begin("me", NOW_MS - 2 * LEASE_MS)

        def begins_too() -> None:
            stores.begin("other")

        wire.before["TransactWriteItems"] = [begins_too]
        assert stores.tiles.acquire(owner, "me", NOW_MS, NOW_MS + LEASE_MS) is None

    def test_one_of_two_concurrent_first_compactions_gets_the_lease(self, stores: Stores, wire: Wire) -> None:
        owner = stores.data_sets.owner(ANNA)

        def begins_too() -> None:
            stores.begin("other")

        wire.before["TransactWriteItems"] = [begins_too]
        assert stores.tiles.acquire(owner, "me", NOW_MS, NOW_MS + LEASE_MS) is None

    @pytest.mark.parametrize("operation", ["begin", "commit"])
    def test_a_compaction_that_conflicts_with_an_add_tries_again(
        self, stores: Stores, wire: Wire, operation: str
    ) -> None:
        met = refusal("TransactionCanceledException", "TransactionConflict", "None", "None", "None", "None")
        attempt = stores.begin()
        wire.instead["TransactWriteItems"] = [met, met]
        if operation == "begin":
            assert stores.begin().fencing_token == attempt.fencing_token + 1
        else:
            stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, {}), [], NOW_MS)
        assert len(wire.tokens) == 4
        assert len(set(wire.tokens)) == 2  # each transaction is sent again with its token

    def test_a_commit_during_the_sweep_of_its_tiles_is_refused(
        self, stores: Stores, wire: Wire, stage: Settings
    ) -> None:
        attempt = stores.begin()
        made = tiles(CBG)
        stores.tiles.write(attempt, contents(made), {})

        def commits() -> None:
            with pytest.raises(WriteConflictError):
                stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, made), [], NOW_MS)

        wire.before["BatchWriteItem"] = [commits]
        assert stores.sweep() == 1
        assert stored_tiles(stage) == []

    def test_a_sweep_during_a_commit_removes_nothing(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        made = tiles(CBG)
        stores.tiles.write(attempt, contents(made), {})
        after = after_attempt(Manifest(), attempt, made)
        wire.before["UpdateItem"] = [lambda: stores.tiles.commit(attempt, Manifest(), after, [], NOW_MS)]
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        assert stores.sweep_requests.sweep(request) == 0
        assert list(stores.shown(after)) == [CBG]

    def test_a_tile_of_the_current_manifest_is_never_swept(self, stores: Stores, stage: Settings) -> None:
        """The sweep request names the tile, and the tile stays."""
        first = stores.put(tiles(CBG))
        data = aws_engine(stage).data
        pointer = data.get(manifest_key(ANNA))
        assert pointer is not None
        stores.put({}, gone=[CBG])
        data.put(pointer)
        assert stores.sweep() == 0
        assert list(stores.shown(first)) == [CBG]


class TestInterruptedSweeps:
    @pytest.mark.parametrize("writes", range(8))
    def test_an_interrupted_sweep_is_completed_by_the_next(
        self, stores: Stores, stage: Settings, wire: Wire, small_parts: int, writes: int
    ) -> None:
        stores.open()
        for _ in range(3):
            stores.add(body=bytes(10_000))
        stores.put(tiles(*QUARTER[:20], shadowed=1))
        stores.put(tiles(CBG, value=2), gone=QUARTER[1:], compacted=[CompactedRange("a" * 32, True, 2)])
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(BOLUS, shadowed=1)), {BOLUS: [1]})
        shown = stores.shown(stores.tiles.current(ANNA)[1])
        left = [writes]

        def dies() -> None:
            if not left[0]:
                raise InterruptedError
            left[0] -= 1

        for operation in ("BatchWriteItem", "DeleteItem", "UpdateItem"):
            wire.before[operation] = [dies] * 99
        with pytest.raises(InterruptedError):
            stores.sweep()
        for operation in ("BatchWriteItem", "DeleteItem", "UpdateItem"):
            wire.before[operation] = []
        stores.sweep()
        assert stores.shown(stores.tiles.current(ANNA)[1]) == shown
        assert {sort_key.split("#")[0] for sort_key in stored_tiles(stage)} == {f"{attempt.fencing_token - 1:012d}"}
        assert not any("=REPLACED" in sort_key for sort_key in stored_tiles(stage))
        assert sort_keys(stage, origin_index_partition(ANNA, 0)) == []
        assert sort_keys(stage, sweep_requests_partition()) == []
        assert stores.numbers() == [("a", 3)]
        assert len(sort_keys(stage, parts_partition("a" * 32))) == 3

    def test_sweeping_entries_removes_their_parts_and_old_strays(
        self, stores: Stores, stage: Settings, wire: Wire
    ) -> None:
        stores.open()
        stores.open("b", "normal")
        for name in "ab":
            for _ in range(2):
                stores.add(name, bytes(400_000))
        for time_ms in (NOW_MS - MINUTE_MS, NOW_MS + 2 * MINUTE_MS):
            stray = part_key("a" * 32, f"{time_ms:013d}#0123456789abcdef", 0)
            aws_engine(stage).data.put(stray | {"body": b"stray"})
        assert len(sort_keys(stage, parts_partition("a" * 32))) == 6
        compacted = [CompactedRange("a" * 32, True, 1), CompactedRange("b" * 32, False, 2)]
        stores.put({}, compacted=compacted, now_ms=NOW_MS + MINUTE_MS)
        assert stores.sweep() == 3
        left = sort_keys(stage, parts_partition("a" * 32))
        assert [sort_key[:13] for sort_key in left] == [str(NOW_MS)] * 2 + [str(NOW_MS + 2 * MINUTE_MS)]
        assert sort_keys(stage, parts_partition("b" * 32)) == []
        (entry,) = stores.log.entries(OwnerState(ANNA), [])
        assert entry.body == bytes(400_000)


class TestEventuallyConsistentReads:
    """Tiles are read eventually consistent, at half the price."""

    def test_items_missing_from_an_eventually_consistent_read_are_read_again(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(CBG, BOLUS))
        table = wire.settings.data_table
        stored = [to_values(item) for item in items(wire.settings, tiles_partition(ANNA, 0))]
        wire.instead["BatchGetItem"] = [{"Responses": {table: stored[:1]}, "UnprocessedKeys": {}}]
        wire.requests.clear()
        read = stores.tiles.tiles(OwnerState(ANNA), list(committed.tile_refs()), ())
        assert read.keys() == {CBG, BOLUS}
        asked = [request["RequestItems"][table] for _, request in wire.requests]
        assert [(len(request["Keys"]), request["ConsistentRead"]) for request in asked] == [(2, False), (1, True)]


class TestThrottledReads:
    def test_a_batch_read_continues_while_it_makes_progress(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff, "pause_after", lambda attempt: None)
        committed = stores.put(tiles(*QUARTER))
        table = wire.settings.data_table
        refs = list(committed.tile_refs())
        owner = stores.data_sets.owner(ANNA)
        answers: list[ClientError | Mapping[str, Any]] = []
        stored = [to_values(item) for item in items(wire.settings, tiles_partition(ANNA, 0))]
        for index in range(30):
            left = [{"pk": item["pk"], "sk": item["sk"]} for item in stored[index + 1 :]]
            answers.append(
                {
                    "Responses": {table: [stored[index]]},
                    "UnprocessedKeys": {table: {"Keys": left, "ConsistentRead": True}},
                }
            )
        wire.instead["BatchGetItem"] = answers
        wire.requests.clear()
        assert len(stores.tiles.tiles(owner, refs, ())) == 90
        assert wire.calls == {"BatchGetItem": 31}

    def test_a_batch_read_without_progress_is_unavailable(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backoff, "pause_after", lambda attempt: None)
        committed = stores.put(tiles(CBG))
        table = wire.settings.data_table
        nothing = {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": [], "ConsistentRead": True}}}
        wire.instead["BatchGetItem"] = [nothing] * 99
        wire.requests.clear()
        with pytest.raises(UnavailableError):
            stores.tiles.tiles(OwnerState(ANNA), list(committed.tile_refs()), ())
        assert wire.calls == {"BatchGetItem": backoff.MAX_ATTEMPTS}

    @pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem", "TransactWriteItems"])
    def test_throttling_is_unavailable(self, stores: Stores, wire: Wire, operation: str) -> None:
        wire.instead[operation] = [refusal("ThrottlingException")] * 9
        with pytest.raises(UnavailableError):
            stores.put(tiles(CBG))
