"""A SQLite database: on disk, durable at each commit, or in memory.

On disk there is one connection that writes, behind a lock, a few that read what was committed before, and one that
copies the write-ahead log into the database. In memory there is one connection, behind a lock.
"""

import atexit
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from chalicelib.engine.embedded.errors import FolderError, storage_errors

APPLICATION_ID = 0x5374724C
"""Marks the file as a database of Strandline: "StrL"."""
FORMAT_VERSION = 1
SQLITE_VERSION = sqlite3.sqlite_version
BUSY_TIMEOUT_MS = 5_000
"""Longest wait of a write for another process, such as a backup."""
MAX_IDLE_READERS = 8
MAX_LOG_BYTES = 4 * 1024 * 1024
"""The write-ahead log is copied into the database when its file is longer, and its file is cut to this length when the
log starts over. So the file is longer only while the log is, or while a reader needs what is in it."""


class Database:
    """Connections to one database."""

    def __init__(self, path: Path | None, schema: Sequence[str], *, read_only: bool = False) -> None:
        """Open the database, and create it if there is none.

        Args:
            path: the file; None for a database in memory.
            schema: the statements that create tables and indexes where there are none.
            read_only: whether nothing may be changed; then there has to be a file.

        Raises:
            FolderError: the file is of a newer version, of another program, or cannot be used safely.
        """
        self._path = path
        self._log_path = f"{path}-wal"
        self._read_only = read_only
        self._lock = RLock()
        self._idle: list[sqlite3.Connection] = []
        self._checkpointer: sqlite3.Connection | None = None
        try:
            self._writer = self._connect()
            try:
                if path is None:
                    _empty_database(tuple(schema)).backup(self._writer)
                else:
                    self._prepare(schema)
                if path is not None and not read_only:
                    self._checkpointer = self._connect()
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.Error as error:
            raise FolderError(f"the database {path} cannot be used: {error}.") from error

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
        with self._lock, storage_errors(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            if self._checkpointer is not None and self._is_log_long():
                self._checkpoint(self._checkpointer)

    def copy(self) -> sqlite3.Connection:
        """A copy in memory of what is committed."""
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self.reading() as connection:
            connection.backup(copy)
        return copy

    def write_copy(self, path: Path) -> None:
        """Write what is committed to a file, which has to be empty. Writes go on meanwhile.

        Raises:
            See `storage_errors`.
        """
        with storage_errors():
            connection = self._connect()
            try:
                connection.execute("VACUUM INTO ?", (str(path),))
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections that are not in use."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            if self._checkpointer is not None:
                self._checkpointer.close()
            self._writer.close()

    def _is_log_long(self) -> bool:
        try:
            return os.stat(self._log_path).st_size > MAX_LOG_BYTES  # noqa: PTH116  at each commit, so the faster one
        except OSError:
            return False

    def _checkpoint(self, checkpointer: sqlite3.Connection) -> None:
        """Copy the log into the database, as far as no reader needs it, while no connection of any process can write.

        SQLite before 3.51.3 may damage a database when a commit starts the log over while another connection makes a
        checkpoint (https://www.sqlite.org/wal.html#walresetbug). The open transaction keeps every commit waiting, so
        the two never meet. A failure here fails no write: the log has all of it, and the next checkpoint copies it.
        """
        with suppress(sqlite3.Error):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            finally:
                self._writer.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._address(),
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            if self._path is not None:
                connection.execute("PRAGMA synchronous = FULL")
                if sys.platform == "darwin":  # where fsync leaves the data in the disk's own cache
                    connection.execute("PRAGMA fullfsync = ON")
                    connection.execute("PRAGMA checkpoint_fullfsync = ON")
                connection.execute("PRAGMA wal_autocheckpoint = 0")  # see `_checkpoint`
                connection.execute(f"PRAGMA journal_size_limit = {MAX_LOG_BYTES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _address(self) -> str:
        if self._path is None:
            return ":memory:"
        return f"{self._path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rw'}"

    def _prepare(self, schema: Sequence[str]) -> None:
        application_id, version = (self._pragma(name) for name in ("application_id", "user_version"))
        if application_id not in (0, APPLICATION_ID):
            raise FolderError(f"the database {self._path} belongs to another program.")
        if version > FORMAT_VERSION:
            raise FolderError(f"the database {self._path} was written by a newer version of Strandline.")
        if self._read_only:
            if application_id != APPLICATION_ID:
                raise FolderError(f"the database {self._path} is empty.")
            return
        if self._path is not None and (mode := self._pragma("journal_mode = WAL")) != "wal":
            raise FolderError(f"the database {self._path} cannot keep a write-ahead log here (it has {mode!r}).")
        self._writer.execute("BEGIN IMMEDIATE")
        for statement in schema:
            self._writer.execute(statement)
        if (application_id, version) != (APPLICATION_ID, FORMAT_VERSION):  # opening alone writes nothing
            self._writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._writer.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        self._writer.execute("COMMIT")

    def _pragma(self, text: str) -> Any:
        (value,) = self._writer.execute(f"PRAGMA {text}").fetchone()
        return value


@cache
def _empty_database(schema: tuple[str, ...]) -> sqlite3.Connection:
    """A database in memory to copy for each engine in memory: tests make thousands, and copying is much faster."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    atexit.register(connection.close)
    for statement in schema:
        connection.execute(statement)
    return connection
