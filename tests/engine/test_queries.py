"""Queries: ranges, prefixes, indexes, order, limits, filters, paging."""

from itertools import islice

import pytest

from chalicelib.engine.conditions import Condition, all_of, any_of, equals, exists, greater_than, less_than, starts_with
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Prefix, Put, Query, Range, Table

LARGE = b"x" * 300 * 1024
"""Three and a bit of these are a page of 1 MB."""
NAMES = ["a#1", "a#2", "a#3", "b#1", "b#2", "c"]


@pytest.fixture
def filled(table: Table) -> Table:
    """Six items in the partition that is queried, and one in another."""
    table.batch_write([Put({"pk": "p", "sk": name, "number": place}) for place, name in enumerate(NAMES)])
    table.put({"pk": "q", "sk": "a#1", "number": 9})
    return table


def found(table: Table, query: Query) -> list[str]:
    """The sort keys of the items of a query."""
    return [item["sk"] for item in table.query(query)]


def test_a_partition_is_in_the_order_of_its_sort_keys(filled: Table) -> None:
    assert found(filled, Query("p")) == NAMES
    assert found(filled, Query("p", may_lag=True)) == NAMES
    assert found(filled, Query("p", newest_first=True)) == NAMES[::-1]
    assert found(filled, Query("nobody")) == []


def test_items_are_whole(filled: Table) -> None:
    assert list(filled.query(Query("q"))) == [{"pk": "q", "sk": "a#1", "number": 9}]


@pytest.mark.parametrize(
    ("sort_key", "expected"),
    [
        (Prefix("a#"), NAMES[:3]),
        (Prefix("nothing"), []),
        (Range(at_least="a#2"), NAMES[1:]),
        (Range(above="a#2"), NAMES[2:]),
        (Range(at_most="a#2"), NAMES[:2]),
        (Range(below="a#2"), NAMES[:1]),
        (Range(at_least="a#2", at_most="b#1"), NAMES[1:4]),
        (Range(at_least="b#3", at_most="c#"), NAMES[5:]),
    ],
    ids=str,
)
def test_a_range_selects_a_part_of_a_partition(filled: Table, sort_key: Prefix | Range, expected: list[str]) -> None:
    assert found(filled, Query("p", sort_key)) == expected
    assert found(filled, Query("p", sort_key, newest_first=True)) == expected[::-1]


def test_sort_keys_are_compared_by_their_bytes(table: Table) -> None:
    names = ["A", "Z", "a", "~", "é", "\uffee", "\U0001f600"]
    table.batch_write([Put({"pk": "p", "sk": name}) for name in reversed(names)])
    assert found(table, Query("p")) == names


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (equals("number", 2), NAMES[2:3]),
        (greater_than("number", 2), NAMES[3:]),
        (all_of(greater_than("number", 0), less_than("number", 3)), NAMES[1:3]),
        (any_of(equals("number", 0), equals("number", 5)), [NAMES[0], NAMES[5]]),
        (exists("missing"), []),
    ],
    ids=str,
)
def test_a_filter_selects_items(filled: Table, where: Condition, expected: list[str]) -> None:
    assert found(filled, Query("p", where=where)) == expected


def test_a_filter_by_prefix_selects_items(table: Table) -> None:
    table.batch_write([Put({"pk": "p", "sk": str(place), "name": name}) for place, name in enumerate(NAMES)])
    assert found(table, Query("p", where=starts_with("name", "b"))) == ["3", "4"]


def test_a_limit_counts_what_is_returned(filled: Table) -> None:
    assert found(filled, Query("p", limit=2)) == NAMES[:2]
    assert found(filled, Query("p", limit=2, newest_first=True)) == NAMES[:-3:-1]
    assert found(filled, Query("p", limit=2, where=greater_than("number", 2))) == NAMES[3:5]
    assert found(filled, Query("p", limit=100)) == NAMES
    assert found(filled, Query("p", limit=0)) == []


def test_the_size_of_the_first_page_changes_nothing_of_what_is_found(filled: Table) -> None:
    assert found(filled, Query("p", first_page=1)) == NAMES
    assert found(filled, Query("p", first_page=1, where=greater_than("number", 2))) == NAMES[3:]
    assert found(filled, Query("p", first_page=2, limit=3, newest_first=True)) == NAMES[:-4:-1]


