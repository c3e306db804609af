"""Tables on DynamoDB."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.engine import backoff
from chalicelib.engine.aws.attribute_values import from_values, to_values
from chalicelib.engine.aws.clients import access_to
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.aws.expressions import Expressions
from chalicelib.engine.conditions import Condition
from chalicelib.engine.definitions import ACCOUNTS, BLOBS, DATA, TASKS, KeyAttribute, TableDefinition
from chalicelib.engine.table import Check, Delete, Item, Key, Put, Query, Table, Update, Write
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from chalicelib.engine.aws.json_transport import JsonTransport

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 3
"""DynamoDB answers in milliseconds: what takes seconds is lost, and a new attempt is faster."""
MAX_ATTEMPTS = 4
MAX_BATCH_KEYS = 100
"""Keys of one BatchGetItem (a limit of DynamoDB)."""
MAX_BATCH_WRITES = 25
"""Writes of one BatchWriteItem (a limit of DynamoDB). 25 of the largest items stay below its other limit, 16 MB."""
PAGE_GROWTH = 4
"""A query with a `first_page` looks at this many times as many items in each call as in the one before."""

Send = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Sends the request of an operation, such as `GetItem`, and returns the response.

Raises:
    See `engine_errors`.
"""


@cache
def _transport(region: str) -> "JsonTransport":
    # Late: what it imports takes time, and tools and some functions ask DynamoDB nothing.
    from chalicelib.engine.aws.http_connections import Timeouts
    from chalicelib.engine.aws.json_transport import JsonService, JsonTransport

    service = JsonService("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")
    timeouts = Timeouts(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    with engine_errors():
        return JsonTransport(service, access_to(service.name, region), max_attempts=MAX_ATTEMPTS, timeouts=timeouts)


def transport(settings: Settings) -> "JsonTransport":
    """The process's one transport of the region, made when it is first asked for.

    Raises:
        UnavailableError: the source of credentials cannot be reached.
        RuntimeError: it cannot be made, which is a defect of the deployment.
    """
    return _transport(settings.region)


def forget_clients() -> None:
    """Let the next call make a new transport: for tests, which change what stands behind it."""
    _transport.cache_clear()


def sender(settings: Settings) -> Send:
    """The function that sends requests to DynamoDB."""

    def send(operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        sending = transport(settings)
        with engine_errors():
            return sending.send(operation, request)

    return send


class DynamoTables:
    """The port `Tables` on DynamoDB."""

    def __init__(self, settings: Settings, send: Send | None = None) -> None:
        self._send = sender(settings) if send is None else send
        self._names = {
            ACCOUNTS.name: settings.accounts_table,
            DATA.name: settings.data_table,
            TASKS.name: settings.tasks_table,
            BLOBS.name: settings.blobs_table,
        }

    def table(self, definition: TableDefinition) -> Table:
        """No call."""
        return DynamoTable(self, definition, self._names[definition.name], self._send)

    def batch_get(self, keys: Sequence[tuple[TableDefinition, Key]], *, may_lag: bool = False) -> list[Item | None]:
        """A key that appears twice is asked for once: DynamoDB refuses it otherwise."""
        identities = [_identity(definition, key) for definition, key in keys]
        wanted = iter(dict(zip(identities, keys, strict=True)).values())
        found: dict[tuple[Any, ...], Item] = {}
        while batch := list(islice(wanted, MAX_BATCH_KEYS)):
            found |= self._batch(batch, may_lag=may_lag)
        return [found.get(identity) for identity in identities]

    def _batch(self, keys: Sequence[tuple[TableDefinition, Key]], *, may_lag: bool) -> dict[tuple[Any, ...], Item]:
        definitions = {self._names[definition.name]: definition for definition, _ in keys}
        left: Mapping[str, Any] = {name: {"Keys": [], "ConsistentRead": not may_lag} for name in definitions}
        for definition, key in keys:
            left[self._names[definition.name]]["Keys"].append(to_values(key))
        found: dict[tuple[Any, ...], Item] = {}
        empty_attempts = 0
        while empty_attempts < backoff.MAX_ATTEMPTS:
            response = self._send("BatchGetItem", {"RequestItems": left})
            for name, values in response["Responses"].items():
                items = map(from_values, values)
                found |= {_identity(definitions[name], item): item for item in items}
            left = response.get("UnprocessedKeys", {})
            if not left:
                return found
            if any(response["Responses"].values()):  # as much as a response holds
                empty_attempts = 0
            else:
                backoff.pause_after(empty_attempts)
                empty_attempts += 1
        raise UnavailableError


class DynamoTable:
    """The port `Table` on DynamoDB; what the methods cost is said there."""

    def __init__(self, tables: DynamoTables, definition: TableDefinition, name: str, send: Send) -> None:
        self._tables = tables
        self._definition = definition
        self._name = name
        self._send = send
        self._indexes = {index.name: index for index in definition.indexes}

    def get(self, key: Key, *, may_lag: bool = False) -> Item | None:
        """See `Table.get`."""
        request = {"TableName": self._name, "Key": to_values(key), "ConsistentRead": not may_lag}
        values = self._send("GetItem", request).get("Item")
        return None if values is None else from_values(values)

    def batch_get(self, keys: Sequence[Key], *, may_lag: bool = False) -> list[Item | None]:
        """See `Table.batch_get`."""
        return self._tables.batch_get([(self._definition, key) for key in keys], may_lag=may_lag)

    def query(self, query: Query) -> Iterator[Item]:
        """See `Table.query`. Without a filter, DynamoDB gets the limit, so it reads no item that is not returned."""
        expressions = Expressions(self._definition.partition.name)
        partition, sort = self._key_of(query.index)
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": expressions.key_condition(
                (partition.name, query.partition), sort.name, query.sort_key
            ),
        }
        if query.index is not None:
            request["IndexName"] = query.index
        elif not query.may_lag:
            request["ConsistentRead"] = True
        if query.where is not None:
            request["FilterExpression"] = expressions.condition(query.where)
        if query.attributes:
            request["ProjectionExpression"] = expressions.projection(query.attributes)
        if query.newest_first:
            request["ScanIndexForward"] = False
        return self._items(request | expressions.placeholders(), query)

    def put(self, item: Item, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.put`."""
        self._send("PutItem", self._request(Put(item, condition, return_stored)))

    def update(self, update: Update) -> None:
        """See `Table.update`."""
        self._send("UpdateItem", self._request(update))

    def delete(self, key: Key, condition: Condition | None = None, *, return_stored: bool = False) -> None:
        """See `Table.delete`."""
        self._send("DeleteItem", self._request(Delete(key, condition, return_stored)))

    def transact(self, writes: Sequence[Write]) -> None:
        """See `Table.transact`."""
        request = {
            "TransactItems": [{_WRITE_NAMES[type(write)]: self._request(write)} for write in writes],
            "ClientRequestToken": secrets.token_hex(16),
        }
        backoff.repeat_on_conflict(lambda: self._transact(request))

    def batch_write(self, writes: Sequence[Put | Delete]) -> None:
        """See `Table.batch_write`.

        Raises:
            ValueError: a write has a condition.
        """
        if any(write.condition is not None for write in writes):
            raise ValueError("writes of a batch have no conditions")
        for start in range(0, len(writes), MAX_BATCH_WRITES):
            self._write_batch([_batch_request(write) for write in writes[start : start + MAX_BATCH_WRITES]])

    def _transact(self, request: dict[str, Any]) -> None:
        self._send("TransactWriteItems", request)

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(backoff.MAX_ATTEMPTS):
            response = self._send("BatchWriteItem", {"RequestItems": {self._name: requests}})
            requests = response.get("UnprocessedItems", {}).get(self._name, [])
            if not requests:
                return
            backoff.pause_after(attempt)
        raise UnavailableError

    def _items(self, request: dict[str, Any], query: Query) -> Iterator[Item]:
        left, of_page = query.limit, query.first_page
        while left is None or left > 0:
            if left is not None and query.where is None:
                request = request | {"Limit": left}
            elif of_page is not None:
                request = request | {"Limit": of_page}
                of_page *= PAGE_GROWTH
            page = self._send("Query", request)
            for values in page["Items"][:left]:
                yield from_values(values)
            if "LastEvaluatedKey" not in page:
                return
            request = request | {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            left = None if left is None else left - len(page["Items"])

    def _key_of(self, index_name: str | None) -> tuple[KeyAttribute, KeyAttribute]:
        if index_name is not None:
            index = self._indexes[index_name]
            return index.partition, index.sort
        if self._definition.sort is None:
            raise ValueError(f"the table {self._definition.name} has no sort key to query")
        return self._definition.partition, self._definition.sort

    def _request(self, write: Write) -> dict[str, Any]:
        """The request of a single write, which is also how it stands in a transaction."""
        request: dict[str, Any] = {"TableName": self._name}
        if isinstance(write, Put):
            request["Item"] = to_values(write.item)
        else:
            request["Key"] = to_values(write.key)
        if write.condition is None and not isinstance(write, Update):
            return request
        expressions = Expressions(self._definition.partition.name)
        if isinstance(write, Update):
            request["UpdateExpression"] = expressions.update(write)
        if write.condition is not None:
            request["ConditionExpression"] = expressions.condition(write.condition)
        if write.return_stored:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return request | expressions.placeholders()


_WRITE_NAMES: Mapping[type[Write], str] = {Put: "Put", Update: "Update", Delete: "Delete", Check: "ConditionCheck"}


def _batch_request(write: Put | Delete) -> dict[str, Any]:
    if isinstance(write, Put):
        return {"PutRequest": {"Item": to_values(write.item)}}
    return {"DeleteRequest": {"Key": to_values(write.key)}}


def _identity(definition: TableDefinition, item: Item) -> tuple[Any, ...]:
    """The identity of an item among those of all tables; `item` may be its key alone."""
    partition, sort = definition.partition, definition.sort
    return definition.name, item[partition.name], None if sort is None else item[sort.name]
