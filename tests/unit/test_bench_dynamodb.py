"""Sizes and units by DynamoDB's published rules, and the table that stands in for it."""

import base64
from typing import Any

import pytest

from bench.dynamodb_costs import item_bytes, write_units
from bench.dynamodb_requests import Requests
from bench.dynamodb_stub import Tables

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def item(body_bytes: int, sk: str = "b") -> dict[str, Any]:
    """An item with this much in its body."""
    return {"pk": {"S": "a"}, "sk": {"S": sk}, "body": {"B": base64.b64encode(bytes(body_bytes)).decode()}}


@pytest.mark.parametrize(
    ("value", "size_bytes"),
    [
        ({"S": "é"}, 2),
        ({"N": "1767225600000"}, 7),
        ({"N": "-1.5"}, 2),
        ({"B": "AAAA"}, 3),
        ({"BOOL": True}, 1),
        ({"M": {"ab": {"S": "c"}}}, 3 + 3 + 1),
        ({"L": [{"S": "c"}, {"NULL": True}]}, 3 + 2 + 2),
    ],
)
def test_the_size_of_an_item_is_that_of_names_and_values(value: dict[str, Any], size_bytes: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size_bytes


@pytest.mark.parametrize(("body_bytes", "units"), [(0, 1), (1014, 1), (1015, 2), (100 * 1024, 101)])
def test_a_unit_is_a_kilobyte(body_bytes: int, units: int) -> None:
    # Beside its body an item has 10 bytes: names and keys.
    put = {"PutRequest": {"Item": item(body_bytes)}}
    assert write_units("PutItem", {"Item": item(body_bytes)}) == units
    assert write_units("BatchWriteItem", {"RequestItems": {"t": [put, put], "u": [put]}}) == 3 * units
    assert write_units("TransactWriteItems", {"TransactItems": [{"Put": {"Item": item(body_bytes)}}]}) == 2 * units


def test_each_part_of_a_transaction_costs_twice() -> None:
    writes = [{"Update": {}}, {"ConditionCheck": {}}, {"Put": {"Item": item(2000)}}]
    assert write_units("TransactWriteItems", {"TransactItems": writes}) == 2 * (1 + 1 + 2)


def test_reading_writes_nothing() -> None:
    requests = Requests()
    for operation in ("Query", "BatchGetItem", "Query", "GetItem"):
        requests.note(operation, {})
    requests.note("PutItem", {"Item": item(0)})
    assert (requests.round_trips, requests.pages, requests.write_units) == (5, 4, 1)


class TestStub:
    def test_it_keeps_what_is_put(self) -> None:
        tables = Tables()
        tables.answer("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t", "Item": item(3)}}]})
        assert tables.answer("GetItem", {"TableName": "t", "Key": KEY}) == {"Item": item(3)}
        assert tables.answer("GetItem", {"TableName": "u", "Key": KEY}) == {}

    def test_it_updates_what_is_there(self) -> None:
        tables = Tables()
        tables.answer("PutItem", {"TableName": "t", "Item": KEY | {"number": {"N": "1"}, "name": {"S": "x"}}})
        update = {
            "TableName": "t",
            "Key": KEY,
            "UpdateExpression": "SET number = :next",
            "ExpressionAttributeValues": {":next": {"N": "2"}, ":last": {"N": "1"}},
        }
        tables.answer("TransactWriteItems", {"TransactItems": [{"Update": update}]})
        found = tables.answer("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY]}}})
        assert found == {"Responses": {"t": [KEY | {"number": {"N": "2"}, "name": {"S": "x"}}]}}

    @pytest.mark.parametrize("forward", [True, False])
    def test_it_cuts_a_query_at_a_megabyte(self, forward: bool) -> None:
        tables = Tables()
        for name in "cab":
            tables.answer("PutItem", {"TableName": "t", "Item": item(500_000, name)})
        request: dict[str, Any] = {"TableName": "t", "ScanIndexForward": forward}
        request |= {"ExpressionAttributeValues": {":pk": {"S": "a"}}}
        first = tables.answer("Query", request)
        second = tables.answer("Query", request | {"ExclusiveStartKey": first["LastEvaluatedKey"]})
        assert "LastEvaluatedKey" not in second
        found = [each["sk"]["S"] for page in (first, second) for each in page["Items"]]
        assert found == (["a", "b", "c"] if forward else ["c", "b", "a"])
        assert len(first["Items"]) == 2
