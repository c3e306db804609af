"""Items that are read ahead, on each engine.

The tests change an item behind the engine's back, so that a value that was fetched before differs from a stored one.
"""

from collections.abc import Callable
from contextvars import Context
from threading import Thread

import pytest

from chalicelib.engine.definitions import ACCOUNTS, DATA
from chalicelib.engine.engine import Engine
from chalicelib.engine.read_ahead import reading_ahead
from chalicelib.engine.table import Delete, Item, Key, Put, Table, Update

KEY: Key = {"pk": "a", "sk": "1"}
OTHER: Key = {"pk": "a", "sk": "2"}
ABSENT: Key = {"pk": "b", "sk": "1"}
OLD, NEW = KEY | {"value": "old"}, KEY | {"value": "new"}


@pytest.fixture
def stored(engine: Engine) -> Table:
    """The data table without reading ahead; it has the old item."""
    table = engine.tables.table(DATA)
    table.put(OLD)
    table.put(OTHER)
    return table


def test_an_item_is_handed_out_once(engine: Engine, stored: Table) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, KEY)])
        stored.put(NEW)
        assert engine.data.get(KEY) == OLD
        assert engine.data.get(KEY) == NEW


def test_an_absent_item_is_handed_out_as_absent(engine: Engine, stored: Table) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, ABSENT)])
        stored.put(ABSENT)
        assert engine.data.get(ABSENT) is None
        assert engine.data.get(ABSENT) == ABSENT


def test_items_are_those_of_their_table(engine: Engine, stored: Table) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(ACCOUNTS, KEY)])
        assert engine.data.get(KEY) == OLD
        assert engine.accounts.get(KEY) is None


def test_a_batch_is_handed_out_whole_in_any_order(engine: Engine, stored: Table) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, KEY), (DATA, OTHER), (DATA, ABSENT)])
        stored.put(NEW)
        assert engine.data.batch_get([ABSENT, OTHER, KEY, KEY]) == [None, OTHER, OLD, OLD]
        assert engine.data.batch_get([KEY, OTHER]) == [NEW, OTHER]


def test_a_batch_with_an_item_that_was_not_fetched_is_read_from_the_table(engine: Engine, stored: Table) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, KEY)])
        stored.put(NEW)
        assert engine.data.batch_get([KEY, OTHER]) == [NEW, OTHER]
        assert engine.data.get(KEY) == NEW  # not the older one that was fetched


WRITES: dict[str, Callable[[Table], None]] = {
    "put": lambda table: table.put(NEW),
    "update": lambda table: table.update(Update(KEY, set={"value": "new"})),
    "delete": lambda table: table.delete(KEY),
    "transact": lambda table: table.transact([Put(NEW)]),
    "batch_write": lambda table: table.batch_write([Delete(KEY)]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_request_reads_what_it_wrote(engine: Engine, stored: Table, write: Callable[[Table], None]) -> None:
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, KEY)])
        write(engine.data)
        assert engine.data.get(KEY) == stored.get(KEY) != OLD


def test_nothing_outlives_its_block(engine: Engine, stored: Table) -> None:
    def fail() -> None:
        with reading_ahead(engine.tables) as fetch:
            fetch([(DATA, KEY)])
            stored.put(NEW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert engine.data.get(KEY) == NEW
    with reading_ahead(engine.tables):
        assert engine.data.get(KEY) == NEW


def test_another_thread_does_not_see_the_items(engine: Engine, stored: Table) -> None:
    seen: list[Item | None] = []
    with reading_ahead(engine.tables) as fetch:
        fetch([(DATA, KEY)])
        stored.put(NEW)
        for _ in range(2):
            thread = Thread(target=lambda: seen.append(engine.data.get(KEY)))
            thread.start()
            thread.join()
        assert engine.data.get(KEY) == OLD
    assert seen == [NEW, NEW]


def test_requests_that_take_turns_keep_their_items_apart(engine: Engine, stored: Table) -> None:
    first, second = Context(), Context()
    of_first, of_second = reading_ahead(engine.tables), reading_ahead(engine.tables)
    first.run(of_first.__enter__)([(DATA, KEY)])
    stored.put(NEW)
    second.run(of_second.__enter__)([(DATA, OTHER)])
    assert second.run(engine.data.get, KEY) == NEW
    assert first.run(engine.data.get, KEY) == OLD
    first.run(of_first.__exit__, None, None, None)
    second.run(of_second.__exit__, None, None, None)
