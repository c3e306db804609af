"""The server that stands in for DynamoDB: what it refuses, its limits, and what it does not know.

`test_dynamo_server_and_moto.py` compares it with moto, and the engine's suite (`tests/engine`) runs on it, too.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.config import Settings
from chalicelib.engine import definitions
from tests.fakes.dynamodb.refusals import UnsupportedError, code_of
from tests.fakes.dynamodb.server import DynamoServer, dynamo_server

SETTINGS = Settings(stage="test")
ACCOUNTS, TASKS, BLOBS = SETTINGS.accounts_table, SETTINGS.tasks_table, SETTINGS.blobs_table
Request = dict[str, Any]
KB = 1024


def key(sort: str = "s", partition: str = "p") -> Request:
    """The key of an item."""
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def put(item: Request, **more: Any) -> Request:
    """The request that stores an item."""
    return {"TableName": ACCOUNTS, "Item": item} | more


def update(expression: str, names: Mapping[str, str], values: Mapping[str, Any], **more: Any) -> Request:
    """The request that updates an item."""
    placeholders = {"ExpressionAttributeNames": dict(names), "ExpressionAttributeValues": dict(values)}
    given = {name: member for name, member in placeholders.items() if member}
    return {"TableName": ACCOUNTS, "Key": key(), "UpdateExpression": expression} | given | more


def query(condition: str = "#p = :p", values: Mapping[str, Any] | None = None, **more: Any) -> Request:
    """The request that queries a partition."""
    return {
        "TableName": ACCOUNTS,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#p": "pk"} | more.pop("names", {}),
        "ExpressionAttributeValues": {":p": {"S": "p"}} | dict(values or {}),
    } | more


def many(write: Callable[[str], Request], count: int) -> list[Request]:
    """A write for each of so many sort keys."""
    return [write(f"{number:03d}") for number in range(count)]


@pytest.fixture
def server() -> DynamoServer:
    """An empty server."""
    return dynamo_server(SETTINGS)


X = {"#x": "x"}
ONE = {":x": {"N": "1"}}
ADD_ONE = {"Update": update("ADD #x :x", X, ONE)}
INVALID: list[tuple[str, Request]] = [
    ("GetItem", {"TableName": ACCOUNTS, "Key": {"pk": {"S": "p"}}}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key() | {"x": {"S": "x"}}}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": {"pk": {"S": "p"}, "sk": {"N": "1"}}}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key("")}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key("s" * (KB + 1))}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key(partition="p" * (2 * KB + 1))}),
    ("PutItem", put({"pk": {"S": "p"}})),
    ("PutItem", put(key("") | {"x": {"S": ""}})),
    ("PutItem", put(key() | {"x": {"S": "x" * 400 * KB}})),
    ("PutItem", put(key() | {"x": {"N": "1" * 39}})),
    ("PutItem", {"TableName": TASKS, "Item": {"pk": {"S": "p"}, "due_pk": {"N": "1"}, "due_sk": {"S": "s"}}}),
    ("PutItem", {"TableName": TASKS, "Item": {"pk": {"S": "p"}, "due_pk": {"S": "p"}, "due_sk": {"S": ""}}}),
    ("PutItem", put(key(), ConditionExpression="attribute_exists(#x)")),
    ("PutItem", put(key(), ConditionExpression="#x = :x", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="attribute_exists(#x)", ExpressionAttributeNames=X | {"#y": "y"})),
    ("UpdateItem", update("SET #x = :x", {"#x": "sk"}, ONE)),
    ("UpdateItem", update("SET #x = :x, #y = :x", X | {"#y": "x"}, ONE)),
    ("UpdateItem", update("ADD #x :x", X, {":x": {"S": "1"}})),
    ("UpdateItem", update("ADD #x :x", {"#x": "text"}, ONE)),
    ("UpdateItem", update("SET #x = :x", X, {":x": {"S": "x" * 400 * KB}})),
    ("UpdateItem", update("SET #x = :x", X, ONE | {":y": {"N": "1"}})),
    ("DeleteItem", {"TableName": ACCOUNTS, "Key": {"pk": {"S": "p"}}}),
    ("Query", query("#p = :p AND #x = :x", ONE, names=X)),
    ("Query", query("#p > :p")),
    ("Query", query("#p = :p AND #s BETWEEN :x AND :y", {":x": {"S": "b"}, ":y": {"S": "a"}}, names={"#s": "sk"})),
    ("Query", query("#p = :p AND begins_with(#s, :x)", ONE, names={"#s": "sk"})),
    ("Query", query(values=ONE)),
    ("Query", query(FilterExpression="#s = :x", values={":x": {"S": "s"}}, names={"#s": "sk"})),
    ("Query", query(FilterExpression="#x < :x", values={":x": {"BOOL": True}}, names=X)),
    ("Query", query(Limit=0)),
    ("Query", query(IndexName="nothing")),
    ("Query", query(ExclusiveStartKey={"pk": {"S": "p"}})),
    ("Query", query(ExclusiveStartKey=key(partition="other"))),
    ("Query", query(TableName=BLOBS, IndexName="awaiting-content", names={"#p": "awaiting"}, ConsistentRead=True)),
    (
        "Query",
        query(TableName=TASKS, IndexName="due", ProjectionExpression="#x", names={"#p": "due_pk", "#x": "created_pk"}),
    ),
    ("BatchGetItem", {"RequestItems": {}}),
    ("BatchGetItem", {"RequestItems": {ACCOUNTS: {"Keys": []}}}),
    ("BatchGetItem", {"RequestItems": {ACCOUNTS: {"Keys": [key(), key()]}}}),
    ("BatchGetItem", {"RequestItems": {ACCOUNTS: {"Keys": many(key, 101)}}}),
    ("BatchWriteItem", {"RequestItems": {}}),
    ("BatchWriteItem", {"RequestItems": {ACCOUNTS: []}}),
    (
        "BatchWriteItem",
        {"RequestItems": {ACCOUNTS: [{"PutRequest": {"Item": key()}}, {"DeleteRequest": {"Key": key()}}]}},
    ),
    ("BatchWriteItem", {"RequestItems": {ACCOUNTS: many(lambda sort: {"PutRequest": {"Item": key(sort)}}, 26)}}),
    ("TransactWriteItems", {"TransactItems": []}),
    ("TransactWriteItems", {"TransactItems": many(lambda sort: {"Put": put(key(sort))}, 101)}),
    ("TransactWriteItems", {"TransactItems": [{"Put": put(key())}, {"Put": put(key() | {"x": {"S": ""}})}]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": put(key()), "Delete": {"TableName": ACCOUNTS, "Key": key()}}]}),
    ("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {"TableName": ACCOUNTS, "Key": key()}}]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": put(key())}], "ClientRequestToken": "t" * 37}),
    (
        "TransactWriteItems",
        {"TransactItems": many(lambda sort: {"Put": put(key(sort) | {"x": {"S": "x" * 390 * KB}})}, 11)},
    ),
]
"""Requests that DynamoDB answers with a ValidationException, by its API reference and its developer guide."""
UNKNOWN: list[tuple[str, Request]] = [
    ("Scan", {"TableName": ACCOUNTS}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key(), "ProjectionExpression": "#x", "ExpressionAttributeNames": X}),
    ("GetItem", {"TableName": ACCOUNTS, "Key": key(), "AttributesToGet": ["x"]}),
    ("PutItem", put(key(), ReturnValues="ALL_OLD")),
    ("PutItem", put(key(), ReturnValuesOnConditionCheckFailure="UPDATED_NEW")),
    ("PutItem", put(key() | {"x": {"M": {}}})),
    ("PutItem", put(key() | {"x": {"NULL": True}})),
    ("PutItem", put(key() | {"x": {"SS": ["a"]}})),
    ("PutItem", put(key() | {"x": {"N": "1.5"}})),
    ("PutItem", put(key() | {"x": {"N": "007"}})),
    ("PutItem", put(key() | {"x": {"S": "a", "N": "1"}})),
    ("PutItem", put(key() | {"x": {"B": "no Base64"}})),
    ("PutItem", put(key(), ConditionExpression="NOT attribute_exists(#x)", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="contains(#x, :x)", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="size(#x) = :x", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="#x.#y = :x", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="x = :x", ExpressionAttributeValues=ONE)),
    ("PutItem", put(key(), ConditionExpression="#x = :x AND", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="(#x = :x", ExpressionAttributeNames=X)),
    ("PutItem", put(key(), ConditionExpression="#x IN (:x)", ExpressionAttributeNames=X)),
    ("UpdateItem", update("SET #x = #x + :x", X, ONE)),
    ("UpdateItem", update("SET #x = list_append(#x, :x)", X, ONE)),
    ("UpdateItem", update("SET #x = :x SET #y = :x", X | {"#y": "y"}, ONE)),
    ("UpdateItem", update("DELETE #x :x", X, ONE)),
    ("UpdateItem", update("", X, ONE)),
    ("UpdateItem", {"TableName": ACCOUNTS, "Key": key()}),
    ("UpdateItem", update("REMOVE #x", X, {}, Key=key("that is not there"))),
    ("UpdateItem", update("SET #x = :x", X, ONE, ReturnValues="ALL_NEW")),
    ("Query", query(Select="COUNT")),
    ("Query", query(ReturnConsumedCapacity="TOTAL")),
    ("BatchGetItem", {"RequestItems": {ACCOUNTS: {"Keys": [key()], "ProjectionExpression": "#x"}}}),
    ("BatchWriteItem", {"RequestItems": {ACCOUNTS: [{"UpdateRequest": {"Key": key()}}]}}),
    ("TransactWriteItems", {"TransactItems": [{"Get": {"TableName": ACCOUNTS, "Key": key()}}]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": put(key(), ReturnValues="NONE")}]}),
]
"""Requests that DynamoDB may know, and the engine does not send."""


@pytest.mark.parametrize(("operation", "request_"), INVALID, ids=lambda part: str(part)[:80])
def test_an_invalid_request_is_refused_and_changes_nothing(
    server: DynamoServer, operation: str, request_: Request
) -> None:
    server.send("PutItem", put(key() | {"text": {"S": "a"}}))
    before = server.save()
    with pytest.raises(ClientError) as error:
        server.send(operation, request_)
    response: Any = error.value.response
    reasons = {reason["Code"] for reason in response.get("CancellationReasons", ())}
    assert code_of(error.value) == "ValidationException" or reasons == {"ValidationError", "None"}
    assert server.save() == before


@pytest.mark.parametrize(("operation", "request_"), UNKNOWN, ids=lambda part: str(part)[:80])
def test_what_it_does_not_know_is_never_passed_over(server: DynamoServer, operation: str, request_: Request) -> None:
    with pytest.raises(UnsupportedError):
        server.send(operation, request_)
    assert list(server.items()) == []


def test_an_unknown_table_is_not_found(server: DynamoServer) -> None:
    with pytest.raises(ClientError) as error:
        server.send("GetItem", {"TableName": "nothing", "Key": key()})
    assert code_of(error.value) == "ResourceNotFoundException"


class TestTransactions:
    """Tokens, reasons, and sums of sizes."""

    def test_one_that_is_sent_again_with_its_token_is_carried_out_once(self) -> None:
        now_s = 0.0
        server = DynamoServer({ACCOUNTS: definitions.ACCOUNTS}, lambda: now_s)
        transaction = {"TransactItems": [ADD_ONE], "ClientRequestToken": "a"}
        assert server.send("TransactWriteItems", transaction) == server.send("TransactWriteItems", transaction) == {}
        assert _stored(server)["x"] == {"N": "1"}
        with pytest.raises(ClientError) as error:
            server.send("TransactWriteItems", transaction | {"TransactItems": [{"Put": put(key())}]})
        assert code_of(error.value) == "IdempotentParameterMismatchException"
        now_s = 601.0
        server.send("TransactWriteItems", transaction)
        assert _stored(server)["x"] == {"N": "2"}

    def test_a_canceled_one_may_be_sent_again(self, server: DynamoServer) -> None:
        there = {"ConditionExpression": "attribute_exists(#p)", "ExpressionAttributeNames": {"#p": "pk"}}
        check = {"ConditionCheck": {"TableName": ACCOUNTS, "Key": key("other")} | there}
        transaction = {"TransactItems": [ADD_ONE, check], "ClientRequestToken": "a"}
        with pytest.raises(ClientError):
            server.send("TransactWriteItems", transaction)
        server.send("PutItem", put(key("other")))
        server.send("TransactWriteItems", transaction)
        assert _stored(server)["x"] == {"N": "1"}

    def test_reasons_name_each_write(self, server: DynamoServer) -> None:
        stored = key() | {"x": {"S": "text"}}
        server.send("PutItem", put(stored))
        absent = {"ConditionExpression": "attribute_not_exists(#x)", "ExpressionAttributeNames": X}
        returned = absent | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with pytest.raises(ClientError) as error:
            server.send(
                "TransactWriteItems", {"TransactItems": [{"Put": put(key("a"))}, {"Put": put(key(), **returned)}]}
            )
        response: Any = error.value.response
        assert code_of(error.value) == "TransactionCanceledException"
        assert [(reason["Code"], reason.get("Item")) for reason in response["CancellationReasons"]] == [
            ("None", None),
            ("ConditionalCheckFailed", stored),
        ]
        with pytest.raises(ClientError) as error:
            server.send("TransactWriteItems", {"TransactItems": [ADD_ONE]})
        response = error.value.response
        assert [reason["Code"] for reason in response["CancellationReasons"]] == ["ValidationError"]


class TestLimits:
    """Pages and batches end at a size."""

    def test_a_page_holds_a_megabyte_before_its_filter(self, server: DynamoServer) -> None:
        for number in range(4):
            server.send("PutItem", put(key(str(number)) | {"x": {"B": b"x" * 300 * KB}, "n": {"N": str(number)}}))
        reply = server.send("Query", query(FilterExpression="#n = :n", values={":n": {"N": "3"}}, names={"#n": "n"}))
        assert (reply["Items"], reply["ScannedCount"], reply["LastEvaluatedKey"]) == ([], 3, key("2"))
        reply = server.send("Query", query(ExclusiveStartKey=reply["LastEvaluatedKey"]))
        assert [item["n"] for item in reply["Items"]] == [{"N": "3"}]
        assert "LastEvaluatedKey" not in reply

    def test_a_full_page_names_its_last_key_though_nothing_follows(self, server: DynamoServer) -> None:
        server.send("PutItem", put(key()))
        assert server.send("Query", query(Limit=1))["LastEvaluatedKey"] == key()
        assert "LastEvaluatedKey" not in server.send("Query", query(Limit=2))

    def test_a_batch_returns_sixteen_megabytes(self, server: DynamoServer) -> None:
        keys = many(key, 50)
        for item_key in keys:
            server.send("PutItem", put(item_key | {"x": {"B": b"x" * 390 * KB}}))
        asked = {ACCOUNTS: {"Keys": keys, "ConsistentRead": True}}
        reply = server.send("BatchGetItem", {"RequestItems": asked})
        assert len(reply["Responses"][ACCOUNTS]) == 42
        assert reply["UnprocessedKeys"] == {ACCOUNTS: {"Keys": keys[42:], "ConsistentRead": True}}

    def test_an_item_may_have_as_many_bytes_as_dynamodb_counts(self, server: DynamoServer) -> None:
        largest = 400 * KB - len("pk" + "p" + "sk" + "s" + "x")
        server.send("PutItem", put(key() | {"x": {"B": b"x" * largest}}))
        with pytest.raises(ClientError):
            server.send("PutItem", put(key() | {"x": {"B": b"x" * (largest + 1)}}))


def test_a_state_can_be_put_back_any_number_of_times(server: DynamoServer) -> None:
    server.send("PutItem", put(key()))
    saved, digests = server.save(), [item.digest for _, item in server.items()]
    for _ in range(2):
        server.send("PutItem", put(key() | {"x": {"N": "1"}}))
        server.send("DeleteItem", {"TableName": ACCOUNTS, "Key": key()})
        server.send("PutItem", put(key("t")))
        server.restore(saved)
        assert server.save() == saved
        assert [item.digest for _, item in server.items()] == digests


def test_a_reply_is_the_callers_own(server: DynamoServer) -> None:
    server.send("PutItem", put(key() | {"x": {"L": [{"S": "a"}]}}))
    _stored(server)["x"]["L"].clear()
    assert _stored(server)["x"] == {"L": [{"S": "a"}]}


def _stored(server: DynamoServer) -> Any:
    return server.send("GetItem", {"TableName": ACCOUNTS, "Key": key()})["Item"]
