"""Batches: many reads or writes at once, in the order of the keys or in any."""

import pytest

from chalicelib.engine.conditions import absent
from chalicelib.engine.definitions import ACCOUNTS, TASKS
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Delete, Put, Query, Table


def key(number: int) -> dict[str, str]:
    """The key of an item."""
    return {"pk": "p", "sk": f"{number:04d}"}


def test_items_come_in_the_order_of_their_keys(table: Table) -> None:
    table.put(key(1) | {"number": 1})
    table.put(key(2) | {"number": 2})
    assert table.batch_get([key(2), key(3), key(1)]) == [key(2) | {"number": 2}, None, key(1) | {"number": 1}]
    assert table.batch_get([key(1)], may_lag=True) == [key(1) | {"number": 1}]
    assert table.batch_get([]) == []


def test_a_key_may_come_twice(table: Table) -> None:
    table.put(key(1))
    assert table.batch_get([key(1), key(2), key(1), key(2)]) == [key(1), None, key(1), None]


def test_more_than_fit_into_one_call(table: Table) -> None:
    table.batch_write([Put(key(number)) for number in range(230)])
    assert table.batch_get([key(number) for number in range(240)]) == [
        *(key(number) for number in range(230)),
        *[None] * 10,
    ]


def test_several_tables_at_once(engine: Engine) -> None:
    engine.accounts.put(key(1))
    engine.tasks.put({"pk": "p", "number": 1})
    keys = [(TASKS, {"pk": "p"}), (ACCOUNTS, key(1)), (TASKS, {"pk": "q"})]
    assert engine.tables.batch_get(keys) == [{"pk": "p", "number": 1}, key(1), None]
    assert engine.tables.batch_get(keys, may_lag=True) == engine.tables.batch_get(keys)


def test_a_batch_puts_and_deletes(table: Table) -> None:
    table.batch_write([Put(key(number)) for number in range(60)])
    table.batch_write([*(Delete(key(number)) for number in range(0, 60, 2)), Delete(key(99)), Put(key(100))])
    assert [item["sk"] for item in table.query(Query("p"))] == [f"{number:04d}" for number in (*range(1, 60, 2), 100)]
    table.batch_write([])


def test_a_batch_has_no_conditions(table: Table) -> None:
    with pytest.raises(ValueError, match="no conditions"):
        table.batch_write([Put(key(1)), Put(key(2), absent())])
    assert table.get(key(1)) is None
