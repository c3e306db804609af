"""Engines in memory whose calls a test watches or refuses, and all that they hold."""

import weakref
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from chalicelib.blobs.content import md5_base64
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.embedded.faults import Faults
from chalicelib.engine.embedded.files import PENDING
from chalicelib.engine.embedded.rows import Rows
from chalicelib.engine.objects import UploadTerms
from chalicelib.engine.table import Item
from chalicelib.errors import UnavailableError
from chalicelib.services import system_now_ms

Watch = Callable[[str], None]
"""Is told the name of a call before it is carried out; what it raises, the call raises."""


def go_on(_call: str) -> None:
    """Let all calls happen."""


def refuse(*calls: str) -> Watch:
    """A watch that refuses the named calls, or all if none is named."""

    def watch(call: str) -> None:
        if not calls or call in calls:
            raise UnavailableError

    return watch


class WatchedCalls(Faults):
    """Faults of the tables, and a watch on the calls of all ports: those of tables by DynamoDB's name of the operation,
    others by port and method, such as `objects.put`."""

    def __init__(self) -> None:
        super().__init__()
        self.watch: Watch = go_on

    def before(self, operation: str) -> None:
        """See `Faults.before`."""
        self.watch(operation)
        super().before(operation)


class _Watched:
    """A port whose calls are watched."""

    def __init__(self, name: str, port: Any, calls: WatchedCalls) -> None:
        self._name, self._port, self._calls = name, port, calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._calls.watch(f"{self._name}.{name}")
            return method(*arguments, **named)

        return call


def memory_engine(now_ms: Callable[[], int] = system_now_ms, calls: WatchedCalls | None = None) -> EmbeddedEngine:
    """An empty engine, which is closed when nothing refers to its database any more."""
    engine = embedded_engine(None, now_ms, faults=calls)
    with engine.database.reading() as connection:
        weakref.finalize(engine.database, connection.close)
    if calls is None:
        return engine
    watched: dict[str, Any] = {
        "objects": _Watched("objects", engine.objects, calls),
        "task_queue": _Watched("task_queue", engine.task_queue, calls),
        "metrics_failures": _Watched("metrics_failures", engine.metrics_failures, calls),
        "metrics_stream": _Watched("metrics_stream", engine.metrics_stream, calls),
    }
    return replace(engine, **watched)


def stored_items(engine: EmbeddedEngine, table: TableDefinition) -> list[Item]:
    """All items of a table, by their keys."""
    rows = Rows(table)
    with engine.database.reading() as connection:
        found = connection.execute(
            "SELECT pk, sk, body FROM items WHERE table_name = ? ORDER BY pk, sk", (table.name,)
        ).fetchall()
    return [rows.item((table.name, pk, sk), body) for pk, sk, body in found]


def stored_keys(engine: EmbeddedEngine, prefix: str = "") -> list[str]:
    """The keys of the objects under a prefix."""
    with engine.database.reading() as connection:
        found = connection.execute(
            "SELECT key FROM objects WHERE substr(key, 1, ?) = ? ORDER BY key", (len(prefix), prefix)
        )
        return [key for (key,) in found]


def pending_keys(engine: EmbeddedEngine) -> list[str]:
    """The keys of the objects that came by a signed upload and that nobody has kept yet."""
    with engine.database.reading() as connection:
        return [key for (key,) in connection.execute("SELECT key FROM objects WHERE tag = ? ORDER BY key", (PENDING,))]


def take_over(source: EmbeddedEngine, target: EmbeddedEngine) -> None:
    """Store in one engine what another one has stored, in place of all that it had: copying a database takes 40
    microseconds. Neither sees what is stored in the other later.

    Objects are put again, so their times are those of the target; those of signed uploads cannot be copied.
    """
    with source.database.reading() as stored, target.database.reading() as connection:
        stored.backup(connection)
        objects = stored.execute("SELECT key, media_type, content_encoding, tag FROM objects").fetchall()
    for key, media_type, content_encoding, tag in objects:
        assert tag is None, f"{key} came by a signed upload"
        target.objects.put(key, source.objects.get(key) or b"", media_type, content_encoding=content_encoding)


def upload(engine: EmbeddedEngine, key: str, content: bytes, media_type: str = "text/plain") -> None:
    """Upload an object as a client does, by a signed address."""
    signed = engine.objects.sign_upload(key, UploadTerms(len(content), md5_base64(content), media_type), 60)
    address = urlsplit(signed.url)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    engine.objects.receive_upload(f"{address.path}?{address.query}", headers, BytesIO(content))


def queued_messages(engine: EmbeddedEngine, queue: str) -> list[str]:
    """The bodies of the messages of a queue, delayed ones too, in the order in which they were sent."""
    with engine.database.reading() as connection:
        found = connection.execute("SELECT body FROM messages WHERE queue = ? ORDER BY id", (queue,))
        return [body for (body,) in found]


def clear_queue(engine: EmbeddedEngine, queue: str) -> None:
    """Remove all messages of a queue."""
    with engine.database.writing() as connection:
        connection.execute("DELETE FROM messages WHERE queue = ?", (queue,))
