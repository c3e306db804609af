"""The server: the operations of DynamoDB that the engine sends, on tables in memory."""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

import orjson
from botocore.exceptions import ClientError

from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import MAX_BATCH_KEYS, MAX_BATCH_WRITES, Send
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.aws.json_transport import encoded
from chalicelib.engine.definitions import ACCOUNTS, BLOBS, DATA, TASKS, TableDefinition
from chalicelib.engine.table import MAX_TRANSACTION_WRITES
from chalicelib.frozen import frozen
from tests.fakes.dynamodb import writes
from tests.fakes.dynamodb.expressions import Expressions, Request, holds, key_condition, names_of
from tests.fakes.dynamodb.refusals import (
    CANCELLED,
    CONDITION_FAILED,
    VALIDATION,
    UnsupportedError,
    code_of,
    invalid,
    refused,
)
from tests.fakes.dynamodb.tables import ItemKey, Selection, State, StoredItem, Table, View
from tests.fakes.dynamodb.writes import DELETE, PUT, UPDATE, Write, read_write

MAX_BATCH_BYTES = 16 * 1024 * 1024
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_TOKEN_LENGTH = 36
TOKEN_S = 600
"""Seconds that a transaction is known when it is sent again with its token."""
_SINGLE_WRITES = {"PutItem": PUT, "UpdateItem": UPDATE, "DeleteItem": DELETE}
_QUERY = frozenset(
    {
        "TableName",
        "IndexName",
        "ConsistentRead",
        "KeyConditionExpression",
        "FilterExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ScanIndexForward",
        "Limit",
        "ExclusiveStartKey",
    }
)
MEMBERS: Mapping[str, frozenset[str]] = {
    "GetItem": frozenset({"TableName", "Key", "ConsistentRead"}),
    "BatchGetItem": frozenset({"RequestItems"}),
    "Query": _QUERY,
    "BatchWriteItem": frozenset({"RequestItems"}),
    "TransactWriteItems": frozenset({"TransactItems", "ClientRequestToken"}),
} | {operation: writes.MEMBERS[kind] for operation, kind in _SINGLE_WRITES.items()}
"""The operations, and the members of their requests."""


@frozen
class Snapshot:
    """All that a server holds at a moment."""

    tables: Mapping[str, State]
    tokens: Mapping[str, tuple[float, bytes]]


