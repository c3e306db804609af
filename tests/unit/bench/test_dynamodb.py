"""Sizes and units by the published rules of DynamoDB, and the tables of the stub."""

import base64
from typing import Any

import pytest

from bench.stubs.dynamodb_costs import item_bytes, read_units, write_units
from bench.stubs.dynamodb_stub import Tables

Item = dict[str, Any]

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def item(body_bytes: int, sk: str = "b") -> Item:
    """An item with a body of this size; its names and keys have 10 bytes."""
    return {"pk": {"S": "a"}, "sk": {"S": sk}, "body": {"B": base64.b64encode(bytes(body_bytes)).decode()}}


@pytest.fixture
def tables() -> Tables:
    """Empty tables."""
    return Tables()


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
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_the_size_of_an_item_is_that_of_names_and_values(value: Item, size_bytes: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size_bytes


@pytest.mark.parametrize(("size_bytes", "units"), [(0, 1), (1024, 1), (1025, 2), (100 * 1024, 100)])
def test_a_write_unit_is_a_kilobyte(size_bytes: int, units: int) -> None:
    assert write_units(size_bytes) == units


@pytest.mark.parametrize(("size_bytes", "units"), [(0, 1), (4096, 1), (4097, 2), (1024 * 1024, 256)])
def test_a_read_unit_is_four_kilobytes_and_half_a_unit_if_eventually_consistent(size_bytes: int, units: int) -> None:
    assert read_units(size_bytes, is_consistent=True) == units
    assert read_units(size_bytes, is_consistent=False) == units / 2


class TestUnits:
    @pytest.mark.parametrize(("body_bytes", "units"), [(0, 1), (1014, 1), (1015, 2)])
    def test_write_units_of_puts(self, tables: Tables, body_bytes: int, units: int) -> None:
        put = {"PutRequest": {"Item": item(body_bytes)}}
        tables.answer("PutItem", {"TableName": "p", "Item": item(body_bytes)})
        assert tables.write_units == units
        tables.answer("BatchWriteItem", {"RequestItems": {"t": [put, put], "u": [put]}})
        assert tables.write_units == 4 * units
        write = {"Put": {"TableName": "v", "Item": item(body_bytes)}}
        tables.answer("TransactWriteItems", {"TransactItems": [write]})
        assert tables.write_units == 6 * units

    def test_what_was_there_before_counts_when_it_is_larger(self, tables: Tables) -> None:
        tables.answer("PutItem", {"TableName": "t", "Item": item(5000)})
        tables.answer("PutItem", {"TableName": "t", "Item": item(0)})
        assert tables.write_units == 5 + 5

    def test_deleting_costs_what_writing_did(self, tables: Tables) -> None:
        tables.answer("PutItem", {"TableName": "t", "Item": item(5000)})
        tables.answer("BatchWriteItem", {"RequestItems": {"t": [{"DeleteRequest": {"Key": KEY}}] * 2}})
        assert tables.write_units == 5 + 5 + 1

    def test_each_part_of_a_transaction_costs_twice(self, tables: Tables) -> None:
        update = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
        writes = [
            {"Update": {"TableName": "t", "Key": KEY, **update}},
            {"ConditionCheck": {"TableName": "u", "Key": KEY}},
            {"Put": {"TableName": "v", "Item": item(2000)}},
        ]
        tables.answer("TransactWriteItems", {"TransactItems": writes})
        assert tables.write_units == 2 * (1 + 1 + 2)

    def test_items_read_by_key_are_rounded_each_and_those_of_a_page_together(self, tables: Tables) -> None:
        for name in "ab":
            tables.answer("PutItem", {"TableName": "t", "Item": item(5000, name)})
        keys = [KEY | {"sk": {"S": name}} for name in "abc"]
        tables.answer("BatchGetItem", {"RequestItems": {"t": {"Keys": keys, "ConsistentRead": True}}})
        assert tables.read_units == 2 + 2 + 1
        tables.answer("Query", query("pk = :pk") | {"ConsistentRead": True})
        assert tables.read_units == 5 + 3
        tables.answer("GetItem", {"TableName": "t", "Key": keys[0]})
        assert tables.read_units == 5 + 3 + 1

    def test_calls_are_counted_by_kind(self, tables: Tables) -> None:
        for _ in range(2):
            tables.answer("GetItem", {"TableName": "t", "Key": KEY})
        assert tables.calls == {"GetItem": 2}

    def test_storage_counts_a_hundred_bytes_an_item(self, tables: Tables) -> None:
        tables.answer("PutItem", {"TableName": "t", "Item": item(90)})
        tables.answer("PutItem", {"TableName": "t", "Item": item(90, "c")})
        assert tables.kept_bytes() == {"t": 2 * (100 + 100)}


class TestItems:
    def test_a_put_item_can_be_read(self, tables: Tables) -> None:
        tables.answer("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "t", "Item": item(3)}}]})
        assert tables.answer("GetItem", {"TableName": "t", "Key": KEY}) == {"Item": item(3)}
        assert tables.answer("GetItem", {"TableName": "u", "Key": KEY}) == {}

    def test_a_deleted_item_cannot_be_read(self, tables: Tables) -> None:
        tables.answer("PutItem", {"TableName": "t", "Item": item(3)})
        tables.answer("DeleteItem", {"TableName": "t", "Key": KEY})
        assert tables.answer("Query", query("pk = :pk")) == {"Items": [], "Count": 0}

    @pytest.mark.parametrize(
        ("expression", "changed"),
        [
            ("SET n = :two", {"n": {"N": "2"}}),
            ("SET n = n + :two", {"n": {"N": "3"}}),
            ("SET n = n - :two", {"n": {"N": "-1"}}),
            ("SET m = if_not_exists(m, :two) + :two, #n = :two", {"m": {"N": "4"}, "n": {"N": "2"}}),
            ("ADD n :two, m :two", {"n": {"N": "3"}, "m": {"N": "2"}}),
            ("SET m = :two REMOVE name", {"m": {"N": "2"}, "name": None}),
        ],
    )
    def test_an_update_changes_the_item(self, tables: Tables, expression: str, changed: dict[str, Item | None]) -> None:
        before = KEY | {"n": {"N": "1"}, "name": {"S": "x"}}
        tables.answer("PutItem", {"TableName": "t", "Item": before})
        names, values = {"#n": "n"}, {":two": {"N": "2"}}
        update = {"UpdateExpression": expression, "ExpressionAttributeValues": values}
        update |= {"ExpressionAttributeNames": names, "ReturnValues": "ALL_NEW"}
        answer = tables.answer("UpdateItem", {"TableName": "t", "Key": KEY, **update})
        wanted = {name: value for name, value in (before | changed).items() if value is not None}
        assert answer == {"Attributes": wanted}
        assert tables.answer("GetItem", {"TableName": "t", "Key": KEY}) == {"Item": wanted}


def query(expression: str, **values: str) -> Item:
    """A query of the partition `a`."""
    given = {f":{name}": {"S": value} for name, value in {"pk": "a", **values}.items()}
    return {"TableName": "t", "KeyConditionExpression": expression, "ExpressionAttributeValues": given}


class TestQueries:
    @pytest.mark.parametrize(
        ("expression", "values", "found"),
        [
            ("pk = :pk", {}, ["a1", "a2", "b1"]),
            ("pk = :pk AND begins_with(sk, :p)", {"p": "a"}, ["a1", "a2"]),
            ("pk = :pk AND sk BETWEEN :p AND :q", {"p": "a2", "q": "b1"}, ["a2", "b1"]),
            ("pk = :pk AND sk > :p", {"p": "a1"}, ["a2", "b1"]),
            ("pk = :pk AND sk <= :p", {"p": "a1"}, ["a1"]),
        ],
    )
    def test_they_select_by_the_sort_key(
        self, tables: Tables, expression: str, values: dict[str, str], found: list[str]
    ) -> None:
        for name in ("b1", "a1", "a2"):
            tables.answer("PutItem", {"TableName": "t", "Item": item(1, name)})
        answer = tables.answer("Query", query(expression, **values))
        assert [item["sk"]["S"] for item in answer["Items"]] == found

    def test_an_unknown_form_is_no_silent_answer(self, tables: Tables) -> None:
        with pytest.raises(NotImplementedError):
            tables.answer("Query", query("pk = :pk AND contains(sk, :p)", p="a"))

    @pytest.mark.parametrize("forward", [True, False])
    def test_they_are_cut_at_a_megabyte(self, tables: Tables, forward: bool) -> None:
        for name in "cab":
            tables.answer("PutItem", {"TableName": "t", "Item": item(500_000, name)})
        request = query("pk = :pk") | {"ScanIndexForward": forward}
        first = tables.answer("Query", request)
        second = tables.answer("Query", request | {"ExclusiveStartKey": first["LastEvaluatedKey"]})
        assert "LastEvaluatedKey" not in second
        found = [item["sk"]["S"] for page in (first, second) for item in page["Items"]]
        assert found == (["a", "b", "c"] if forward else ["c", "b", "a"])
        assert len(first["Items"]) == 2

    def test_a_filter_leaves_out_what_was_looked_at_and_paid_for(self, tables: Tables) -> None:
        for number, name in enumerate("abc"):
            numbered = item(4000, name) | {"number": {"N": str(number)}}
            tables.answer("PutItem", {"TableName": "t", "Item": numbered})
        filtered = {
            "FilterExpression": "#n > :n",
            "ExpressionAttributeNames": {"#n": "number"},
            "ConsistentRead": True,
        }
        request = query("pk = :pk") | filtered
        request["ExpressionAttributeValues"] = request["ExpressionAttributeValues"] | {":n": {"N": "1"}}
        answer = tables.answer("Query", request | {"Limit": 2})
        assert (answer["Items"], answer["Count"], tables.read_units) == ([], 0, 2)
        rest = tables.answer("Query", request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]})
        assert [found["sk"]["S"] for found in rest["Items"]] == ["c"]
        with pytest.raises(NotImplementedError):
            tables.answer("Query", request | {"FilterExpression": "attribute_exists(#n)"})

    def test_they_end_at_their_limit(self, tables: Tables) -> None:
        for name in "ab":
            tables.answer("PutItem", {"TableName": "t", "Item": item(1, name)})
        answer = tables.answer("Query", query("pk = :pk") | {"Limit": 1})
        assert [item["sk"]["S"] for item in answer["Items"]] == ["a"]
        assert answer["LastEvaluatedKey"] == KEY | {"sk": {"S": "a"}}
