"""A stream as a table of records, of one shard."""

from collections.abc import Callable
from threading import Event, RLock

from chalicelib.engine.embedded.database import Database
from chalicelib.errors import UnavailableError
from chalicelib.frozen import frozen

SHARD_ID = "shardId-000000000000"
MAX_RECORD_BYTES = 1024 * 1024
"""A limit of Kinesis, with the partition key."""
MAX_BATCH_RECORDS = 500
"""Number of records that wait in memory before they are written."""
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Bytes that may wait in memory while the disk fails."""
RETENTION_MS = 24 * 3600 * 1000
"""As long as the stream of `infra/stateful.yaml` keeps records."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS stream_records (sequence_number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "arrived_ms INTEGER NOT NULL, partition_key TEXT NOT NULL, data BLOB NOT NULL)",
)


@frozen
class StreamRecord:
    """A record as a consumer gets it."""

    sequence_number: int
    """Greater than that of each record before it."""
    partition_key: str
    data: bytes
    arrived_ms: int


class SqliteStream:
    """The port `Stream` in SQLite, and what its one consumer needs.

    Records wait in memory until a batch of them is full or the consumer asks, so that no event costs a sync of its own.
    A crash loses those that wait.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._lock = RLock()
        self._waiting: list[tuple[int, str, bytes]] = []
        self._waiting_bytes = 0
        self._arrived = Event()

    def put(self, partition_key: str, record: bytes, *, limit_s: float) -> None:  # noqa: ARG002  of the port
        """See `Stream.put`. Nothing is waited for, unless the batch is full: then for the disk.

        Raises:
            RuntimeError: Kinesis would refuse the record.
        """
        if not partition_key or len(record) + len(partition_key.encode()) > MAX_RECORD_BYTES:
            raise RuntimeError("a record has a partition key, and up to 1 MB with it")
        with self._lock:
            if self._waiting_bytes + len(record) > MAX_WAITING_BYTES:
                raise UnavailableError
            self._waiting.append((self._now_ms(), partition_key, record))
            self._waiting_bytes += len(record)
            if len(self._waiting) >= MAX_BATCH_RECORDS:
                self.flush()
        self._arrived.set()

    def wait(self, timeout_s: float) -> None:
        """Return when something was put since the last wait, and after the timeout at the latest."""
        self._arrived.wait(timeout_s)
        self._arrived.clear()

    def flush(self) -> None:
        """Write the records that wait."""
        with self._lock:
            if not self._waiting:
                return
            with self._database.writing() as connection:
                connection.executemany(
                    "INSERT INTO stream_records (arrived_ms, partition_key, data) VALUES (?, ?, ?)", self._waiting
                )
            self._waiting.clear()
            self._waiting_bytes = 0

    def read(self, limit: int) -> list[StreamRecord]:
        """The first records that are not done with, in the order of their sequence numbers.

        Args:
            limit: how many at most.
        """
        self.flush()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT sequence_number, partition_key, data, arrived_ms FROM stream_records "
                "ORDER BY sequence_number LIMIT ?",
                (limit,),
            )
            return [StreamRecord(*row) for row in rows]

    def done(self, *, before: int) -> None:
        """Do not return records again whose sequence number is below this one: the first that failed, or one more than
        the last."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM stream_records WHERE sequence_number < ?", (before,))

    def sweep(self) -> int:
        """Remove records that were not done with in time, and return how many there were."""
        oldest_ms = self._now_ms() - RETENTION_MS
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM stream_records WHERE arrived_ms < ?", (oldest_ms,)).rowcount