class DynamoServer:
    """DynamoDB in memory. Requests of several threads come one after the other."""

    def __init__(self, definitions: Mapping[str, TableDefinition], now_s: Callable[[], float] = time.monotonic) -> None:
        self._tables = {name: Table(name, definition) for name, definition in definitions.items()}
        self._tokens: dict[str, tuple[float, bytes]] = {}
        """When transactions were carried out, and their requests, by their tokens."""
        self._now_s = now_s
        self._lock = Lock()
        self._operations: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
        }

    def send(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to a request, as `JsonTransport.send` returns it.

        Raises:
            ClientError: DynamoDB refuses the request.
            UnsupportedError: it has something that this server does not know.
        """
        known = MEMBERS.get(operation)
        if known is None:
            raise UnsupportedError(operation)
        sent = orjson.loads(encoded(request))
        _require_members(sent, known)
        with self._lock:
            if operation in self._operations:
                reply = self._operations[operation](sent)
            else:
                reply = self._write(_SINGLE_WRITES[operation], sent)
        copied: dict[str, Any] = orjson.loads(orjson.dumps(reply))
        return copied

    def save(self) -> Snapshot:
        """All that the server holds."""
        return Snapshot({name: table.save() for name, table in self._tables.items()}, dict(self._tokens))

    def restore(self, saved: Snapshot) -> None:
        """Put all that the server held back."""
        for name, table in self._tables.items():
            table.restore(saved.tables[name])
        self._tokens = dict(saved.tokens)

    def items(self) -> Iterator[tuple[str, StoredItem]]:
        """All items with the names of their tables, in order."""
        for name, table in sorted(self._tables.items()):
            for item in table.items():
                yield name, item

    def _table(self, name: Any) -> Table:
        if name not in self._tables:
            raise refused("ResourceNotFoundException", "Requested resource not found")
        return self._tables[name]

    # Reads.

    def _get(self, request: Request) -> Mapping[str, Any]:
        table = self._table(request.get("TableName"))
        item = table.find(table.key(request.get("Key")))
        return {} if item is None else {"Item": item.values}

    def _batch_get(self, request: Request) -> Mapping[str, Any]:
        wanted = [
            (self._table(name), asked, key) for name, asked in _of_tables(request).items() for key in _keys_of(asked)
        ]
        if len(wanted) > MAX_BATCH_KEYS:
            raise invalid("Too many items requested for the BatchGetItem call")
        _require_distinct([(table, table.key(key)) for table, _, key in wanted], "item keys")
        replied: dict[str, list[Any]] = {table.name: [] for table, _, _ in wanted}
        left: dict[str, dict[str, Any]] = {}
        size_bytes = 0
        for table, asked, key in wanted:
            item = table.find(table.key(key))
            if left or (item is not None and size_bytes + item.size_bytes > MAX_BATCH_BYTES):
                left.setdefault(table.name, {**asked, "Keys": []})["Keys"].append(key)
            elif item is not None:
                size_bytes += item.size_bytes
                replied[table.name].append(item.values)
        return {"Responses": replied, "UnprocessedKeys": left}

    def _query(self, request: Request) -> Mapping[str, Any]:
        table = self._table(request.get("TableName"))
        view = table.view(request.get("IndexName"))
        if view.is_index and request.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        limit = request.get("Limit")
        if limit is not None and limit < 1:
            raise invalid("Value at 'limit' failed to satisfy constraint: Member must be greater than or equal to 1")
        expressions = Expressions(request)
        condition = key_condition(expressions.condition("KeyConditionExpression"), view.partition.name, view.sort_name)
        where, names = expressions.condition("FilterExpression"), expressions.projection()
        expressions.require_no_others()
        _require_readable(view, frozenset(names_of(where)), names)
        page = table.page(
            view,
            Selection(
                condition.partition,
                lambda item: holds(condition.sort, item),
                lambda item: holds(where, item),
                request.get("ScanIndexForward", True),
                request.get("ExclusiveStartKey"),
                limit,
            ),
        )
        items = page.items
        if names is not None:
            items = [{name: item[name] for name in names if name in item} for item in items]
        reply = {"Items": items, "Count": len(items), "ScannedCount": page.scanned}
        return reply if page.last_key is None else reply | {"LastEvaluatedKey": page.last_key}

    # Writes.

    def _write(self, kind: str, request: Request) -> Mapping[str, Any]:
        write = read_write(kind, request, self._table(request.get("TableName")))
        write.table.replace(write.key, write.after())
        return {}

    def _batch_write(self, request: Request) -> Mapping[str, Any]:
        asked = [(self._table(name), write) for name, listed in _of_tables(request).items() for write in listed]
        if not 1 <= len(asked) <= MAX_BATCH_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call, or none")
        batch = [_write_of_batch(table, write) for table, write in asked]
        _require_distinct([(write.table, write.key) for write in batch], "items")
        items = [write.after() for write in batch]
        if sum(item.size_bytes for item in items if item is not None) > MAX_BATCH_BYTES:
            raise invalid("The batch is larger than 16 MB")
        for write, item in zip(batch, items, strict=True):
            write.table.replace(write.key, item)
        return {"UnprocessedItems": {}}

    def _transact(self, request: Request) -> Mapping[str, Any]:
        listed = request.get("TransactItems") or []
        if not 1 <= len(listed) <= MAX_TRANSACTION_WRITES:
            raise invalid("Member must have length less than or equal to 100, and greater than or equal to 1")
        token = request.get("ClientRequestToken")
        if token is not None and not 1 <= len(token) <= MAX_TOKEN_LENGTH:
            raise invalid("Value at 'clientRequestToken' failed to satisfy constraint")
        transaction = [self._write_of_transaction(write) for write in listed]
        _require_distinct([(write.table, write.key) for write in transaction], "operations on one item")
        body = orjson.dumps(listed)
        if token is not None and self._is_known(token, body):
            return {}
        items, reasons = _outcomes(transaction)
        if any(reason["Code"] != "None" for reason in reasons):
            raise refused(CANCELLED, "Transaction cancelled", CancellationReasons=reasons)
        if sum(item.size_bytes for item in items if item is not None) > MAX_TRANSACTION_BYTES:
            raise invalid("Transaction request size exceeds 4 MB")
        for write, item in zip(transaction, items, strict=True):
            write.table.replace(write.key, item)
        if token is not None:
            self._tokens[token] = (self._now_s(), body)
        return {}

    def _write_of_transaction(self, listed: Any) -> Write:
        if len(listed) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, request),) = listed.items()
        if kind not in writes.MEMBERS:
            raise UnsupportedError(f"{kind} in a transaction")
        _require_members(request, writes.MEMBERS[kind])
        return read_write(kind, request, self._table(request.get("TableName")))

    def _is_known(self, token: str, body: bytes) -> bool:
        """Whether a transaction with this token was carried out."""
        since_s = self._now_s() - TOKEN_S
        self._tokens = {known: done for known, done in self._tokens.items() if done[0] > since_s}
        if token not in self._tokens:
            return False
        if self._tokens[token][1] != body:
            raise refused("IdempotentParameterMismatchException", "Other parameters were sent with this token before")
        return True


def dynamo_server(settings: Settings) -> DynamoServer:
    """A server with the tables of a stage, empty."""
    return DynamoServer(
        {
            settings.accounts_table: ACCOUNTS,
            settings.data_table: DATA,
            settings.tasks_table: TASKS,
            settings.blobs_table: BLOBS,
        }
    )


def sender(server: DynamoServer) -> Send:
    """The function that sends requests to a server, in the place of `dynamodb.sender`."""

    def send(operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        with engine_errors():
            return server.send(operation, request)

    return send


def _outcomes(transaction: list[Write]) -> tuple[list[StoredItem | None], list[dict[str, Any]]]:
    """The items that a transaction leaves, and what each of its writes met."""
    items, reasons = [], []
    for write in transaction:
        item, reason = None, {"Code": "None"}
        try:
            item = write.after()
        except ClientError as error:
            reason = _reason(error)
        items.append(item)
        reasons.append(reason)
    return items, reasons


def _reason(error: ClientError) -> dict[str, Any]:
    codes = {CONDITION_FAILED: "ConditionalCheckFailed", VALIDATION: "ValidationError"}
    response: Any = error.response
    reason = {"Code": codes[code_of(error)], "Message": response["Error"]["Message"]}
    return reason | ({"Item": response["Item"]} if "Item" in response else {})


def _write_of_batch(table: Table, listed: Any) -> Write:
    kinds = {"PutRequest": (PUT, "Item"), "DeleteRequest": (DELETE, "Key")}
    if len(listed) != 1:
        raise invalid("Supplied AttributeValue has more than one of PutRequest and DeleteRequest")
    ((name, request),) = listed.items()
    if name not in kinds:
        raise UnsupportedError(f"{name} in a batch")
    kind, member = kinds[name]
    _require_members(request, frozenset({member}))
    return read_write(kind, request, table)


def _of_tables(request: Request) -> Mapping[str, Any]:
    """The part of a batch for each table."""
    asked: Mapping[str, Any] = request.get("RequestItems") or {}
    if not asked:
        raise invalid("The requestItems parameter is required")
    return asked


def _keys_of(asked: Any) -> list[Any]:
    """The keys that a batch asks for in one table."""
    _require_members(asked, frozenset({"Keys", "ConsistentRead"}))
    keys: list[Any] = asked.get("Keys") or []
    if not keys:
        raise invalid("Value at 'requestItems' failed to satisfy constraint: Keys must not be empty")
    return keys


def _require_members(request: Any, known: frozenset[str]) -> None:
    if not isinstance(request, dict) or not request.keys() <= known:
        raise UnsupportedError(f"{sorted(request.keys() - known) if isinstance(request, dict) else request}")


def _require_distinct(keys: list[tuple[Table, ItemKey]], what: str) -> None:
    if len({(table.name, key) for table, key in keys}) < len(keys):
        raise invalid(f"Provided list of {what} contains duplicates")


def _require_readable(view: View, filtered: frozenset[str], names: tuple[str, ...] | None) -> None:
    """Raise unless a filter may look at these attributes, and a query return those."""
    if in_key := filtered & view.key_names:
        raise invalid(f"Filter Expression can only contain non-primary key attributes: {sorted(in_key)}")
    if view.held is None:
        return
    if missing := frozenset(names or ()) - view.held:
        raise invalid(f"The index does not project {sorted(missing)}")
    if missing := filtered - view.held:
        raise UnsupportedError(f"a filter on {sorted(missing)}, which the index does not hold")
