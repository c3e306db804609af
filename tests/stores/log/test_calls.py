"""The calls of adding and reading data, and races with other writers. On DynamoDB only."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.access.call import Caller, Session
from chalicelib.access.policy import DATA_SET_DELETERS, UPLOADERS
from chalicelib.accounts.stores.sessions import StoredSessions, session_item
from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.data_sets import lifecycle as rules
from chalicelib.engine.aws.attribute_values import to_values
from chalicelib.engine.aws.dynamodb import MAX_BATCH_WRITES
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.aws.json_transport import encoded
from chalicelib.engine.backoff import MAX_ATTEMPTS
from chalicelib.errors import DataSetClosedError, DataSetNotFoundError, UnavailableError
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import EntryKind, NewEntry
from chalicelib.log.ports import DataPorts
from chalicelib.log.stores import record_log
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.keys import part_key
from chalicelib.log.stores.record_log import PART_BYTES, StoredRecordLog
from chalicelib.reading.read_ahead import HEAD
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.uploads import add as uploads
from tests.engine.sent import hooked, refusal
from tests.fakes.calls import NO_GRANTS, call_by
from tests.stores.log.test_data_stores import ANNA, NOW_MS, closed, data_set

Calls = Counter[str]


@dataclass
class Wire:
    """The requests to DynamoDB; a test may run code before one, or answer in DynamoDB's place."""

    settings: Settings
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    instead: dict[str, list[ClientError | Mapping[str, Any]]] = field(default_factory=dict)

    def __call__(self, operation: str, request: dict[str, Any]) -> Mapping[str, Any] | None:
        waiting = self.before.get(operation)
        if waiting:
            waiting.pop(0)()
        self.requests.append((operation, request))
        answers = self.instead.get(operation)
        answer = answers.pop(0) if answers else None
        if isinstance(answer, ClientError):
            raise answer
        return answer

    @property
    def data_sets(self) -> StoredDataSets:
        """The data sets of the stage."""
        return StoredDataSets(aws_engine(self.settings).data)

    @property
    def log(self) -> StoredRecordLog:
        """The record log of the stage."""
        return StoredRecordLog(aws_engine(self.settings).data)

    @property
    def calls(self) -> Calls:
        return Counter(name for name, _ in self.requests)

    @property
    def tokens(self) -> list[str]:
        """The token of each transaction, by which DynamoDB recognizes a request that the SDK sends again."""
        return [request["ClientRequestToken"] for name, request in self.requests if name == "TransactWriteItems"]


@pytest.fixture
def wire(stage: Settings) -> Iterator[Wire]:
    """The wire of an empty stage with one data set and its owner's session."""
    StoredDataSets(aws_engine(stage).data).create(data_set())
    session = Session("hash", ANNA, is_server=False, created_time_ms=NOW_MS, expires_time_ms=NOW_MS + 1)
    aws_engine(stage).accounts.put(session_item(session))
    wire = Wire(stage)
    with hooked(wire):
        yield wire


