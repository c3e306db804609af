"""What tiles cost in calls, what stands in parts, and what happens when others write in between. On DynamoDB only."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine import backoff as contention
from chalicelib.engine import dynamodb
from chalicelib.engine.attribute_values import to_values
from chalicelib.engine.aws import aws_engine
from chalicelib.engine.table import Item, Query
from chalicelib.errors import UnavailableError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import part_key, parts_partition
from chalicelib.tiles.manifest import Manifest, encode_manifest
from chalicelib.tiles.ports import CompactedRange
from chalicelib.tiles.stores import items as tile_contents
from chalicelib.tiles.stores import origin_index
from chalicelib.tiles.stores.keys import manifest_key, origin_index_partition, sweep_requests_partition, tiles_partition
from chalicelib.tiles.tile import TileKey
from tests.stores.log.test_calls import Wire, refusal
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.tiles.tile_scene import LATER_MS, LEASE_MS, Stores, after_attempt, contents, stores_of, tiles

CBG = TileKey("cbg", 20_454)
BOLUS = TileKey("bolus", 20_454)
QUARTER = [TileKey("cbg", 20_454 + day) for day in range(90)]
MANY = [TileKey("cbg", 20_454 + day) for day in range(150)]
MINUTE_MS = 60_000


@pytest.fixture
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores."""
    return stores_of("dynamodb", request)


@pytest.fixture
def wire(stores: Stores, stage: Settings) -> Iterator[Wire]:
    """The wire of the stores."""
    events = dynamodb.client(stage).meta.events
    wire = Wire(stage)
    handler: Any = wire  # botocore's stubs know of no handler that answers
    events.register("before-call.dynamodb", handler)
    yield wire
    events.unregister("before-call.dynamodb", handler)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Items that hold a hundred bytes."""
    monkeypatch.setattr(tile_contents, "PART_BYTES", 100)
    return 100


def noise(seed: str, count: int) -> str:
    """Text that hardly shrinks."""
    return "".join(hashlib.sha256(f"{seed}{place}".encode()).hexdigest() for place in range(count // 64 + 1))[:count]


def sort_keys(settings: Settings, partition: str) -> list[str]:
    """The sort keys of a partition."""
    return [item["sk"] for item in items(settings, partition)]


def items(settings: Settings, partition: str) -> list[Item]:
    """The items of a partition."""
    return list(aws_engine(settings).data.query(Query(partition)))


def stored_tiles(settings: Settings) -> list[str]:
    """The items of Anna's tiles."""
    return sort_keys(settings, tiles_partition(ANNA, 0))


