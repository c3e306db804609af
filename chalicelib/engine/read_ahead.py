"""Reading ahead: items that a request needs later, fetched in the round trip that it makes first.

    with reading_ahead(engine.tables) as fetch:
        fetch([(ACCOUNTS, session_key(token_hash)), (DATA, head_key(data_set_id))])  # one call
        session = engine.accounts.get(session_key(token_hash))  # no call
        head = engine.data.get(head_key(data_set_id))  # no call

Each item is handed out once: a store that reads an item again reads the table, so a store that finds it outdated gets
the stored one. A write discards all of them, so stores always read what the same request wrote. The items belong to
the context of the block, not to the tables, so concurrent requests never see those of each other.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.engine.conditions import Condition
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.table import Delete, Item, Key, Put, Query, Table, Tables, Update, Write

Fetch = Callable[[Sequence[tuple[TableDefinition, Key]]], None]
"""Reads items of several tables in one call, and remembers them until they are asked for."""

_Identity = tuple[str, frozenset[tuple[str, str | int]]]


class ReadAhead:
    """The items that were fetched in one block, None for those that are not stored."""

    def __init__(self) -> None:
        self._items: dict[_Identity, Item | None] = {}

    def add(self, definition: TableDefinition, key: Key, item: Item | None) -> None:
        """Remember an item."""
        self._items[_identity(definition, key)] = item

    def take(self, definition: TableDefinition, keys: Sequence[Key]) -> list[Item | None] | None:
        """The items with these keys; None unless all of them were fetched. Either way they are forgotten: the caller
        reads the table if it gets none, and must not get an older item afterwards."""
        identities = [_identity(definition, key) for key in keys]
        found = {identity: self._items.pop(identity) for identity in set(identities) & self._items.keys()}
        if len(found) < len(set(identities)):
            return None
        return [found[identity] for identity in identities]

    def discard(self) -> None:
        """Forget all items."""
        self._items.clear()


_current: ContextVar[ReadAhead | None] = ContextVar("read_ahead", default=None)


@contextmanager
def reading_ahead(tables: Tables) -> Iterator[Fetch]:
    """Let the tables of this context return items that the yielded function fetched, until the block ends."""
    ahead = ReadAhead()

    def fetch(keys: Sequence[tuple[TableDefinition, Key]]) -> None:
        for (definition, key), item in zip(keys, tables.batch_get(keys), strict=True):
            ahead.add(definition, key, item)

    token = _current.set(ahead)
    try:
        yield fetch
    finally:
        _current.reset(token)


class TableReadingAhead:
    """A table that first looks among the items that were read ahead."""

    def __init__(self, table: Table, definition: TableDefinition) -> None:
        self._table = table
        self._definition = definition

    def get(self, key: Key, *, may_lag: bool = False) -> Item | None:
        """See `Table.get`: no call for an item that was read ahead."""
        items = self._take([key])
        return self._table.get(key, may_lag=may_lag) if items is None else items[0]

    def batch_get(self, keys: Sequence[Key], *, may_lag: bool = False) -> list[Item | None]:
        """See `Table.batch_get`: no call if all items were read ahead."""
        items = self._take(keys)
        return self._table.batch_get(keys, may_lag=may_lag) if items is None else items

    def query(self, query: Query) -> Iterator[Item]:
        """See `Table.query`."""
        return self._table.query(query)

    def put(self, item: Item, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.put`."""
        self._discard()
        self._table.put(item, condition, return_stored=return_stored)

    def update(self, update: Update) -> None:
        """See `Table.update`."""
        self._discard()
        self._table.update(update)

    def delete(self, key: Key, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.delete`."""
        self._discard()
        self._table.delete(key, condition, return_stored=return_stored)

    def transact(self, writes: Sequence[Write]) -> None:
        """See `Table.transact`."""
        self._discard()
        self._table.transact(writes)

    def batch_write(self, writes: Sequence[Put | Delete]) -> None:
        """See `Table.batch_write`."""
        self._discard()
        self._table.batch_write(writes)

    def _take(self, keys: Sequence[Key]) -> list[Item | None] | None:
        ahead = _current.get()
        return None if ahead is None else ahead.take(self._definition, keys)

    def _discard(self) -> None:
        ahead = _current.get()
        if ahead is not None:
            ahead.discard()


def _identity(definition: TableDefinition, key: Key) -> _Identity:
    return definition.name, frozenset(key.items())
