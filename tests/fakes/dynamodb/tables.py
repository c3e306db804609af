"""Tables: items by key, in the order of their keys, and the pages of queries."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from chalicelib.engine.definitions import IndexDefinition, KeyAttribute, TableDefinition
from chalicelib.engine.table import MAX_ITEM_BYTES
from chalicelib.frozen import frozen
from tests.fakes.dynamodb.attributes import AttributeValue, Item, comparable, letter_of, size_of, value_size
from tests.fakes.dynamodb.refusals import invalid

MAX_PAGE_BYTES = 1024 * 1024
MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
NO_SORT_KEY = ""
"""The second part of the keys of a table without sort key."""


class ItemKey(NamedTuple):
    """The values of the key attributes, which order the items of a partition."""

    partition: str
    sort: Any


@dataclass(frozen=True)
class StoredItem:
    """An item, which is never changed, only replaced."""

    values: Item
    size_bytes: int

    @cached_property
    def digest(self) -> bytes:
        """A digest of its attributes."""
        return hashlib.sha256(self.text.encode()).digest()

    @cached_property
    def text(self) -> str:
        """Its attributes as JSON, by their names."""
        return orjson.dumps(self.values, option=orjson.OPT_SORT_KEYS).decode()


State = Mapping[str, Mapping[Any, StoredItem]]
"""The items of a table by partition and sort key."""


@frozen
class Selection:
    """The items of one partition that a query looks at, and returns.

    Args:
        after: the key of the last item of the page before.
        limit: how many items to look at, at most.
    """

    partition: str
    is_in_range: Callable[[Item], bool]
    is_wanted: Callable[[Item], bool]
    is_ascending: bool
    after: Item | None
    limit: int | None


@frozen
class Page:
    """The items that a query returns at a time, how many it looked at, and where the next page begins."""

    items: Sequence[Item]
    scanned: int
    last_key: Item | None


class Table:
    """One table and its indexes."""

    def __init__(self, name: str, definition: TableDefinition) -> None:
        self.name = name
        self._definition = definition
        self._key_attributes = _attributes(definition.partition, definition.sort)
        self._indexes = {index.name: index for index in definition.indexes}
        self._partitions: dict[str, dict[Any, StoredItem]] = {}

    @property
    def key_names(self) -> frozenset[str]:
        """The names of the key attributes."""
        return frozenset(attribute.name for attribute in self._key_attributes)

    def save(self) -> State:
        """The items of this moment."""
        return {partition: dict(items) for partition, items in self._partitions.items()}

    def restore(self, state: State) -> None:
        """Put the items of a moment back."""
        self._partitions = {partition: dict(items) for partition, items in state.items()}

    def items(self) -> Iterator[StoredItem]:
        """All items, by their keys."""
        for _, items in sorted(self._partitions.items()):
            for _, item in sorted(items.items()):
                yield item

    def find(self, key: ItemKey) -> StoredItem | None:
        """The item with a key."""
        return self._partitions.get(key.partition, {}).get(key.sort)

    def replace(self, key: ItemKey, item: StoredItem | None) -> None:
        """Store an item, or none."""
        partition = self._partitions.setdefault(key.partition, {})
        if item is not None:
            partition[key.sort] = item
            return
        partition.pop(key.sort, None)
        if not partition:
            del self._partitions[key.partition]

    def key(self, values: Any) -> ItemKey:
        """The key that a request names.

        Raises:
            ClientError: it is not one of this table.
        """
        if not isinstance(values, dict) or values.keys() != self.key_names:
            raise invalid("The provided key element does not match the schema")
        return self.key_of(values)

    def key_of(self, item: Item) -> ItemKey:
        """The key of an item.

        Raises:
            ClientError: it has none that this table takes.
        """
        partition, *sort = (_key_value(attribute, item) for attribute in self._key_attributes)
        limits = (MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES)
        for attribute, limit in zip(self._key_attributes, limits, strict=False):
            if value_size(item[attribute.name]) > limit:
                raise invalid(f"One or more parameter values were invalid: the size of a key is above {limit} bytes")
        return ItemKey(partition, sort[0] if sort else NO_SORT_KEY)

    def storable(self, item: Item) -> StoredItem:
        """An item that this table and its indexes take.

        Raises:
            ClientError: DynamoDB refuses it.
            UnsupportedError: a value has a type or a form that the engine does not emit.
        """
        size_bytes = size_of(item)
        self.key_of(item)
        for index in self._indexes.values():
            for attribute in _attributes(index.partition, index.sort):
                if attribute.name in item:
                    _key_value(attribute, item)
        if size_bytes > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return StoredItem(item, size_bytes)

    def view(self, index_name: str | None) -> "View":
        """The rows that a query reads: the table, or one of its indexes.

        Raises:
            ClientError: there is no such index.
        """
        if index_name is None:
            return View(self._definition.partition, self._definition.sort, (), None)
        index = self._indexes.get(index_name)
        if index is None:
            raise invalid(f"The table does not have the specified index: {index_name}")
        return View(index.partition, index.sort, self._key_attributes, self._projection(index))

    def page(self, view: "View", selection: Selection) -> Page:
        """A page of a query: what it looks at has `MAX_PAGE_BYTES` at most, whatever it returns of that.

        Raises:
            ClientError: the page is to begin at something that is not a key of the table or index.
        """
        entries = self._entries(view, selection.partition)
        ordered = sorted(
            (view.position(entry.values), entry) for entry in entries if selection.is_in_range(entry.values)
        )
        if not selection.is_ascending:
            ordered.reverse()
        if selection.after is not None:
            after = self._start(view, selection)
            ordered = [
                (position, entry)
                for position, entry in ordered
                if (position > after if selection.is_ascending else position < after)
            ]
        scanned, size_bytes = 0, 0
        for _, entry in ordered:
            if scanned == selection.limit or (scanned and size_bytes + entry.size_bytes > MAX_PAGE_BYTES):
                break
            scanned += 1
            size_bytes += entry.size_bytes
        looked_at = [entry.values for _, entry in ordered[:scanned]]
        has_more = scanned < len(ordered) or scanned == selection.limit
        last = {name: looked_at[-1][name] for name in view.start_names} if has_more and looked_at else None
        return Page([item for item in looked_at if selection.is_wanted(item)], scanned, last)

    def _entries(self, view: "View", partition: str) -> Iterator[StoredItem]:
        """The items of a partition of the table, or of an index as far as it holds them."""
        if not view.is_index:
            yield from self._partitions.get(partition, {}).values()
            return
        wanted = {"S": partition}
        for items in self._partitions.values():
            for item in items.values():
                if item.values.get(view.partition.name) == wanted and view.sort_name in item.values:
                    yield item if view.held is None else _part(item, view.held)

    def _start(self, view: "View", selection: Selection) -> Any:
        """The position after which a page begins."""
        values = selection.after
        if not isinstance(values, dict) or values.keys() != set(view.start_names):
            raise invalid("The provided starting key is invalid")
        self.key_of(values)
        if values[view.partition.name] != {"S": selection.partition} or not selection.is_in_range(values):
            raise invalid("The provided starting key is outside query boundaries based on provided conditions")
        return view.position(values)

    def _projection(self, index: IndexDefinition) -> frozenset[str] | None:
        if index.projection == "all":
            return None
        return self.key_names | {index.partition.name, index.sort.name} | set(index.projection)


@frozen
class View:
    """A table or an index as queries see it: its key, that of the table if it is an index, and the attributes that it
    holds, None for all."""

    partition: KeyAttribute
    sort: KeyAttribute | None
    key_of_table: tuple[KeyAttribute, ...]
    held: frozenset[str] | None

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return bool(self.key_of_table)

    @property
    def sort_name(self) -> str | None:
        """The name of the sort key."""
        return None if self.sort is None else self.sort.name

    @property
    def key_names(self) -> frozenset[str]:
        """The names of its own key."""
        return frozenset(attribute.name for attribute in _attributes(self.partition, self.sort))

    @property
    def start_names(self) -> tuple[str, ...]:
        """The names of the attributes that a page begins after."""
        key = (*_attributes(self.partition, self.sort), *self.key_of_table)
        return tuple(dict.fromkeys(attribute.name for attribute in key))

    def position(self, item: Item) -> tuple[Any, ...]:
        """The order of an item in its partition: the sort key, then the key of the table."""
        names = [] if self.sort is None else [self.sort.name]
        names += [attribute.name for attribute in self.key_of_table]
        return tuple(comparable(item[name]) for name in names)


def _attributes(partition: KeyAttribute, sort: KeyAttribute | None) -> tuple[KeyAttribute, ...]:
    return (partition,) if sort is None else (partition, sort)


def _key_value(attribute: KeyAttribute, item: Item) -> Any:
    value: AttributeValue | None = item.get(attribute.name)
    if value is None:
        raise invalid(f"One or more parameter values were invalid: Missing the key {attribute.name} in the item")
    value_size(value)
    if letter_of(value) != attribute.type:
        raise invalid(
            f"One or more parameter values were invalid: Type mismatch for key {attribute.name}, expected: "
            f"{attribute.type}, actual: {letter_of(value)}"
        )
    if value == {"S": ""}:
        raise invalid(f"One or more parameter values are not valid: {attribute.name} is an empty string value")
    return comparable(value)


def _part(item: StoredItem, names: frozenset[str]) -> StoredItem:
    values = {name: value for name, value in item.values.items() if name in names}
    return StoredItem(values, size_of(values))
