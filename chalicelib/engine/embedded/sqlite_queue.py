"""Queues as a table of messages."""

import secrets
import sqlite3
from collections.abc import Callable, Iterable
from threading import Event

from chalicelib.durations import DAY_S
from chalicelib.engine.embedded.database import Database
from chalicelib.frozen import frozen

MAX_MESSAGE_BYTES = 256 * 1024
MAX_DELAY_S = 900
MAX_RECEIVED = 10
"""Limits of SQS."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, "
    "visible_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL, receive_count INTEGER NOT NULL DEFAULT 0, receipt TEXT, "
    "body TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS messages_by_time ON messages (queue, visible_ms, id)",
)


@frozen
class QueueDefinition:
    """The way in which a queue delivers. `infra/stateful.yaml` creates the same on AWS, and a test compares the two."""

    name: str
    visibility_s: int = 30
    """For how long nobody else gets a message that was received."""
    max_receives: int | None = None
    """Number of times that a message is received before it goes to the dead letters; None for ever."""
    retention_s: int = 14 * DAY_S
    """After which time a message is removed that nobody deleted."""

    @property
    def dead_letters(self) -> "QueueDefinition":
        """The queue of the messages that were received too often."""
        return QueueDefinition(f"{self.name}-failures")


TASKS = QueueDefinition("tasks", visibility_s=900, max_receives=3, retention_s=3600)
BLOB_EVENTS = QueueDefinition("blob-events", visibility_s=180, max_receives=5, retention_s=4 * DAY_S)
METRICS_FAILURES = QueueDefinition("metrics-failures")
QUEUES = (TASKS, TASKS.dead_letters, BLOB_EVENTS, BLOB_EVENTS.dead_letters, METRICS_FAILURES)


@frozen
class Message:
    """A message as one consumer received it."""

    id: int
    body: str
    receipt: str
    """Proves that this consumer received it last."""
    receive_count: int
    sent_ms: int


class SqliteQueue:
    """The port `Queue` in SQLite, and what its consumers need."""

    def __init__(self, database: Database, definition: QueueDefinition, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._definition = definition
        self._now_ms = now_ms
        self._arrived = Event()

    @property
    def definition(self) -> QueueDefinition:
        """The way in which it delivers."""
        return self._definition

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """See `Queue.send`. The message is on disk when this returns.

        Raises:
            RuntimeError: SQS would refuse the message.
        """
        if not body or len(body.encode()) > MAX_MESSAGE_BYTES:
            raise RuntimeError("a message has 1 byte to 256 KB")
        if not 0 <= delay_s <= MAX_DELAY_S:
            raise RuntimeError(f"a message is delayed for up to {MAX_DELAY_S} s, not {delay_s}")
        with self._database.writing() as connection:
            self.send_in(connection, body, delay_s=delay_s)
        self.announce()

    def send_in(self, connection: sqlite3.Connection, body: str, *, delay_s: int = 0) -> None:
        """Send a message in a transaction of the caller, who calls `announce` after it."""
        now_ms = self._now_ms()
        connection.execute(
            "INSERT INTO messages (queue, visible_ms, sent_ms, body) VALUES (?, ?, ?, ?)",
            (self._definition.name, now_ms + delay_s * 1000, now_ms, body),
        )

    def announce(self) -> None:
        """Wake the consumer that waits."""
        self._arrived.set()

    def wait(self, timeout_s: float) -> None:
        """Return when this process has sent something since the last wait, and after the timeout at the latest."""
        self._arrived.wait(timeout_s)
        self._arrived.clear()

    def receive(self, limit: int = MAX_RECEIVED) -> list[Message]:
        """Messages that are due, in the order in which they fell due. Nobody else gets them for the time that the
        definition says; then those that were not deleted come again.

        A message that would fall due later than any delay or visibility allows was stored before the clock was set
        back. It is due at once, so that work does not wait until the clock is where it was.

        Args:
            limit: how many at most.
        """
        now_ms = self._now_ms()
        due = (self._definition.name, now_ms, now_ms + max(self._definition.visibility_s, MAX_DELAY_S) * 1000)
        received: list[Message] = []
        with self._database.reading() as connection:
            if connection.execute(_ANY_DUE, due).fetchone() is None:
                return []
        with self._database.writing() as connection:
            self._bury(connection, due)
            for message_id, body, count, sent_ms in connection.execute(_DUE, (*due, limit)).fetchall():
                message = Message(message_id, body, secrets.token_hex(16), count + 1, sent_ms)
                connection.execute(
                    "UPDATE messages SET visible_ms = ?, receive_count = ?, receipt = ? WHERE id = ?",
                    (
                        now_ms + self._definition.visibility_s * 1000,
                        message.receive_count,
                        message.receipt,
                        message_id,
                    ),
                )
                received.append(message)
        return received

    def delete(self, messages: Iterable[Message]) -> None:
        """Remove messages that are done with, except those that another consumer has received since."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM messages WHERE id = ? AND receipt = ?",
                [(message.id, message.receipt) for message in messages],
            )

    def release(self, messages: Iterable[Message], *, delay_s: int = 0) -> None:
        """Let messages come again after a delay, instead of the time that the definition says."""
        visible_ms = self._now_ms() + delay_s * 1000
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE messages SET visible_ms = ? WHERE id = ? AND receipt = ?",
                [(visible_ms, message.id, message.receipt) for message in messages],
            )
        self.announce()

    def release_all(self) -> None:
        """Let all messages come again at once that a consumer received and did not delete.

        For the start of the only process with consumers: those of the process before it are dead.
        """
        with self._database.writing() as connection:
            connection.execute(_RELEASE_ALL, (self._now_ms(), self._definition.name))

    def sweep(self) -> int:
        """Remove messages that nobody deleted in time, and return how many there were."""
        oldest_ms = self._now_ms() - self._definition.retention_s * 1000
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM messages WHERE queue = ? AND sent_ms < ?", (self._definition.name, oldest_ms)
            ).rowcount

    def _bury(self, connection: sqlite3.Connection, due: tuple[str, int, int]) -> None:
        """Move messages that were received too often to the dead letters."""
        if self._definition.max_receives is not None:
            connection.execute(_BURY, (self._definition.dead_letters.name, *due, self._definition.max_receives))


_IS_DUE = "queue = ? AND (visible_ms <= ? OR visible_ms > ?)"
# All of it is written here, and no value.
_ANY_DUE = f"SELECT 1 FROM messages WHERE {_IS_DUE} LIMIT 1"  # noqa: S608
_DUE = (
    f"SELECT id, body, receive_count, sent_ms FROM messages WHERE {_IS_DUE} "  # noqa: S608
    "ORDER BY visible_ms, id LIMIT ?"
)
_BURY = f"UPDATE messages SET queue = ?, receive_count = 0, receipt = NULL WHERE {_IS_DUE} AND receive_count >= ?"  # noqa: S608
_RELEASE_ALL = "UPDATE messages SET visible_ms = ?, receipt = NULL WHERE queue = ? AND receipt IS NOT NULL"
