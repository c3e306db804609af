"""Single items: values, writes, conditions, refusals."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from chalicelib.engine.conditions import (
    Condition,
    absent,
    all_of,
    any_of,
    at_most,
    equals,
    exists,
    greater_than,
    less_than,
    not_equals,
    starts_with,
)
from chalicelib.engine.engine import Engine
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Delete, Put, Table, Update

KEY = {"pk": "USER#anna", "sk": "ACCOUNT"}
ITEM = KEY | {"name": "Anna", "number": 5, "flag": True, "body": b"\x00\xff", "texts": ["a", "b"], "off": False}


def test_no_item_is_none(table: Table) -> None:
    assert table.get(KEY) is None
    assert table.get(KEY, may_lag=True) is None


def test_an_item_comes_back_as_it_was(table: Table) -> None:
    table.put(ITEM)
    assert table.get(KEY) == ITEM
    stored = table.get(KEY) or {}
    assert {name: type(value) for name, value in stored.items()} == {name: type(value) for name, value in ITEM.items()}


@pytest.mark.parametrize("value", [-(2**63), 0, 10**37, "", "ü€\U0001f600", [], ["", "x"], b"", False])
def test_a_value_comes_back_as_it_was(table: Table, value: Any) -> None:
    table.put(KEY | {"value": value})
    assert (table.get(KEY) or {})["value"] == value


def test_tuples_and_enumerations_are_stored_as_lists_and_texts(table: Table) -> None:
    class Color(StrEnum):
        RED = "red"

    table.put(KEY | {"one": Color.RED, "some": (Color.RED, "blue")})
    stored = table.get(KEY) or {}
    assert stored == KEY | {"one": "red", "some": ["red", "blue"]}
    assert type(stored["one"]) is str


@pytest.mark.parametrize("value", [None, 1.5, {"a": 1}, {"a"}, [1], [b""], object()])
def test_other_values_are_refused_before_anything_is_sent(table: Table, value: Any) -> None:
    with pytest.raises(TypeError):
        table.put(KEY | {"value": value})
    assert table.get(KEY) is None


def test_a_put_replaces_the_whole_item(table: Table) -> None:
    table.put(ITEM)
    table.put(KEY | {"other": 1})
    assert table.get(KEY) == KEY | {"other": 1}


def test_items_of_a_table_without_a_sort_key(engine: Engine) -> None:
    engine.tasks.put({"pk": "a", "number": 1})
    assert engine.tasks.get({"pk": "a"}) == {"pk": "a", "number": 1}
    engine.tasks.delete({"pk": "a"})
    assert engine.tasks.get({"pk": "a"}) is None


def test_tables_are_apart(engine: Engine) -> None:
    engine.accounts.put(ITEM)
    assert engine.data.get(KEY) is None


def test_an_update_sets_adds_and_removes(table: Table) -> None:
    table.put(ITEM)
    table.update(
        Update(
            KEY,
            set={"name": "Berta", "type": "a reserved word"},
            set_if_absent={"flag": False, "since": 7},
            add={"number": -2, "count": 3},
            remove=("texts", "missing"),
        )
    )
    expected = ITEM | {"name": "Berta", "type": "a reserved word", "since": 7, "number": 3, "count": 3}
    del expected["texts"]
    assert table.get(KEY) == expected


def test_an_update_makes_an_item_where_there_is_none(table: Table) -> None:
    table.update(Update(KEY, set={"name": "Anna"}, add={"count": 1}))
    assert table.get(KEY) == KEY | {"name": "Anna", "count": 1}


def test_attributes_may_have_any_name(table: Table) -> None:
    name = "d3#upload-1.a b"
    table.update(Update(KEY, set={name: b"1"}, condition=absent(name)))
    table.update(Update(KEY, remove=(name,), condition=equals(name, b"1")))
    assert table.get(KEY) == KEY


def test_a_delete_removes_and_a_second_one_is_no_error(table: Table) -> None:
    table.put(ITEM)
    table.delete(KEY)
    table.delete(KEY)
    assert table.get(KEY) is None


HOLDING = [
    exists(),
    exists("name"),
    absent("missing"),
    equals("name", "Anna"),
    equals("number", 5),
    equals("flag", True),
    equals("body", b"\x00\xff"),
    equals("missing", 0, or_absent=True),
    equals("number", 5, or_absent=True),
    not_equals("number", 6),
    not_equals("missing", 6),
    less_than("number", 6),
    at_most("number", 5),
    greater_than("number", 4),
    less_than("name", "Annb"),
    starts_with("name", "An"),
    all_of(exists(), equals("number", 5)),
    any_of(absent(), equals("number", 5)),
    any_of(absent(), all_of(exists(), any_of(equals("number", 4), equals("number", 5)))),
    all_of(any_of(absent("a"), exists("b")), any_of(absent("name"), equals("number", 5))),
]
FAILING = [
    absent(),
    absent("name"),
    exists("missing"),
    equals("name", "anna"),
    equals("number", "5"),
    equals("flag", False),
    equals("missing", 0),
    equals("number", 0, or_absent=True),
    not_equals("number", 5),
    less_than("number", 5),
    less_than("missing", 5),
    at_most("number", 4),
    at_most("missing", 4),
    greater_than("number", 5),
    greater_than("missing", 0),
    starts_with("name", "n"),
    starts_with("missing", ""),
    all_of(exists(), equals("number", 4)),
    any_of(absent(), equals("number", 4)),
    all_of(any_of(exists("a"), exists("name")), any_of(absent("name"), equals("number", 4))),
]
WRITES: list[Callable[[Table, Condition], None]] = [
    lambda table, condition: table.put(KEY | {"new": 1}, condition, return_stored=True),
    lambda table, condition: table.update(Update(KEY, set={"new": 1}, condition=condition, return_stored=True)),
    lambda table, condition: table.delete(KEY, condition, return_stored=True),
]


@pytest.mark.parametrize("write", WRITES, ids=["put", "update", "delete"])
@pytest.mark.parametrize("condition", HOLDING, ids=str)
def test_a_write_whose_condition_holds_is_carried_out(
    table: Table, condition: Condition, write: Callable[[Table, Condition], None]
) -> None:
    table.put(ITEM)
    write(table, condition)
    assert table.get(KEY) != ITEM


@pytest.mark.parametrize("write", WRITES, ids=["put", "update", "delete"])
@pytest.mark.parametrize("condition", FAILING, ids=str)
def test_a_write_whose_condition_fails_changes_nothing_and_tells_what_is_stored(
    table: Table, condition: Condition, write: Callable[[Table, Condition], None]
) -> None:
    table.put(ITEM)
    with pytest.raises(ConditionFailedError) as failed:
        write(table, condition)
    assert failed.value.stored == ITEM
    assert table.get(KEY) == ITEM


@pytest.mark.parametrize("write", WRITES, ids=["put", "update", "delete"])
@pytest.mark.parametrize("condition", [exists(), exists("name"), equals("number", 5), less_than("number", 6)], ids=str)
def test_a_condition_on_no_item_fails_with_nothing_stored(
    table: Table, condition: Condition, write: Callable[[Table, Condition], None]
) -> None:
    with pytest.raises(ConditionFailedError) as failed:
        write(table, condition)
    assert failed.value.stored is None
    assert table.get(KEY) is None


def test_what_is_stored_is_not_told_unless_it_is_asked_for(table: Table) -> None:
    table.put(ITEM)
    with pytest.raises(ConditionFailedError) as failed:
        table.put(ITEM, absent())
    assert failed.value.stored is None


def test_writes_are_values() -> None:
    assert Put(ITEM, absent()) == Put(dict(ITEM), absent())
    assert Delete(KEY) != Delete(KEY, exists())