def test_a_query_returns_only_the_named_attributes(filled: Table) -> None:
    assert list(filled.query(Query("p", Prefix("c"), attributes=("number",)))) == [{"number": 5}]
    assert list(filled.query(Query("p", Prefix("c"), attributes=("sk", "pk", "missing")))) == [{"pk": "p", "sk": "c"}]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_query_continues_after_a_full_page(table: Table, newest_first: bool) -> None:
    names = [f"{number:02d}" for number in range(8)]
    for name in names:
        table.put({"pk": "p", "sk": name, "body": LARGE, "is_even": int(name) % 2 == 0})
    ordered = names[::-1] if newest_first else names
    assert found(table, Query("p", newest_first=newest_first)) == ordered
    assert found(table, Query("p", newest_first=newest_first, limit=5)) == ordered[:5]
    even = [name for name in ordered if int(name) % 2 == 0]
    assert found(table, Query("p", newest_first=newest_first, limit=3, where=equals("is_even", True))) == even[:3]
    assert found(table, Query("p", Range(at_least="02"), newest_first=newest_first)) == [
        name for name in ordered if name >= "02"
    ]


def test_a_query_may_be_left_before_its_end(filled: Table) -> None:
    assert [item["sk"] for item in islice(filled.query(Query("p")), 2)] == NAMES[:2]


class TestIndexes:
    """Indexes hold the items that have their keys."""

    @pytest.fixture
    def tasks(self, engine: Engine) -> Table:
        """Three tasks, one of which is due no more."""
        engine.tasks.batch_write(
            [
                Put({"pk": "1", "due_pk": "due", "due_sk": "b", "created_pk": "tasks", "created_sk": "1", "type": "x"}),
                Put({"pk": "2", "due_pk": "due", "due_sk": "a", "created_pk": "tasks", "created_sk": "2", "type": "y"}),
                Put({"pk": "3", "created_pk": "tasks", "created_sk": "3", "type": "x", "data": "much"}),
            ]
        )
        return engine.tasks

    def test_items_without_its_keys_are_not_in_it(self, tasks: Table) -> None:
        assert [item["pk"] for item in tasks.query(Query("due", index="due"))] == ["2", "1"]
        assert [item["pk"] for item in tasks.query(Query("due", Range(below="b"), index="due"))] == ["2"]
        assert [item["pk"] for item in tasks.query(Query("tasks", index="created", newest_first=True))] == list("321")

    def test_it_holds_what_its_definition_says(self, tasks: Table) -> None:
        assert list(tasks.query(Query("due", Prefix("a"), index="due"))) == [
            {"pk": "2", "due_pk": "due", "due_sk": "a"}
        ]
        third = {"pk": "3", "created_pk": "tasks", "created_sk": "3", "type": "x"}
        assert list(tasks.query(Query("tasks", Prefix("3"), index="created"))) == [third]

    def test_it_can_be_filtered_and_limited(self, tasks: Table) -> None:
        query = Query("tasks", index="created", newest_first=True, where=equals("type", "x"), limit=1)
        assert [item["pk"] for item in tasks.query(query)] == ["3"]

    def test_it_follows_the_items(self, tasks: Table) -> None:
        tasks.put({"pk": "1", "created_pk": "tasks", "created_sk": "1", "type": "x"})
        tasks.delete({"pk": "2"})
        assert list(tasks.query(Query("due", index="due"))) == []

    def test_a_number_as_sort_key(self, engine: Engine) -> None:
        for number in (5, 40, -3):
            item = {"pk": "p", "sk": str(number), "awaiting": "content", "created_time_ms": number, "media_type": "x"}
            engine.blobs.put(item)
        query = Query("content", Range(below=40), index="awaiting-content")
        assert [item["created_time_ms"] for item in engine.blobs.query(query)] == [-3, 5]
        assert [item["media_type"] for item in engine.blobs.query(query)] == ["x", "x"]

    def test_an_unknown_index_is_a_defect(self, engine: Engine) -> None:
        with pytest.raises(KeyError):
            engine.tasks.query(Query("due", index="nothing"))

    def test_a_table_without_sort_key_has_nothing_to_query(self, engine: Engine) -> None:
        with pytest.raises(ValueError, match="no sort key"):
            engine.tasks.query(Query("1"))
