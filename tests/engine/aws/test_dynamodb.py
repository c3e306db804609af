"""Tests the requests of the engine to DynamoDB, and its handling of replies that moto never gives."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)

from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import DynamoTables
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.backoff import MAX_ATTEMPTS
from chalicelib.engine.conditions import absent, equals, exists
from chalicelib.engine.definitions import ACCOUNTS, BLOBS, DATA, TASKS
from chalicelib.engine.errors import (
    ConditionFailedError,
    TransactionConflictError,
    TransactionRefusedError,
)
from chalicelib.engine.table import Check, Delete, Prefix, Put, Query, Range, Update, Write
from chalicelib.errors import UnavailableError

KEY = {"pk": "p", "sk": "s"}
KEY_VALUES = {"pk": {"S": "p"}, "sk": {"S": "s"}}
NAME = "strandline-test-accounts"

Answer = dict[str, Any] | Exception


class Wire:
    """A transport that keeps what is sent, and answers what it was told to, then nothing in particular."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Answer] = []

    def __call__(self, operation: str, request: dict[str, Any]) -> Any:
        self.sent.append((operation, request))
        answer = self.answers.pop(0) if self.answers else {"Responses": {}, "Items": []}
        with engine_errors():
            if isinstance(answer, Exception):
                raise answer
        return answer

    @property
    def operations(self) -> list[str]:
        """The operations of what was sent."""
        return [operation for operation, _ in self.sent]


@pytest.fixture
def wire() -> Wire:
    """The requests that reach DynamoDB."""
    return Wire()


@pytest.fixture
def tables(wire: Wire, pauses: list[float]) -> DynamoTables:
    """The tables behind that transport."""
    return DynamoTables(Settings(stage="test"), wire)


