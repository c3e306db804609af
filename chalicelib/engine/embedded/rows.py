"""The rows of the table `items`, which holds the items of all tables.

A row has the key of the item, a column for each attribute that is a key of some index, the second of expiration, and
last the body: all attributes but the item's own key. A scan of keys alone therefore reads no body. `sk` is empty where
a table has no sort key.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.engine.definitions import TABLES, IndexDefinition, KeyAttribute, TableDefinition
from chalicelib.engine.embedded.item_bodies import decode, encode, plain, size_bytes
from chalicelib.engine.table import MAX_ITEM_BYTES, Item, Key

MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
"""Limits of DynamoDB."""
_KEY_NAMES_BYTES = 64
"""More than the names of a table's key take."""

INDEX_COLUMNS = tuple(
    dict.fromkeys(key.name for table in TABLES for index in table.indexes for key in (index.partition, index.sort))
)
_COLUMNS = ("table_name", "pk", "sk", *INDEX_COLUMNS, "expires_at_s", "body")


def index_name(table: TableDefinition, index: IndexDefinition) -> str:
    """The name of an index in SQLite."""
    return f"items_of_{table.name}_by_{index.name.replace('-', '_')}"


def _index_schema(table: TableDefinition, index: IndexDefinition) -> str:
    partition, sort = index.partition.name, index.sort.name
    return (
        f"CREATE INDEX IF NOT EXISTS {index_name(table, index)} ON items (table_name, {partition}, {sort}) "
        f"WHERE {partition} IS NOT NULL AND {sort} IS NOT NULL"
    )


SCHEMA = (
    "CREATE TABLE IF NOT EXISTS items (table_name TEXT NOT NULL, pk TEXT NOT NULL, sk TEXT NOT NULL, "
    f"{', '.join(INDEX_COLUMNS)}, expires_at_s INTEGER, body BLOB NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS items_by_key ON items (table_name, pk, sk)",
    "CREATE INDEX IF NOT EXISTS items_by_expiration ON items (expires_at_s) WHERE expires_at_s IS NOT NULL",
    *(_index_schema(table, index) for table in TABLES for index in table.indexes),
)
SELECT_BODY = "SELECT body FROM items WHERE table_name = ? AND pk = ? AND sk = ?"
DELETE = "DELETE FROM items WHERE table_name = ? AND pk = ? AND sk = ?"
_PLACES = ", ".join("?" * len(_COLUMNS))
_CHANGES = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[3:])
# All of it are names of definitions, and no values.
PUT = f"INSERT INTO items VALUES ({_PLACES}) ON CONFLICT (table_name, pk, sk) DO UPDATE SET {_CHANGES}"  # noqa: S608

RowKey = tuple[str, str, str]
"""The name of the table, the partition key and the sort key."""
Row = tuple[Any, ...]


class Rows:
    """The rows of one table's items."""

    def __init__(self, definition: TableDefinition) -> None:
        self._definition = definition
        self._keys = [definition.partition] if definition.sort is None else [definition.partition, definition.sort]
        self._names = frozenset(key.name for key in self._keys)
        self._index_keys = {
            key.name: (key, limit)
            for index in definition.indexes
            for key, limit in ((index.partition, MAX_PARTITION_KEY_BYTES), (index.sort, MAX_SORT_KEY_BYTES))
        }

    def key(self, key: Key) -> RowKey:
        """The key of the row of an item's key.

        Raises:
            RuntimeError: this is not a key of the table, or one that DynamoDB would refuse.
        """
        if len(key) != len(self._keys):
            raise RuntimeError(f"no key of the table {self._definition.name}: {', '.join(key)}")
        return self._key_of(key)

    def row(self, item: Item) -> tuple[Row, int]:
        """The row of an item, and how many bytes it has at most.

        Raises:
            TypeError: the engine holds no such value.
            RuntimeError: DynamoDB would refuse the item.
        """
        row_key = self._key_of(item)
        body = encode({name: value for name, value in item.items() if name not in self._names})
        most_bytes = len(body) + 4 * (len(row_key[1]) + len(row_key[2])) + _KEY_NAMES_BYTES
        if most_bytes > MAX_ITEM_BYTES and size_bytes(item) > MAX_ITEM_BYTES:
            raise RuntimeError("an item has more than 400 KB")
        expires_at_s = None if self._definition.expires_at is None else item.get(self._definition.expires_at)
        row = (
            *row_key,
            *(self._index_key(name, item) for name in INDEX_COLUMNS),
            expires_at_s if type(expires_at_s) is int and abs(expires_at_s) < 2**63 else None,
            body,
        )
        return row, most_bytes

    def item(self, row_key: RowKey, body: bytes) -> Item:
        """The item of a row."""
        item: Item = dict(zip((key.name for key in self._keys), row_key[1:], strict=False))
        item.update(decode(body))
        return item

    def _key_of(self, attributes: Mapping[str, Any]) -> RowKey:
        partition, *sort = self._keys
        pk = _checked(partition, attributes.get(partition.name), MAX_PARTITION_KEY_BYTES)
        sk = _checked(sort[0], attributes.get(sort[0].name), MAX_SORT_KEY_BYTES) if sort else ""
        return self._definition.name, pk, sk

    def _index_key(self, name: str, item: Item) -> Any:
        if name not in self._index_keys or name not in item:
            return None
        key, limit = self._index_keys[name]
        return _checked(key, item[name], limit)


def _checked(key: KeyAttribute, value: Any, limit_bytes: int) -> Any:
    """The value of a key attribute, if DynamoDB would accept it."""
    value = plain(value) if value is not None else None
    if key.type == "N":
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise RuntimeError(f"the key {key.name} has to be a number of 64 bits")
    elif type(value) is not str or not value:
        raise RuntimeError(f"the key {key.name} has to be a text that is not empty")
    elif len(value) * 4 > limit_bytes and len(value.encode()) > limit_bytes:
        raise RuntimeError(f"the key {key.name} has more than {limit_bytes} bytes")
    return value