def cbg(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Readings five minutes apart."""
    return [
        {
            "type": "cbg",
            "time": f"2026-01-{1 + place // 288:02d}T{place // 12 % 24:02d}:{place % 12 * 5:02d}:00Z",
            "units": "mg/dL",
            "value": 60 + place * 7919 % 240,
            "origin": {"id": f"{place * 2654435761 % 2**64:032x}"},
        }
        for place in range(first, first + count)
    ]


def add(settings: Settings, items: list[dict[str, Any]]) -> None:
    """Add data as the owner, as one request does."""
    ids = iter(range(2**32))
    engine = aws_engine(settings)
    with sessions_ahead(engine, StoredSessions(engine.accounts))([(HEAD, "a" * 32)]) as sessions:
        assert sessions.find("hash") is not None
        uploads.append_data(
            call_by(Caller(user_id=ANNA), UPLOADERS, NO_GRANTS, NOW_MS, lambda: f"{next(ids):032x}"),
            "a" * 32,
            lambda: items,
            DataPorts(StoredDataSets(engine.data), StoredRecordLog(engine.data)),
        )


class TestCalls:
    def test_a_small_add_takes_two_calls(self, wire: Wire) -> None:
        add(wire.settings, cbg(12))
        assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}

    @pytest.mark.parametrize("count", [1000, 2500])
    def test_a_large_add_takes_three_calls(self, wire: Wire, count: int) -> None:
        add(wire.settings, cbg(count))
        assert wire.calls == {"BatchGetItem": 1, "BatchWriteItem": 1, "TransactWriteItems": 1}

    def test_adding_the_same_again_takes_the_same_calls(self, wire: Wire) -> None:
        add(wire.settings, cbg(1000))
        first = wire.calls
        add(wire.settings, cbg(1000))
        assert wire.calls - first == first

    def test_a_thousand_readings_write_few_units(self, wire: Wire) -> None:
        add(wire.settings, cbg(1000))
        staged = next(encoded(request) for name, request in wire.requests if name == "BatchWriteItem")
        # Base64 makes four bytes of three; a unit is 1 KB, and the transaction writes three small items at twice that.
        units = len(staged) * 3 / 4 / 1024 + 6
        assert units / 1000 <= 0.2

    def test_the_transaction_of_a_large_add_is_small(self, wire: Wire) -> None:
        add(wire.settings, cbg(2500))
        transaction = next(encoded(request) for name, request in wire.requests if name == "TransactWriteItems")
        assert len(transaction) < 2304

    def test_each_transaction_has_a_token_of_its_own(self, wire: Wire) -> None:
        """A transaction that the SDK sends again after a lost reply has the same token and is carried out once."""
        for _ in range(3):
            add(wire.settings, cbg(1))
        assert len(set(wire.tokens)) == len(wire.tokens) == 3
        assert all(1 <= len(token) <= 36 for token in wire.tokens)

    def test_reading_is_one_query_and_the_parts(self, wire: Wire) -> None:
        for first in range(0, 5000, 1000):
            add(wire.settings, cbg(1000, first))
        wire.requests.clear()
        assert len(wire.log.entries(OwnerState(ANNA), [])) == 5
        assert wire.calls == {"Query": 1, "BatchGetItem": 1}

    def test_entries_one_by_one_are_read_when_they_are_taken(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record_log, "READ_AHEAD_BYTES", 2 * PART_BYTES)
        for first in range(0, 5000, 1000):
            add(wire.settings, cbg(1000, first))
        wire.requests.clear()
        entries = wire.log.each_entry(OwnerState(ANNA), [])
        assert [next(entries).number, next(entries).number] == [1, 2]
        assert wire.calls == {"Query": 1, "BatchGetItem": 1}
        assert [entry.number for entry in entries] == [3, 4, 5]
        assert wire.calls == {"Query": 1, "BatchGetItem": 3}

    def test_more_parts_than_a_batch_holds_are_read(self, wire: Wire) -> None:
        log = wire.log
        head = wire.data_sets.head("a" * 32)
        assert head is not None
        body = bytes(PART_BYTES * MAX_BATCH_WRITES + 1)
        wire.requests.clear()
        log.append(head, NewEntry(EntryKind.ADD, NOW_MS, body))
        assert wire.calls == {"BatchWriteItem": 2, "TransactWriteItems": 1}
        assert [entry.body for entry in log.entries(OwnerState(ANNA), [])] == [body]

    def test_a_list_of_data_sets_is_one_query(self, wire: Wire) -> None:
        for name in "bcdef":
            wire.data_sets.create(data_set(name))
        wire.requests.clear()
        assert len(wire.data_sets.of_owner(OwnerState(ANNA))) == 6
        assert wire.calls == {"Query": 1}

    @pytest.mark.parametrize("change", ["close", "delete"])
    def test_a_change_of_a_data_set_is_one_write(self, wire: Wire, change: str) -> None:
        add(wire.settings, cbg(1000))
        wire.requests.clear()
        {"close": close, "delete": delete}[change](wire.settings)
        assert wire.calls == {"GetItem": 2, "Query": 1, "TransactWriteItems": 1}


def data_ports(settings: Settings) -> DataPorts:
    """The stores of data sets and logs of a stage."""
    data = aws_engine(settings).data
    return DataPorts(StoredDataSets(data), StoredRecordLog(data))


def close(settings: Settings) -> None:
    """Close the data set as its owner."""
    rules.update(
        call_by(Caller(user_id=ANNA), UPLOADERS, NO_GRANTS, NOW_MS),
        "a" * 32,
        lambda: {"dataState": "closed"},
        data_ports(settings),
    )


def delete(settings: Settings) -> None:
    """Delete the data set as its owner."""
    rules.delete(
        call_by(Caller(user_id=ANNA), DATA_SET_DELETERS, NO_GRANTS, NOW_MS),
        "a" * 32,
        data_ports(settings),
    )


def numbers(settings: Settings) -> list[int]:
    """The numbers of the entries that are kept."""
    return [entry.number for entry in StoredRecordLog(aws_engine(settings).data).entries(OwnerState(ANNA), [])]


def stored(settings: Settings) -> DataSet:
    """The current data set."""
    data_sets = StoredDataSets(aws_engine(settings).data)
    (found,) = data_sets.of_owner(data_sets.owner(ANNA))
    return found


class TestRaces:
    def test_an_add_that_comes_first_takes_the_number(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: add(wire.settings, cbg(1))]
        add(wire.settings, cbg(1, 1))
        assert numbers(wire.settings) == [1, 2]

    def test_losing_the_number_repeats_the_last_step_only(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: add(wire.settings, cbg(1))]
        add(wire.settings, cbg(1000))
        assert wire.calls == {"BatchGetItem": 2, "BatchWriteItem": 1, "TransactWriteItems": 3}
        assert numbers(wire.settings) == [1, 2]

    def test_losing_every_number_is_unavailable(self, wire: Wire) -> None:
        def other() -> None:
            log, head = wire.log, wire.data_sets.head("a" * 32)
            assert head is not None
            log.append(head, NewEntry(EntryKind.ADD, NOW_MS, b"other"))

        # Each attempt of ours is preceded by an add of another, whose own transaction runs undisturbed.
        wire.before["TransactWriteItems"] = [action for _ in range(MAX_ATTEMPTS) for action in (other, lambda: None)]
        with pytest.raises(UnavailableError):
            add(wire.settings, cbg(1))
        assert numbers(wire.settings) == list(range(1, MAX_ATTEMPTS + 1))

    def test_an_add_after_a_close_is_refused(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: close(wire.settings)]
        with pytest.raises(DataSetClosedError):
            add(wire.settings, cbg(1))
        assert numbers(wire.settings) == []

    def test_a_close_after_an_add_keeps_it(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: add(wire.settings, cbg(1))]
        close(wire.settings)
        assert numbers(wire.settings) == [1]
        assert stored(wire.settings).is_closed

    def test_an_add_after_erasing_finds_nothing(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: wire.data_sets.erase(ANNA, NOW_MS)]
        with pytest.raises(DataSetNotFoundError):
            add(wire.settings, cbg(1))

    def test_an_add_before_a_delete_is_deleted(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: add(wire.settings, cbg(1))]
        delete(wire.settings)
        assert stored(wire.settings).deleted_through == 1

    def test_of_two_closings_one_is_refused(self, wire: Wire) -> None:
        wire.before["TransactWriteItems"] = [lambda: close(wire.settings)]
        with pytest.raises(DataSetClosedError):
            close(wire.settings)
        assert wire.data_sets.owner(ANNA).close_count == 1

    def test_two_data_sets_that_close_have_two_sequence_numbers(self, wire: Wire) -> None:
        data_sets = wire.data_sets
        other = data_set("b")
        data_sets.create(other)
        wire.before["TransactWriteItems"] = [lambda: data_sets.replace(other, closed(other, 1))]
        close(wire.settings)
        orders = {data_set.id[0]: data_set.close_sequence for data_set in data_sets.of_owner(OwnerState(ANNA))}
        assert orders == {"a": 2, "b": 1}

    def test_a_later_state_is_not_overwritten(self, wire: Wire) -> None:
        data_sets, before = wire.data_sets, stored(wire.settings)
        first = replace(before, revision=2, state_version=2)
        wire.before["TransactWriteItems"] = [lambda: data_sets.replace(before, first)]
        with pytest.raises(WriteConflictError):
            data_sets.replace(before, replace(before, revision=9, state_version=2))
        assert stored(wire.settings) == first


class TestRefusals:
    """Refusals of a busy DynamoDB, which moto never sends."""

    @pytest.fixture(autouse=True)
    def pauses(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The pauses that were made, without making them."""
        made: list[float] = []
        monkeypatch.setattr("time.sleep", made.append)
        return made

    conflict = refusal("TransactionCanceledException", "TransactionConflict", "None", "None")

    def test_a_conflict_is_tried_again_after_a_pause(self, wire: Wire, pauses: list[float]) -> None:
        wire.instead["TransactWriteItems"] = [self.conflict] * 3
        add(wire.settings, cbg(1))
        assert numbers(wire.settings) == [1]
        assert len(pauses) == 3
        assert max(pauses) <= 0.1

    @pytest.mark.parametrize("change", [close, delete])
    def test_a_conflict_of_a_change_is_tried_again_too(self, wire: Wire, change: Callable[[Settings], None]) -> None:
        wire.instead["TransactWriteItems"] = [self.conflict]
        change(wire.settings)
        assert stored(wire.settings).state_version == 2

    def test_a_conflict_at_each_attempt_is_unavailable(self, wire: Wire) -> None:
        wire.instead["TransactWriteItems"] = [self.conflict] * MAX_ATTEMPTS
        with pytest.raises(UnavailableError):
            add(wire.settings, cbg(1))
        assert wire.calls["TransactWriteItems"] == MAX_ATTEMPTS
        assert numbers(wire.settings) == []

    @pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem", "TransactWriteItems"])
    @pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
    def test_throttling_is_unavailable(self, wire: Wire, operation: str, code: str) -> None:
        wire.instead[operation] = [refusal(code)] * 9
        with pytest.raises(UnavailableError):
            add(wire.settings, cbg(1000))
        assert numbers(wire.settings) == []

    @pytest.mark.parametrize("code", ["ResourceNotFoundException", "ValidationException"])
    def test_a_defect_stays_a_defect(self, wire: Wire, code: str) -> None:
        wire.instead["TransactWriteItems"] = [refusal(code)]
        with pytest.raises(RuntimeError, match=code):
            add(wire.settings, cbg(1))

    def test_unprocessed_items_of_a_batch_are_put_again(self, wire: Wire) -> None:
        put = {"PutRequest": {"Item": to_values(part_key("a" * 32, "left", 0) | {"body": b"left"})}}
        left = {"UnprocessedItems": {wire.settings.data_table: [put]}}
        wire.instead["BatchWriteItem"] = [left]
        add(wire.settings, cbg(1000))
        assert wire.calls["BatchWriteItem"] == 2
        assert b"left" in encoded(wire.requests[-2][1])

    def test_the_head_is_read_when_the_refusal_does_not_return_it(self, wire: Wire) -> None:
        """Not every DynamoDB knows ReturnValuesOnConditionCheckFailure."""
        add(wire.settings, cbg(1))
        lost = refusal("TransactionCanceledException", "ConditionalCheckFailed", "None", "None")
        wire.instead["TransactWriteItems"] = [lost]
        add(wire.settings, cbg(1, 1))
        assert numbers(wire.settings) == [1, 2]
        assert wire.calls["GetItem"] == 1