def refused(code: str, *reasons: dict[str, Any], status: int = 400, **more: Any) -> ClientError:
    """The error that botocore raises; `reasons` are those of a transaction."""
    response: Any = {
        "Error": {"Code": code, "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": list(reasons),
        **more,
    }
    return ClientError(response, "AnOperation")


def canceled(*codes: str) -> ClientError:
    """A canceled transaction."""
    return refused("TransactionCanceledException", *({"Code": code} for code in codes))


CONFLICT = canceled("None", "TransactionConflict")


class TestRequests:
    """One call for each method, and nothing in it that was not asked for."""

    def test_a_get_is_consistent_unless_it_may_lag(self, tables: DynamoTables, wire: Wire) -> None:
        tables.table(ACCOUNTS).get(KEY)
        tables.table(ACCOUNTS).get(KEY, may_lag=True)
        assert wire.sent == [
            ("GetItem", {"TableName": NAME, "Key": KEY_VALUES, "ConsistentRead": True}),
            ("GetItem", {"TableName": NAME, "Key": KEY_VALUES, "ConsistentRead": False}),
        ]

    def test_put_and_delete_without_condition(self, tables: DynamoTables, wire: Wire) -> None:
        tables.table(ACCOUNTS).put(KEY | {"n": 1})
        tables.table(ACCOUNTS).delete(KEY)
        assert wire.sent == [
            ("PutItem", {"TableName": NAME, "Item": KEY_VALUES | {"n": {"N": "1"}}}),
            ("DeleteItem", {"TableName": NAME, "Key": KEY_VALUES}),
        ]

    def test_an_update_with_all_parts(self, tables: DynamoTables, wire: Wire) -> None:
        tables.table(ACCOUNTS).update(
            Update(
                KEY,
                set={"a": "1"},
                set_if_absent={"b": 2},
                add={"c": 3},
                remove=("d",),
                condition=equals("a", 0, or_absent=True),
                return_stored=True,
            )
        )
        (sent,) = wire.sent
        assert sent == (
            "UpdateItem",
            {
                "TableName": NAME,
                "Key": KEY_VALUES,
                "UpdateExpression": "SET #n0 = :v0, #n1 = if_not_exists(#n1, :v1) ADD #n2 :v2 REMOVE #n3",
                "ConditionExpression": "#n4 = :v3 OR attribute_not_exists(#n5)",
                "ExpressionAttributeNames": {"#n0": "a", "#n1": "b", "#n2": "c", "#n3": "d", "#n4": "a", "#n5": "a"},
                "ExpressionAttributeValues": {
                    ":v0": {"S": "1"},
                    ":v1": {"N": "2"},
                    ":v2": {"N": "3"},
                    ":v3": {"N": "0"},
                },
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )

    def test_a_query_sends_its_key_condition_and_projection(self, tables: DynamoTables, wire: Wire) -> None:
        list(tables.table(ACCOUNTS).query(Query("p", Prefix("s"), newest_first=True, limit=3, attributes=("sk",))))
        assert wire.sent == [
            (
                "Query",
                {
                    "TableName": NAME,
                    "KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)",
                    "ConsistentRead": True,
                    "ProjectionExpression": "#n2",
                    "ScanIndexForward": False,
                    "ExpressionAttributeNames": {"#n0": "pk", "#n1": "sk", "#n2": "sk"},
                    "ExpressionAttributeValues": {":v0": {"S": "p"}, ":v1": {"S": "s"}},
                    "Limit": 3,
                },
            )
        ]

    def test_a_query_of_an_index_asks_for_no_consistent_read(self, tables: DynamoTables, wire: Wire) -> None:
        query = Query("content", Range(below=7), index="awaiting-content", where=exists("type"), limit=1)
        list(tables.table(BLOBS).query(query))
        assert wire.sent == [
            (
                "Query",
                {
                    "TableName": "strandline-test-blobs",
                    "IndexName": "awaiting-content",
                    "KeyConditionExpression": "#n0 = :v0 AND #n1 < :v1",
                    "FilterExpression": "attribute_exists(#n2)",
                    "ExpressionAttributeNames": {"#n0": "awaiting", "#n1": "created_time_ms", "#n2": "type"},
                    "ExpressionAttributeValues": {":v0": {"S": "content"}, ":v1": {"N": "7"}},
                },
            )
        ]

    def test_a_query_may_lag(self, tables: DynamoTables, wire: Wire) -> None:
        list(tables.table(DATA).query(Query("p", may_lag=True)))
        assert "ConsistentRead" not in wire.sent[0][1]

    def test_a_query_is_lazy(self, tables: DynamoTables, wire: Wire) -> None:
        wire.answers += [{"Items": [KEY_VALUES], "LastEvaluatedKey": KEY_VALUES}]
        items = tables.table(ACCOUNTS).query(Query("p"))
        assert wire.sent == []
        assert next(items) == KEY
        assert wire.operations == ["Query"]

    def test_a_query_that_is_mostly_left_early_begins_with_a_small_page(self, tables: DynamoTables, wire: Wire) -> None:
        more = {"LastEvaluatedKey": KEY_VALUES}
        wire.answers += [{"Items": [KEY_VALUES], **more}, {"Items": [], **more}, {"Items": [KEY_VALUES]}]
        items = tables.table(ACCOUNTS).query(Query("p", where=exists("type"), first_page=10))
        assert next(items) == KEY
        assert [request["Limit"] for _, request in wire.sent] == [10]
        assert list(items) == [KEY]
        assert [request["Limit"] for _, request in wire.sent] == [10, 40, 160]

    def test_a_limit_is_reached_without_a_further_call(self, tables: DynamoTables, wire: Wire) -> None:
        more = {"LastEvaluatedKey": KEY_VALUES}
        wire.answers += [{"Items": [KEY_VALUES], **more}, {"Items": [KEY_VALUES] * 2, **more}]
        assert list(tables.table(ACCOUNTS).query(Query("p", limit=3))) == [KEY] * 3
        assert [request["Limit"] for _, request in wire.sent] == [3, 2]
        assert "ExclusiveStartKey" not in wire.sent[0][1]
        assert wire.sent[1][1]["ExclusiveStartKey"] == KEY_VALUES

    def test_a_transaction_is_one_call(self, tables: DynamoTables, wire: Wire) -> None:
        writes: list[Write] = [
            Put(KEY),
            Update(KEY, add={"n": 1}),
            Delete(KEY),
            Check(KEY, absent(), return_stored=True),
        ]
        tables.table(ACCOUNTS).transact(writes)
        ((operation, request),) = wire.sent
        assert operation == "TransactWriteItems"
        assert [list(write) for write in request["TransactItems"]] == [
            ["Put"],
            ["Update"],
            ["Delete"],
            ["ConditionCheck"],
        ]
        assert request["TransactItems"][3]["ConditionCheck"] == {
            "TableName": NAME,
            "Key": KEY_VALUES,
            "ConditionExpression": "attribute_not_exists(#n0)",
            "ExpressionAttributeNames": {"#n0": "pk"},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def test_each_transaction_has_a_token_of_its_own(self, tables: DynamoTables, wire: Wire) -> None:
        for _ in range(2):
            tables.table(ACCOUNTS).transact([Put(KEY)])
        first, second = (request["ClientRequestToken"] for _, request in wire.sent)
        assert first != second

    def test_batches_are_as_few_calls_as_can_be(self, tables: DynamoTables, wire: Wire) -> None:
        keys = [{"pk": "p", "sk": str(number)} for number in range(101)]
        tables.table(ACCOUNTS).batch_get(keys)
        tables.batch_get([(ACCOUNTS, KEY), (TASKS, {"pk": "p"}), (ACCOUNTS, KEY)])
        assert [len(request["RequestItems"][NAME]["Keys"]) for _, request in wire.sent] == [100, 1, 1]
        assert wire.sent[2][1]["RequestItems"] == {
            NAME: {"Keys": [KEY_VALUES], "ConsistentRead": True},
            "strandline-test-tasks": {"Keys": [{"pk": {"S": "p"}}], "ConsistentRead": True},
        }
        wire.sent.clear()
        tables.table(ACCOUNTS).batch_write([Put(key) for key in keys])
        assert [len(request["RequestItems"][NAME]) for _, request in wire.sent] == [25, 25, 25, 25, 1]


class TestConflicts:
    """Transactions that meet others."""

    def test_a_transaction_is_sent_again_as_the_same(
        self, tables: DynamoTables, wire: Wire, pauses: list[float]
    ) -> None:
        wire.answers += [CONFLICT] * (MAX_ATTEMPTS - 1)
        tables.table(ACCOUNTS).transact([Put(KEY)])
        assert len(wire.sent) == MAX_ATTEMPTS
        assert len(pauses) == MAX_ATTEMPTS - 1
        assert all(sent == wire.sent[0] for sent in wire.sent)

    def test_one_that_meets_others_each_time_is_given_up(self, tables: DynamoTables, wire: Wire) -> None:
        wire.answers += [CONFLICT] * (MAX_ATTEMPTS + 1)
        with pytest.raises(TransactionConflictError):
            tables.table(ACCOUNTS).transact([Put(KEY)])
        assert len(wire.sent) == MAX_ATTEMPTS

    def test_a_condition_that_fails_meanwhile_ends_it(self, tables: DynamoTables, wire: Wire) -> None:
        wire.answers += [CONFLICT, canceled("None", "ConditionalCheckFailed")]
        with pytest.raises(TransactionRefusedError) as error:
            tables.table(ACCOUNTS).transact([Put(KEY), Check(KEY, exists())])
        assert error.value.indexes == [1]
        assert len(wire.sent) == 2

    def test_a_single_write_that_meets_a_transaction_is_unavailable(self, tables: DynamoTables, wire: Wire) -> None:
        wire.answers += [refused("TransactionConflictException")]
        with pytest.raises(TransactionConflictError):
            tables.table(ACCOUNTS).put(KEY)
        assert len(wire.sent) == 1


class TestHeldBack:
    """DynamoDB answers a part of a batch."""

    def test_unprocessed_keys_are_asked_for_again(self, tables: DynamoTables, wire: Wire, pauses: list[float]) -> None:
        other = {"pk": "p", "sk": "t"}
        left = {NAME: {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "t"}}], "ConsistentRead": True}}
        wire.answers += [
            {"Responses": {NAME: [KEY_VALUES]}, "UnprocessedKeys": left},
            {"Responses": {NAME: [{"pk": {"S": "p"}, "sk": {"S": "t"}}]}, "UnprocessedKeys": {}},
        ]
        assert tables.table(ACCOUNTS).batch_get([KEY, other]) == [KEY, other]
        assert wire.sent[1] == ("BatchGetItem", {"RequestItems": left})
        assert pauses == []  # it answered as much as it could

    def test_keys_that_are_held_back_each_time(self, tables: DynamoTables, wire: Wire, pauses: list[float]) -> None:
        left = {NAME: {"Keys": [KEY_VALUES], "ConsistentRead": True}}
        wire.answers += [{"Responses": {}, "UnprocessedKeys": left}] * (MAX_ATTEMPTS + 1)
        with pytest.raises(UnavailableError):
            tables.table(ACCOUNTS).batch_get([KEY])
        assert len(wire.sent) == MAX_ATTEMPTS == len(pauses)

    def test_unprocessed_writes_are_sent_again(self, tables: DynamoTables, wire: Wire, pauses: list[float]) -> None:
        left = {NAME: [{"DeleteRequest": {"Key": KEY_VALUES}}]}
        wire.answers += [{"UnprocessedItems": left}]
        tables.table(ACCOUNTS).batch_write([Put({"pk": "p", "sk": "t"}), Delete(KEY)])
        assert wire.sent[1] == ("BatchWriteItem", {"RequestItems": left})
        assert len(pauses) == 1

    def test_writes_that_are_held_back_each_time(self, tables: DynamoTables, wire: Wire) -> None:
        wire.answers += [{"UnprocessedItems": {NAME: [{"DeleteRequest": {"Key": KEY_VALUES}}]}}] * (MAX_ATTEMPTS + 1)
        with pytest.raises(UnavailableError):
            tables.table(ACCOUNTS).batch_write([Delete(KEY)])
        assert len(wire.sent) == MAX_ATTEMPTS


