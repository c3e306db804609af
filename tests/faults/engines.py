"""The engines behind the seam: all in memory on SQLite, or tables on a server of DynamoDB. Their state can be kept and
put back, so that each trial begins with the same one."""

import hashlib
import sqlite3
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.engine import Engine
from chalicelib.errors import UnavailableError
from tests.engine.sent import refusal
from tests.fakes.engine import memory_engine
from tests.faults.dynamo_servers import DynamoServer
from tests.faults.seam import Call, FaultKind, Seam, SeamPort, SeamTables


class Outbox:
    """The port `Mail`: keeps the texts of mails by recipient."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """See `Mail.send`."""
        self.texts[recipient] = text


class EngineUnderTest(Protocol):
    """An engine behind a seam."""

    name: str
    has_disk: bool
    embedded: EmbeddedEngine
    """Engine of the queues and objects, and on SQLite of the tables."""
    outbox: Outbox

    @property
    def engine(self) -> Engine:
        """The ports behind the seam."""

    def save(self) -> Any:
        """The state, to be restored any number of times."""

    def restore(self, saved: Any) -> None:
        """Put a state back."""

    def digest(self) -> bytes:
        """A digest of all that is stored, times of objects and messages aside."""

    def items_of(self, user_id: str) -> list[str]:
        """All items that a user's id is part of, as texts."""


@dataclass
class SqliteSaved:
    """A state of the engine in memory."""

    database: sqlite3.Connection
    contents: dict[str, bytes]


class SqliteEngine:
    """The embedded engine in memory."""

    name = "sqlite"
    has_disk = True

    def __init__(self, seam: Seam, now_ms: Callable[[], int]) -> None:
        self.embedded = memory_engine(now_ms)
        self.outbox = Outbox()
        self._engine = _behind(self.embedded, seam, self.outbox)

    @property
    def engine(self) -> Engine:
        """See `EngineUnderTest.engine`."""
        return self._engine

    def save(self) -> SqliteSaved:
        """See `EngineUnderTest.save`."""
        return _saved(self.embedded)

    def restore(self, saved: SqliteSaved) -> None:
        """See `EngineUnderTest.restore`."""
        with self.embedded.database.reading() as connection:
            saved.database.backup(connection)
        contents = _contents(self.embedded)
        contents.clear()
        contents.update(saved.contents)
        self.embedded.metrics_stream._waiting.clear()

    def digest(self) -> bytes:
        """See `EngineUnderTest.digest`."""
        return _digest(self.embedded, "items.table_name, pk, sk, body FROM items")

    def items_of(self, user_id: str) -> list[str]:
        """See `EngineUnderTest.items_of`."""
        with self.embedded.database.reading() as connection:
            rows = connection.execute(
                "SELECT table_name, pk, sk, body FROM items WHERE instr(pk || sk, ?) ORDER BY 1, 2, 3", (user_id,)
            )
            return [repr(row) for row in rows]


class DynamoEngine:
    """DynamoDB by a server, beside the other ports of the embedded engine."""

    name = "dynamodb"
    has_disk = False

    def __init__(self, seam: Seam, now_ms: Callable[[], int], settings: Settings, server: DynamoServer) -> None:
        self.embedded = memory_engine(now_ms)
        self.outbox = Outbox()
        self._server = server
        tables = dynamodb.DynamoTables(settings, _send_through(seam, server.send))
        self._engine = replace(_behind(self.embedded, seam, self.outbox), tables=tables)

    @property
    def engine(self) -> Engine:
        """See `EngineUnderTest.engine`."""
        return self._engine

    def save(self) -> Any:
        """See `EngineUnderTest.save`."""
        return _saved(self.embedded), self._server.save()

    def restore(self, saved: Any) -> None:
        """See `EngineUnderTest.restore`."""
        SqliteEngine.restore(self, saved[0])  # type: ignore[arg-type]  # it needs `embedded` alone
        self._server.restore(saved[1])

    def digest(self) -> bytes:
        """See `EngineUnderTest.digest`."""
        return _digest(self.embedded, "1") + self._server.digest()

    def items_of(self, user_id: str) -> list[str]:
        """See `EngineUnderTest.items_of`."""
        return sorted(row for row in self._server.rows() if user_id in row)


def _behind(embedded: EmbeddedEngine, seam: Seam, outbox: Outbox) -> Engine:
    """The ports of the embedded engine behind a seam."""
    return Engine(
        tables=SeamTables(embedded.tables, seam),
        objects=_port("objects", embedded.objects, seam),
        secrets=_port("secrets", embedded.secrets, seam),
        task_queue=_port("task_queue", embedded.task_queue, seam),
        metrics_failures=_port("metrics_failures", embedded.metrics_failures, seam),
        metrics_stream=_port("metrics_stream", embedded.metrics_stream, seam),
        at_once=embedded.at_once,
        mail=_port("mail", outbox, seam),
    )


def _port(name: str, port: object, seam: Seam) -> Any:
    return SeamPort(name, port, seam)


def _send_through(seam: Seam, send: dynamodb.Send) -> dynamodb.Send:
    """A sender of requests whose faults are those of DynamoDB and its connection."""

    def send_through(operation: str, request: dict[str, Any]) -> Any:
        call = Call(_port_of(request), operation)

        def send_half() -> Any:
            (table, requests), *_ = request["RequestItems"].items()
            if operation == "BatchGetItem":
                return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
            if half := requests[: len(requests) // 2]:
                send(operation, {"RequestItems": {table: half}})
            return {"UnprocessedItems": {table: requests[len(requests) // 2 :]}}

        return seam.carry_out(call, lambda: send(operation, request), send_half, _wire_error)

    return send_through


def _port_of(request: dict[str, Any]) -> str:
    name: str = request.get("TableName") or next(iter(request.get("RequestItems", {"tables": None})))
    return name.rpartition("-")[2]


def _wire_error(kind: FaultKind) -> Exception:
    """The engine's error for what the SDK raises."""
    address = {"endpoint_url": "https://dynamodb.example.org"}
    raised: dict[FaultKind, Exception] = {
        FaultKind.THROTTLED: refusal("ThrottlingException"),
        FaultKind.REFUSED: EndpointConnectionError(**address),
        FaultKind.CONFLICT: refusal("TransactionConflictException"),
    }
    try:
        with engine_errors():
            raise raised.get(kind, ReadTimeoutError(**address))
    except UnavailableError as error:
        return error


def _saved(embedded: EmbeddedEngine) -> SqliteSaved:
    """The state of an engine in memory, whose copy of the database is closed when nothing refers to it any more."""
    saved = SqliteSaved(embedded.database.copy(), dict(_contents(embedded)))
    weakref.finalize(saved, saved.database.close)
    return saved


def _contents(embedded: EmbeddedEngine) -> dict[str, bytes]:
    bodies: dict[str, bytes] = embedded.objects._contents._bodies  # type: ignore[attr-defined]  # in memory
    return bodies


def _digest(embedded: EmbeddedEngine, selected: str) -> bytes:
    digest = hashlib.sha256()
    with embedded.database.reading() as connection:
        for statement in (
            f"SELECT {selected} ORDER BY 1, 2, 3" if "FROM" in selected else "SELECT 1",
            "SELECT key, md5, tag FROM objects ORDER BY 1",
            "SELECT queue, body FROM messages ORDER BY 1, 2",
        ):
            for row in connection.execute(statement):
                digest.update(repr(row).encode())
    return digest.digest()
