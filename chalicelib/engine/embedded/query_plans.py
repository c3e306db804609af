"""Queries as statements of SQLite, a page at a time."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from chalicelib.engine.conditions import AllOf, AnyOf, Condition
from chalicelib.engine.definitions import IndexDefinition, KeyAttribute, TableDefinition
from chalicelib.engine.embedded.evaluation import holds
from chalicelib.engine.embedded.item_bodies import decode
from chalicelib.engine.embedded.rows import index_name
from chalicelib.engine.table import Item, Prefix, Query, Range
from chalicelib.frozen import frozen

MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of items that one call looks at (a limit of DynamoDB)."""
ROW_BYTES = 100
"""Bytes that a row counts for beside its body."""

_OPERATORS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}


@frozen
class Page:
    """The result of one call of a query."""

    items: Sequence[Item] = ()
    last: tuple[Any, int] | None = None
    """The sort key and the row id of the last row that it looked at; None if there is no further page."""


class QueryPlan:
    """The way to carry out one query."""

    def __init__(self, definition: TableDefinition, query: Query) -> None:
        """
        Raises:
            KeyError: there is no such index.
            ValueError: the table has no sort key to query.
            RuntimeError: DynamoDB would refuse the query.
        """
        index = None if query.index is None else {index.name: index for index in definition.indexes}[query.index]
        self.is_of_index = index is not None
        self._definition = definition
        self._query = query
        self._partition, self._sort = _key_of(definition, index)
        self._projected = _projected(definition, index)
        self._require_valid()
        self._columns = self._columns_without_body()
        """The columns of the attributes that are read, by their names; None if bodies are read."""
        self._is_selected_late = bool(query.attributes) and (query.where is not None or self._columns is None)
        self._prepare(index)

    def page(self, connection: sqlite3.Connection, after: tuple[Any, int] | None, limit: int | None) -> Page:
        """The items of one call.

        Args:
            after: where the page before ended.
            limit: how many items to return at most.
        """
        where = self._query.where
        statement, parameters = self._statement(after, None if where is not None else limit)
        items: list[Item] = []
        last: tuple[Any, int] | None = None
        size_bytes = 0
        item_of = self._item_of_body if self._columns is None else self._item_of_columns
        for row in connection.execute(statement, parameters):
            size_bytes += ROW_BYTES if self._columns is not None else ROW_BYTES + len(row[-1])
            if size_bytes > MAX_PAGE_BYTES and last is not None:
                return Page(items, last)
            last = row[0], row[1]
            item = item_of(row)
            if where is None or holds(where, item):
                items.append(self._selected(item) if self._is_selected_late else item)
                if len(items) == limit:
                    return Page(items, last)
        return Page(items)

    def _require_valid(self) -> None:
        query = self._query
        if not query.partition:
            raise RuntimeError("the partition key of a query is empty")
        if isinstance(query.sort_key, Prefix) and not query.sort_key.text:
            raise RuntimeError("the prefix of a query is empty")
        if isinstance(query.sort_key, Range):
            first, last = query.sort_key.at_least, query.sort_key.at_most
            if first is not None and last is not None and first > last:  # type: ignore[operator]
                raise RuntimeError(f"a range ends before it begins: {first}, {last}")
        if query.where is not None and _names(query.where) & {self._partition.name, self._sort.name}:
            raise RuntimeError("a filter names an attribute of the key")
        if self._projected is not None and not set(query.attributes) <= self._projected:
            raise RuntimeError(f"the index {query.index} does not hold all of {', '.join(query.attributes)}")

    def _columns_without_body(self) -> dict[str, str] | None:
        wanted = set(self._query.attributes) or self._projected
        if wanted is None:
            return None
        if self._query.where is not None:
            wanted = wanted | _names(self._query.where)
        columns = {key.name: key.name for index in self._definition.indexes for key in (index.partition, index.sort)}
        columns[self._definition.partition.name] = "pk"
        if self._definition.sort is not None:
            columns[self._definition.sort.name] = "sk"
        return {name: columns[name] for name in wanted} if wanted <= columns.keys() else None

    def _prepare(self, index: IndexDefinition | None) -> None:
        query, partition, sort = self._query, self._partition.name, self._sort.name
        if index is None:
            partition, sort = "pk", "sk"
        columns = ("pk", "sk", "body") if self._columns is None else tuple(self._columns.values())
        source = "items_by_key" if index is None else index_name(self._definition, index)
        conditions = ["table_name = ?", f"{partition} = ?"]
        self._parameters: list[Any] = [self._definition.name, query.partition]
        if index is not None:
            conditions.append(f"{sort} IS NOT NULL")
        for operator, bound in _bounds(query.sort_key):
            conditions.append(f"{sort} {operator} ?")
            self._parameters.append(bound)
        selected = ", ".join((sort, "rowid", *columns))
        where = " AND ".join(conditions)
        # All of it are names of definitions, and no values.
        self._select = f"SELECT {selected} FROM items INDEXED BY {source} WHERE {where}"  # noqa: S608
        compared, direction = ("<", "DESC") if query.newest_first else (">", "ASC")
        self._continued = f" AND ({sort}, rowid) {compared} (?, ?)"
        self._order = f" ORDER BY {sort} {direction}, rowid {direction} LIMIT ?"

    def _statement(self, after: tuple[Any, int] | None, limit: int | None) -> tuple[str, list[Any]]:
        most = -1 if limit is None else limit
        if after is None:
            return self._select + self._order, [*self._parameters, most]
        return self._select + self._continued + self._order, [*self._parameters, *after, most]

    def _item_of_columns(self, row: tuple[Any, ...]) -> Item:
        """The attributes of a row that was read without its body."""
        return {name: value for name, value in zip(self._columns or (), row[2:], strict=True) if value is not None}

    def _item_of_body(self, row: tuple[Any, ...]) -> Item:
        """The item of a row, as the table or the index has it."""
        item = decode(row[4])
        item[self._definition.partition.name] = row[2]
        if self._definition.sort is not None:
            item[self._definition.sort.name] = row[3]
        return item if self._projected is None else {name: item[name] for name in self._projected if name in item}

    def _selected(self, item: Item) -> Item:
        return {name: item[name] for name in self._query.attributes if name in item}