CALLS: list[Callable[[DynamoTables], object]] = [
    lambda tables: tables.table(ACCOUNTS).get(KEY),
    lambda tables: tables.table(ACCOUNTS).put(KEY),
    lambda tables: tables.table(ACCOUNTS).update(Update(KEY, add={"n": 1})),
    lambda tables: tables.table(ACCOUNTS).delete(KEY),
    lambda tables: tables.table(ACCOUNTS).transact([Put(KEY)]),
    lambda tables: tables.table(ACCOUNTS).batch_get([KEY]),
    lambda tables: tables.table(ACCOUNTS).batch_write([Put(KEY)]),
    lambda tables: list(tables.table(ACCOUNTS).query(Query("p"))),
]
PASSING = [
    refused("ProvisionedThroughputExceededException"),
    refused("ThrottlingException"),
    refused("RequestLimitExceeded"),
    refused("TransactionInProgressException"),
    refused("InternalServerError"),
    refused("AnythingElse", status=500),
    canceled("ThrottlingError", "None"),
    canceled("ProvisionedThroughputExceeded"),
    ConnectTimeoutError(endpoint_url="x"),
    ReadTimeoutError(endpoint_url="x"),
    EndpointConnectionError(endpoint_url="x"),
    ConnectionClosedError(endpoint_url="x"),
]
DEFECTS = [
    refused("ValidationException"),
    refused("AccessDeniedException"),
    refused("ResourceNotFoundException"),
    canceled("ValidationError", "None"),
    ParamValidationError(report="x"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", PASSING, ids=str)
def test_what_may_pass_is_unavailable(
    tables: DynamoTables, wire: Wire, answer: Exception, call: Callable[[DynamoTables], object]
) -> None:
    wire.answers.append(answer)
    with pytest.raises(UnavailableError) as error:
        call(tables)
    assert not isinstance(error.value, TransactionConflictError)
    assert len(wire.sent) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", DEFECTS, ids=str)
def test_anything_else_is_a_defect(
    tables: DynamoTables, wire: Wire, answer: Exception, call: Callable[[DynamoTables], object]
) -> None:
    wire.answers.append(answer)
    with pytest.raises(RuntimeError):
        call(tables)
    assert len(wire.sent) == 1


def test_a_refusal_tells_what_is_stored(tables: DynamoTables, wire: Wire) -> None:
    wire.answers += [
        refused("ConditionalCheckFailedException", Item=KEY_VALUES),
        refused(
            "TransactionCanceledException",
            {"Code": "ConditionalCheckFailed", "Item": KEY_VALUES},
            {"Code": "TransactionConflict"},
            {"Code": "ConditionalCheckFailed"},
        ),
    ]
    with pytest.raises(ConditionFailedError) as failed:
        tables.table(ACCOUNTS).put(KEY, absent(), return_stored=True)
    assert failed.value.stored == KEY
    with pytest.raises(TransactionRefusedError) as error:
        tables.table(ACCOUNTS).transact([Put(KEY, absent(), return_stored=True), Put(KEY), Put(KEY, exists())])
    assert error.value.indexes == [0, 2]
    assert [error.value.stored(index) for index in range(3)] == [KEY, None, None]