class TestCalls:
    def test_the_current_manifest_is_one_read(self, stores: Stores, wire: Wire) -> None:
        for made in (tiles(), tiles(CBG)):
            stores.put(made)
            wire.requests.clear()
            stores.tiles.current(ANNA)
            assert wire.calls == {"BatchGetItem": 1}

    def test_ninety_days_are_one_read(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(*QUARTER))
        wire.requests.clear()
        assert len(stores.shown(committed)) == 90
        assert wire.calls == {"GetItem": 1, "BatchGetItem": 1}  # the scene reads the owner

    def test_a_read_has_a_hundred_items(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(*MANY))
        wire.requests.clear()
        assert len(stores.shown(committed)) == 150
        assert wire.calls["BatchGetItem"] == 2

    def test_a_read_is_no_larger_than_an_answer(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        committed = stores.put(tiles(*QUARTER))
        largest_bytes = max(place.visible_bytes for place in committed.tile_refs())
        monkeypatch.setattr(tile_contents, "READ_AT_ONCE_BYTES", 40 * largest_bytes)
        wire.requests.clear()
        assert len(stores.shown(committed)) == 90
        assert wire.calls["BatchGetItem"] == 3

    def test_beginning_is_a_read_and_a_transaction(self, stores: Stores, wire: Wire) -> None:
        stores.begin()
        assert wire.calls == {"GetItem": 2, "TransactWriteItems": 1}  # one of the reads is the scene's, of the owner

    def test_thirty_tiles_are_two_writes(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        wire.requests.clear()
        stores.tiles.write(attempt, contents(tiles(*QUARTER[:15], hidden=1)), {})
        assert wire.calls == {"BatchWriteItem": 2}

    def test_committing_is_one_transaction(self, stores: Stores, wire: Wire) -> None:
        before = stores.put(tiles(*QUARTER))
        attempt = stores.begin()
        made = tiles(*QUARTER, value=2)
        stores.tiles.write(attempt, contents(made), {})
        wire.requests.clear()
        compacted = [CompactedRange(f"{number:032x}", is_continuous=True, last_number=9) for number in range(200)]
        stores.tiles.commit(attempt, before, after_attempt(before, attempt, made), compacted, NOW_MS)
        assert wire.calls == {"TransactWriteItems": 1}

    def test_ending_is_one_write(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        wire.requests.clear()
        stores.tiles.release(attempt)
        assert wire.calls == {"UpdateItem": 1}

    def test_sweeping_what_was_replaced(self, stores: Stores, wire: Wire) -> None:
        stores.open()
        stores.add(body=bytes(20_000))
        stores.put(tiles(*QUARTER[:20]))
        stores.sweep()
        compacted = [CompactedRange("a" * 32, is_continuous=True, last_number=1)]
        stores.put(tiles(*QUARTER[:20], value=2), compacted=compacted, now_ms=NOW_MS + 1)
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        wire.requests.clear()
        assert stores.sweep_requests.sweep(request) == 21
        assert wire.calls == {"GetItem": 1, "BatchGetItem": 1, "Query": 6, "BatchWriteItem": 3, "DeleteItem": 1}

    def test_sweeping_an_attempt(self, stores: Stores, wire: Wire) -> None:
        stores.tiles.write(stores.begin(), contents(tiles(*QUARTER[:20])), {CBG: [1]})
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        wire.requests.clear()
        assert stores.sweep_requests.sweep(request) == 20
        called = {"GetItem": 1, "UpdateItem": 1, "BatchGetItem": 1, "Query": 2, "BatchWriteItem": 2, "DeleteItem": 1}
        assert wire.calls == called

    def test_a_mark_takes_no_call(self, stores: Stores, wire: Wire) -> None:
        stores.open()
        wire.requests.clear()
        stores.add()
        assert len(list(stores.backlogs.all())) == 1
        assert wire.calls["TransactWriteItems"] == 1
        assert "UpdateItem" not in wire.calls

    def test_what_a_reader_has_in_tiles_is_not_fetched(self, stores: Stores, wire: Wire) -> None:
        for name, data_set_type in (("a", "continuous"), ("b", "normal")):
            stores.open(name, data_set_type)
            for _ in range(2):
                stores.add(name, bytes(20_000))
        owner = stores.data_sets.owner(ANNA)
        wire.requests.clear()
        assert stores.log.entries(owner, ["b" * 32], {"a" * 32: 2, "b" * 32: 2}) == []
        assert wire.calls == {"Query": 2}


class TestParts:
    def test_a_large_tile_stands_in_parts(self, stores: Stores, stage: Settings) -> None:
        made = tiles(CBG, hidden=2, note=noise("a", 400_000)) | tiles(BOLUS)
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

    def test_many_parts_come_together_in_their_order(self, stores: Stores, stage: Settings, small_parts: int) -> None:
        made = tiles(CBG, hidden=30, note=noise("a", 2000)) | tiles(BOLUS, note=noise("b", 1500))
        committed = stores.put(made)
        assert len(stored_tiles(stage)) > 25
        shown = stores.shown(committed)
        assert {key: made[key][0].visible.endswith(shown[key]) for key in made} == {CBG: True, BOLUS: True}
        found = stores.tiles.tiles(stores.data_sets.owner(ANNA), list(committed.tile_refs()), {CBG, BOLUS})
        assert [len(run.rows) for run in found[CBG].slices().values()] == [31]

    def test_a_large_manifest_stands_in_parts(
        self, stores: Stores, stage: Settings, wire: Wire, small_parts: int
    ) -> None:
        committed = stores.put(tiles(*QUARTER))
        names = [sort_key for sort_key in stored_tiles(stage) if "=SNAPSHOT" in sort_key]
        assert len(names) == -(-len(encode_manifest(committed)) // small_parts) > 1
        wire.requests.clear()
        assert encode_manifest(stores.tiles.current(ANNA)[1]) == encode_manifest(committed)
        assert wire.calls == {"BatchGetItem": 2}

    def test_everything_that_was_replaced_goes(self, stores: Stores, stage: Settings, small_parts: int) -> None:
        stores.put(tiles(*QUARTER, hidden=2, note=noise("a", 300)))
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

    def test_an_attempt_in_parts_goes_as_a_whole(self, stores: Stores, stage: Settings, small_parts: int) -> None:
        mine = stores.begin()
        made = tiles(*QUARTER, hidden=1)
        stores.tiles.write(mine, contents(made), {CBG: [1]})
        stores.begin("other", NOW_MS + LEASE_MS)
        with pytest.raises(WriteConflictError):
            stores.tiles.commit(mine, Manifest(), after_attempt(Manifest(), mine, made), [], NOW_MS)
        assert any("=SNAPSHOT" in sort_key for sort_key in stored_tiles(stage))
        assert stores.sweep() == 90
        assert stored_tiles(stage) == []
        assert sort_keys(stage, origin_index_partition(ANNA, 0)) == []

    def test_notes_are_cut_to_fit_into_items(self, stores: Stores, stage: Settings) -> None:
        attempt = stores.begin()
        stores.tiles.write(attempt, {}, {CBG: list(range(200_000)), BOLUS: [1]})
        stores.tiles.write(attempt, {}, {CBG: list(range(200_000)), BOLUS: [1]})
        assert len(sort_keys(stage, origin_index_partition(ANNA, 0))) == 3
        for note in origin_index.encode_segments({CBG: list(range(200_000)), BOLUS: [1]}):
            assert len(note) <= origin_index.SEGMENT_BYTES

    def test_a_note_of_another_format_is_refused(self) -> None:
        (note,) = origin_index.encode_segments({CBG: [1]})
        with pytest.raises(ValueError, match="unknown format 2"):
            origin_index.decode_segment(b"\x02" + note[1:])

    def test_an_erased_epoch_goes_as_a_whole(self, stores: Stores, stage: Settings, small_parts: int) -> None:
        stores.put(tiles(*QUARTER))
        stores.put(tiles(*QUARTER, value=2))
        stores.data_sets.erase(ANNA, NOW_MS)
        stores.sweep_requests.remove_epoch(ANNA, 0)
        assert stored_tiles(stage) == []
        assert stores.sweep() == 0
        assert sort_keys(stage, sweep_requests_partition()) == []


class TestOthersInBetween:
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

    def test_of_two_that_begin_at_once_one_does(self, stores: Stores, wire: Wire) -> None:
        owner = stores.data_sets.owner(ANNA)
        stores.begin("me", NOW_MS - 2 * LEASE_MS)

        def begins_too() -> None:
            stores.begin("other")

        wire.before["TransactWriteItems"] = [begins_too]
        assert stores.tiles.acquire(owner, "me", NOW_MS, NOW_MS + LEASE_MS) is None

    def test_the_first_of_all_attempts_is_one(self, stores: Stores, wire: Wire) -> None:
        owner = stores.data_sets.owner(ANNA)

        def begins_too() -> None:
            stores.begin("other")

        wire.before["TransactWriteItems"] = [begins_too]
        assert stores.tiles.acquire(owner, "me", NOW_MS, NOW_MS + LEASE_MS) is None

    @pytest.mark.parametrize("operation", ["begin", "commit"])
    def test_who_meets_an_add_tries_again(self, stores: Stores, wire: Wire, operation: str) -> None:
        met = refusal("TransactionCanceledException", "TransactionConflict", "None", "None", "None", "None")
        attempt = stores.begin()
        wire.instead["TransactWriteItems"] = [met, met]
        if operation == "begin":
            assert stores.begin().fencing_token == attempt.fencing_token + 1
        else:
            stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, {}), [], NOW_MS)
        assert len(wire.tokens) == 4
        assert len(set(wire.tokens)) == 2  # the transaction is sent again with its token

    def test_a_commit_during_a_sweep_is_refused(self, stores: Stores, wire: Wire, stage: Settings) -> None:
        attempt = stores.begin()
        made = tiles(CBG)
        stores.tiles.write(attempt, contents(made), {})

        def commits() -> None:
            with pytest.raises(WriteConflictError):
                stores.tiles.commit(attempt, Manifest(), after_attempt(Manifest(), attempt, made), [], NOW_MS)

        wire.before["BatchWriteItem"] = [commits]
        assert stores.sweep() == 1
        assert stored_tiles(stage) == []

    def test_a_sweep_during_a_commit_takes_nothing(self, stores: Stores, wire: Wire) -> None:
        attempt = stores.begin()
        made = tiles(CBG)
        stores.tiles.write(attempt, contents(made), {})
        after = after_attempt(Manifest(), attempt, made)
        wire.before["UpdateItem"] = [lambda: stores.tiles.commit(attempt, Manifest(), after, [], NOW_MS)]
        (request,) = stores.sweep_requests.older_than(LATER_MS)
        assert stores.sweep_requests.sweep(request) == 0
        assert list(stores.shown(after)) == [CBG]

    def test_a_tile_of_the_current_manifest_is_never_taken(self, stores: Stores, stage: Settings) -> None:
        """Not even by a request that names it."""
        first = stores.put(tiles(CBG))
        data = aws_engine(stage).data
        pointer = data.get(manifest_key(ANNA))
        assert pointer is not None
        stores.put({}, gone=[CBG])
        data.put(pointer)
        assert stores.sweep() == 0
        assert list(stores.shown(first)) == [CBG]


class TestDying:
    @pytest.mark.parametrize("writes", range(8))
    def test_a_sweep_that_died_is_carried_out_by_the_next(
        self, stores: Stores, stage: Settings, wire: Wire, small_parts: int, writes: int
    ) -> None:
        stores.open()
        for _ in range(3):
            stores.add(body=bytes(10_000))
        stores.put(tiles(*QUARTER[:20], hidden=1))
        stores.put(tiles(CBG, value=2), gone=QUARTER[1:], compacted=[CompactedRange("a" * 32, True, 2)])
        attempt = stores.begin()
        stores.tiles.write(attempt, contents(tiles(BOLUS, hidden=1)), {BOLUS: [1]})
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

    def test_parts_of_bodies_go_with_their_entries_and_so_do_strays(
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


class TestLagging:
    """Tiles are read eventually consistent, at half the price."""

    def test_what_lags_behind_is_asked_for_once_more(self, stores: Stores, wire: Wire) -> None:
        committed = stores.put(tiles(CBG, BOLUS))
        table = wire.settings.data_table
        stored = [to_values(item) for item in items(wire.settings, tiles_partition(ANNA, 0))]
        wire.instead["BatchGetItem"] = [answer({"Responses": {table: stored[:1]}, "UnprocessedKeys": {}})]
        wire.requests.clear()
        read = stores.tiles.tiles(OwnerState(ANNA), list(committed.tile_refs()), ())
        assert read.keys() == {CBG, BOLUS}
        asked = [json.loads(request["body"])["RequestItems"][table] for _, request in wire.requests]
        assert [(len(each["Keys"]), each["ConsistentRead"]) for each in asked] == [(2, False), (1, True)]


class TestHeldBack:
    def test_a_read_goes_on_as_long_as_it_gets_anywhere(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(contention, "pause_after", lambda attempt: None)
        committed = stores.put(tiles(*QUARTER))
        table = wire.settings.data_table
        places = list(committed.tile_refs())
        owner = stores.data_sets.owner(ANNA)
        answers = []
        stored = [to_values(item) for item in items(wire.settings, tiles_partition(ANNA, 0))]
        for place in range(30):
            left = [{"pk": item["pk"], "sk": item["sk"]} for item in stored[place + 1 :]]
            answers.append(
                answer(
                    {
                        "Responses": {table: [stored[place]]},
                        "UnprocessedKeys": {table: {"Keys": left, "ConsistentRead": True}},
                    }
                )
            )
        wire.instead["BatchGetItem"] = answers
        wire.requests.clear()
        assert len(stores.tiles.tiles(owner, places, ())) == 90
        assert wire.calls == {"BatchGetItem": 31}

    def test_a_read_that_gets_nowhere_is_given_up(
        self, stores: Stores, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(contention, "pause_after", lambda attempt: None)
        committed = stores.put(tiles(CBG))
        table = wire.settings.data_table
        nothing = {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": [], "ConsistentRead": True}}}
        wire.instead["BatchGetItem"] = [answer(nothing)] * 99
        wire.requests.clear()
        with pytest.raises(UnavailableError):
            stores.tiles.tiles(OwnerState(ANNA), list(committed.tile_refs()), ())
        assert wire.calls == {"BatchGetItem": contention.TRIES}

    @pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem", "TransactWriteItems"])
    def test_throttling_is_unavailable(self, stores: Stores, wire: Wire, operation: str) -> None:
        wire.instead[operation] = [refusal("ThrottlingException")] * 9
        with pytest.raises(UnavailableError):
            stores.put(tiles(CBG))


def answer(body: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    """What DynamoDB answers."""
    return AWSResponse("", 200, HTTPHeaders(), None), body