def _key_of(definition: TableDefinition, index: IndexDefinition | None) -> tuple[KeyAttribute, KeyAttribute]:
    if index is not None:
        return index.partition, index.sort
    if definition.sort is None:
        raise ValueError(f"the table {definition.name} has no sort key to query")
    return definition.partition, definition.sort


def _projected(definition: TableDefinition, index: IndexDefinition | None) -> frozenset[str] | None:
    """The attributes that an index holds; None for all."""
    if index is None or index.projection == "all":
        return None
    keys = (definition.partition, definition.sort, index.partition, index.sort)
    return frozenset({key.name for key in keys if key is not None} | {*index.projection})


def _bounds(sort_key: Prefix | Range | None) -> list[tuple[str, Any]]:
    if sort_key is None:
        return []
    if isinstance(sort_key, Prefix):
        bounds: list[tuple[str, Any]] = [(">=", sort_key.text)]
        after = after_prefix(sort_key.text)
        return bounds if after is None else [*bounds, ("<", after)]
    given = ((operator, getattr(sort_key, name)) for name, operator in _OPERATORS.items())
    return [(operator, bound) for operator, bound in given if bound is not None]


def after_prefix(prefix: str) -> str | None:
    """The least text that is greater than all that begin with a prefix; None if there is none."""
    text = prefix.rstrip("\U0010ffff")
    if not text:
        return None
    following = ord(text[-1]) + 1
    return text[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are not characters


def _names(condition: Condition) -> frozenset[str]:
    """The attributes that a condition names."""
    if isinstance(condition, AllOf | AnyOf):
        return frozenset().union(*map(_names, condition.parts))
    return frozenset() if condition.name is None else frozenset({condition.name})
