"""Transactions: all or none, which write failed, what is stored there, races."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.engine.conditions import absent, equals, exists, less_than
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Check, Delete, Put, Table, Update

WRITERS = 8


def key(name: str) -> dict[str, str]:
    """The key of an item."""
    return {"pk": name, "sk": "item"}


def test_all_kinds_of_writes_are_carried_out_together(table: Table) -> None:
    table.put(key("old"))
    table.put(key("checked"))
    table.transact(
        [
            Put(key("new") | {"number": 1}, absent()),
            Update(key("counter"), add={"count": 2}),
            Delete(key("old"), exists()),
            Check(key("checked"), exists()),
        ]
    )
    assert table.get(key("new")) == key("new") | {"number": 1}
    assert table.get(key("counter")) == key("counter") | {"count": 2}
    assert table.get(key("old")) is None
    assert table.get(key("checked")) == key("checked")


def test_a_refused_transaction_writes_nothing_and_names_the_failed_writes(table: Table) -> None:
    there = key("there") | {"number": 1, "texts": ["a"]}
    table.put(there)
    with pytest.raises(TransactionRefusedError) as refused:
        table.transact(
            [
                Put(key("new")),
                Put(key("there"), absent(), return_stored=True),
                Check(key("missing"), exists(), return_stored=True),
                Update(key("there-too"), set={"number": 2}, condition=absent()),
                Delete(key("absent"), exists()),
            ]
        )
    assert refused.value.failed(1)
    assert not refused.value.failed(0)
    assert not refused.value.failed(3)
    assert set(refused.value.indexes) <= {1, 2, 4}
    assert refused.value.stored(1) == there
    assert [refused.value.stored(index) for index in (0, 2, 3, 4)] == [None] * 4
    assert table.get(key("new")) is None
    assert table.get(key("there-too")) is None
    assert table.get(key("there")) == there


def test_what_is_stored_is_not_told_unless_it_is_asked_for(table: Table) -> None:
    table.put(key("there"))
    with pytest.raises(TransactionRefusedError) as refused:
        table.transact([Put(key("there"), absent()), Put(key("new"))])
    assert refused.value.stored(0) is None


def test_a_check_writes_nothing(table: Table) -> None:
    table.transact([Check(key("missing"), absent())])
    assert table.get(key("missing")) is None


def test_a_hundred_writes_are_one_transaction(table: Table) -> None:
    names = [f"item-{number}" for number in range(MAX_TRANSACTION_WRITES)]
    table.transact([Put(key(name)) for name in names])
    assert all(table.batch_get([key(name) for name in names]))


def test_of_several_that_add_an_item_at_once_one_wins(table: Table) -> None:
    def add(number: int) -> bool:
        try:
            table.transact([Put(key("slot") | {"number": number}, absent()), Update(key("won"), add={"count": 1})])
        except TransactionRefusedError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(add, range(WRITERS)))
    assert won.count(True) == 1
    assert table.get(key("slot")) == key("slot") | {"number": won.index(True)}
    assert table.get(key("won")) == key("won") | {"count": 1}


def test_of_several_that_replace_a_version_at_once_each_wins_in_the_end(table: Table) -> None:
    table.put(key("doc") | {"version": 0})

    def replace(_: int) -> int:
        lost = 0
        while True:
            version = (table.get(key("doc")) or {})["version"]
            try:
                table.put(key("doc") | {"version": version + 1}, equals("version", version))
            except ConditionFailedError:
                lost += 1
            else:
                return lost

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(replace, range(WRITERS)))
    assert table.get(key("doc")) == key("doc") | {"version": WRITERS}


def test_a_limit_holds_for_several_that_count_at_once(table: Table) -> None:
    limited = Update(key("attempts"), add={"count": 1}, condition=less_than("count", 3))
    table.put(key("attempts") | {"count": 0})

    def count(_: int) -> bool:
        try:
            table.update(limited)
        except ConditionFailedError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        assert list(pool.map(count, range(WRITERS))).count(True) == 3
    assert table.get(key("attempts")) == key("attempts") | {"count": 3}
