"""A SQLite database: on disk, durable at each commit, or in memory.

On disk there is one connection that writes, behind a lock, and a few that read what was committed before. In memory
there is one connection, behind a lock.
"""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from chalicelib.engine.embedded.errors import FolderError, storage_errors

APPLICATION_ID = 0x5374724C
"""Marks the file as a database of Strandline: "StrL"."""
FORMAT_VERSION = 1
BUSY_TIMEOUT_MS = 5_000
"""How long a write waits for another process, such as a backup."""
MAX_IDLE_READERS = 8


class Database:
    """Connections to one database."""

    def __init__(self, path: Path | None, schema: Sequence[str]) -> None:
        """Open the database, and create it if there is none.

        Args:
            path: the file; None for a database in memory.
            schema: the statements that create tables and indexes where there are none.

        Raises:
            FolderError: the file is of a newer version, of another program, or cannot be used safely.
        """
        self._path = path
        self._lock = RLock()
        self._idle: list[sqlite3.Connection] = []
        try:
            self._writer = self._connect()
            try:
                self._prepare(schema)
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.Error as error:
            raise FolderError(f"The database {path} cannot be used: {error}.") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with. Each statement sees all that was committed before it.

        Raises:
            See `storage_errors`.
        """
        if self._path is None:
            with self._lock, storage_errors():
                yield self._writer
            return
        with storage_errors():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            try:
                yield connection
            finally:
                if len(self._idle) < MAX_IDLE_READERS:
                    self._idle.append(connection)
                else:
                    connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, which is on disk when the block has ended, and undone if the block raises.

        Raises:
            See `storage_errors`.
        """
        with self._lock, storage_errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def copy(self) -> sqlite3.Connection:
        """A copy in memory of what is committed."""
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self.reading() as connection:
            connection.backup(copy)
        return copy

    def close(self) -> None:
        """Close all connections that are not in use."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if self._path is not None:
                connection.execute("PRAGMA synchronous = FULL")
                if sys.platform == "darwin":  # where fsync leaves the data in the disk's own cache
                    connection.execute("PRAGMA fullfsync = ON")
                    connection.execute("PRAGMA checkpoint_fullfsync = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, schema: Sequence[str]) -> None:
        application_id, version = (self._pragma(name) for name in ("application_id", "user_version"))
        if application_id not in (0, APPLICATION_ID):
            raise FolderError(f"The database {self._path} belongs to another program.")
        if version > FORMAT_VERSION:
            raise FolderError(f"The database {self._path} was written by a newer version of Strandline.")
        if self._path is not None and (mode := self._pragma("journal_mode = WAL")) != "wal":
            raise FolderError(f"The database {self._path} cannot keep a write-ahead log here (it has {mode!r}).")
        self._writer.execute("BEGIN IMMEDIATE")
        for statement in schema:
            self._writer.execute(statement)
        self._writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._writer.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        self._writer.execute("COMMIT")

    def _pragma(self, text: str) -> Any:
        (value,) = self._writer.execute(f"PRAGMA {text}").fetchone()
        return value
