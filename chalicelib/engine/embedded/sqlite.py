"""Tables in SQLite, with the limits of DynamoDB, so that no caller comes to rely on their absence."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from chalicelib.engine import backoff
from chalicelib.engine.conditions import Condition
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.evaluation import holds, require_valid, updated
from chalicelib.engine.embedded.faults import Faults
from chalicelib.engine.embedded.item_bodies import size_bytes
from chalicelib.engine.embedded.query_plans import Page, QueryPlan
from chalicelib.engine.embedded.rows import DELETE, PUT, SELECT_BODY, Row, RowKey, Rows
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import MAX_TRANSACTION_WRITES, Delete, Item, Key, Put, Query, Table, Update, Write
from chalicelib.errors import UnavailableError

MAX_BATCH_KEYS = 100
MAX_BATCH_WRITES = 25
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
"""Limits of DynamoDB."""
SWEPT_ITEMS = 1_000
"""Expired items that one transaction removes."""
LONGEST_EXPIRED_S = 5 * 365 * 24 * 3600
"""Items that expired longer ago stay, as they do on DynamoDB: more likely, the clock is wrong."""

_PARTITION_KEYS = "SELECT pk FROM items WHERE table_name = ? AND sk = ? ORDER BY pk"
_SWEEP = (
    "DELETE FROM items WHERE rowid IN "
    "(SELECT rowid FROM items WHERE expires_at_s < ? AND expires_at_s > ? ORDER BY expires_at_s LIMIT ?)"
)


class SqliteTables:
    """The port `Tables` on SQLite."""

    def __init__(self, database: Database, faults: Faults | None = None) -> None:
        self._database = database
        self._faults = faults
        self._tables: dict[str, SqliteTable] = {}

    def table(self, definition: TableDefinition) -> Table:
        """See `Tables.table`."""
        return self._table(definition)

    def batch_get(
        self,
        keys: Sequence[tuple[TableDefinition, Key]],
        *,
        may_lag: bool = False,  # noqa: ARG002  no read lags
    ) -> list[Item | None]:
        """See `Tables.batch_get`."""
        tables = {definition.name: self._table(definition) for definition, _ in keys}
        row_keys = [tables[definition.name].rows.key(key) for definition, key in keys]
        wanted = list(dict.fromkeys(row_keys))
        found: dict[RowKey, Item | None] = {}
        empty_attempts = 0
        while wanted and empty_attempts < backoff.MAX_ATTEMPTS:
            batch = wanted[:MAX_BATCH_KEYS]
            count = len(batch) - (0 if self._faults is None else self._faults.held_back("BatchGetItem"))
            with self._database.reading() as connection:
                for row_key in batch[:count]:
                    found[row_key] = tables[row_key[0]].stored(connection, row_key)
            wanted = wanted[count:]
            if count:
                empty_attempts = 0
            else:
                backoff.pause_after(empty_attempts)
                empty_attempts += 1
        if wanted:
            raise UnavailableError
        return [found[row_key] for row_key in row_keys]

    def partition_keys(self, definition: TableDefinition, sort_key: str) -> list[str]:
        """The partition keys of all items of a table with this sort key, in order.

        This is a scan of the table's keys, which no port offers: on DynamoDB it would cost a read of the whole table.
        """
        with self._database.reading() as connection:
            rows = connection.execute(_PARTITION_KEYS, (definition.name, sort_key))
            return [partition_key for (partition_key,) in rows]

    def sweep(self, now_ms: int) -> int:
        """Remove the items that have expired, and return how many there were."""
        now_s = now_ms // 1000
        removed = 0
        while True:
            with self._database.writing() as connection:
                count = connection.execute(_SWEEP, (now_s, now_s - LONGEST_EXPIRED_S, SWEPT_ITEMS)).rowcount
            removed += count
            if count < SWEPT_ITEMS:
                return removed

    def _table(self, definition: TableDefinition) -> "SqliteTable":
        table = self._tables.get(definition.name)
        if table is None:
            table = self._tables[definition.name] = SqliteTable(self, definition, self._database, self._faults)
        return table


class SqliteTable:
    """The port `Table` on SQLite. A write commits once; a read sees all that was committed, indexes included."""

    def __init__(
        self, tables: SqliteTables, definition: TableDefinition, database: Database, faults: Faults | None
    ) -> None:
        self.rows = Rows(definition)
        self._tables = tables
        self._definition = definition
        self._database = database
        self._faults = faults

    def get(self, key: Key, *, may_lag: bool = False) -> Item | None:  # noqa: ARG002  no read lags
        """See `Table.get`."""
        row_key = self.rows.key(key)
        self._before("GetItem")
        with self._database.reading() as connection:
            return self.stored(connection, row_key)

    def batch_get(self, keys: Sequence[Key], *, may_lag: bool = False) -> list[Item | None]:
        """See `Table.batch_get`."""
        return self._tables.batch_get([(self._definition, key) for key in keys], may_lag=may_lag)

    def query(self, query: Query) -> Iterator[Item]:
        """See `Table.query`.

        Raises:
            RuntimeError: DynamoDB would refuse the query.
        """
        return self._items(QueryPlan(self._definition, query), query.limit)

    def put(self, item: Item, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.put`."""
        self._write_one("PutItem", Put(item, condition, return_stored))

    def update(self, update: Update) -> None:
        """See `Table.update`."""
        self._write_one("UpdateItem", update)

    def delete(self, key: Key, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.delete`."""
        self._write_one("DeleteItem", Delete(key, condition, return_stored))

    def transact(self, writes: Sequence[Write]) -> None:
        """See `Table.transact`.

        Raises:
            RuntimeError: DynamoDB would refuse the transaction.
        """
        if not 1 <= len(writes) <= MAX_TRANSACTION_WRITES:
            raise RuntimeError(f"a transaction has 1 to {MAX_TRANSACTION_WRITES} writes, not {len(writes)}")
        prepared = self._prepared(writes)
        backoff.repeat_on_conflict(lambda: self._transact(prepared))

    def batch_write(self, writes: Sequence[Put | Delete]) -> None:
        """See `Table.batch_write`. Each batch is one commit.

        Raises:
            ValueError: a write has a condition.
            RuntimeError: DynamoDB would refuse a batch.
        """
        if any(write.condition is not None for write in writes):
            raise ValueError("writes of a batch have no conditions")
        for start in range(0, len(writes), MAX_BATCH_WRITES):
            self._write_batch(self._prepared(writes[start : start + MAX_BATCH_WRITES]))

    def stored(self, connection: sqlite3.Connection, row_key: RowKey) -> Item | None:
        """The item in the row with this key."""
        row = connection.execute(SELECT_BODY, row_key).fetchone()
        return None if row is None else self.rows.item(row_key, row[0])

    def _write_one(self, operation: str, write: Write) -> None:
        prepared = self._prepared([write])
        self._before(operation)
        try:
            self._commit(prepared)
        except TransactionRefusedError as refused:
            raise ConditionFailedError(refused.stored(0)) from None

    def _transact(self, prepared: "Prepared") -> None:
        self._before("TransactWriteItems")
        self._commit(prepared, MAX_TRANSACTION_BYTES)

    def _write_batch(self, prepared: "Prepared") -> None:
        keys = list(prepared)
        for attempt in range(backoff.MAX_ATTEMPTS):
            count = len(keys) - (0 if self._faults is None else self._faults.held_back("BatchWriteItem"))
            if count:
                self._commit({key: prepared[key] for key in keys[:count]})
            keys = keys[count:]
            if not keys:
                return
            backoff.pause_after(attempt)
        raise UnavailableError

    def _prepared(self, writes: Sequence[Write]) -> "Prepared":
        """The writes by the keys of their rows, each put with its row: what can be done before the lock is taken."""
        prepared: dict[RowKey, tuple[Write, Row | None, int]] = {}
        row_key: RowKey
        for write in writes:
            row: Row | None = None
            most_bytes = 0
            if isinstance(write, Put):
                row, most_bytes = self.rows.row(write.item)
                row_key = row[0], row[1], row[2]
            else:
                row_key = self.rows.key(write.key)
                if isinstance(write, Update):
                    require_valid(write)
            if row_key in prepared:
                raise RuntimeError("two writes of one transaction or batch are of one item")
            prepared[row_key] = write, row, most_bytes
        return prepared

    def _commit(self, prepared: "Prepared", limit_bytes: int | None = None) -> None:
        """Carry out all writes in one commit.

        Raises:
            TransactionRefusedError: conditions do not hold.
            RuntimeError: the items have more bytes together than the limit.
        """
        with self._database.writing() as connection:
            refused: dict[int, Item | None] = {}
            stored_items: dict[RowKey, Item | None] = {}
            for index, (row_key, (write, _, _)) in enumerate(prepared.items()):
                if write.condition is None and not isinstance(write, Update):
                    continue
                stored = stored_items[row_key] = self.stored(connection, row_key)
                if write.condition is not None and not holds(write.condition, stored):
                    refused[index] = stored if write.return_stored else None
            if refused:
                raise TransactionRefusedError(refused)
            total_bytes = 0
            for row_key, (write, row, most_bytes) in prepared.items():
                if isinstance(write, Update):
                    row, most_bytes = self.rows.row(updated(write, stored_items[row_key]))
                if row is not None:
                    connection.execute(PUT, row)
                elif isinstance(write, Delete):
                    connection.execute(DELETE, row_key)
                total_bytes += most_bytes
            if limit_bytes is not None and total_bytes > limit_bytes:
                written = filter(None, (self.stored(connection, row_key) for row_key in prepared))
                if sum(map(size_bytes, written)) > limit_bytes:
                    raise RuntimeError("the items of a transaction have more than 4 MB")

    def _items(self, plan: QueryPlan, limit: int | None) -> Iterator[Item]:
        left, page = limit, Page()
        while left is None or left > 0:
            self._before("Query")
            with self._query_connection(plan) as connection:
                page = plan.page(connection, page.last, left)
            yield from page.items
            if page.last is None:
                return
            left = None if left is None else left - len(page.items)

    def _query_connection(self, plan: QueryPlan) -> AbstractContextManager[sqlite3.Connection]:
        if plan.is_of_index and self._faults is not None and self._faults.stale is not None:
            return nullcontext(self._faults.stale)
        return self._database.reading()

    def _before(self, operation: str) -> None:
        if self._faults is not None:
            self._faults.before(operation)


Prepared = Mapping[RowKey, tuple[Write, Row | None, int]]
"""Writes by the keys of their rows, each put with its row and how many bytes that has at most."""
