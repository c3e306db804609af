"""Copies of a database in files of their own, and checks that read a whole database."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.errors import FolderError
from chalicelib.frozen import frozen

MAX_FAULTS = 20
"""Number of faults of a database that are named."""


@frozen
class ObjectFile:
    """An object, and the file that has its content."""

    key: str
    file: str
    size_bytes: int
    md5_hex: str


def take_snapshot(database: Database, path: Path) -> None:
    """Write what is committed to a new database. Holds on files and files that wait to be removed are left out of it.

    Args:
        path: an empty file.

    Raises:
        NoSpaceError: the disk is full.
        UnavailableError: the disk fails.
        RuntimeError: the database is damaged.
    """
    database.write_copy(path)
    with open_snapshot(path) as snapshot, snapshot.writing() as connection:
        connection.execute("DELETE FROM file_holds")
        connection.execute("DELETE FROM removed_files")


@contextmanager
def open_snapshot(path: Path) -> Iterator[Database]:
    """Open a snapshot until the block ends; then it is one file again.

    Raises:
        FolderError: it is not a database of Strandline, or one of a newer version.
    """
    snapshot = Database(path, ())
    try:
        with snapshot.reading() as connection:
            _require_plain(connection)
        yield snapshot
    finally:
        snapshot.close()


def database_faults(connection: sqlite3.Connection) -> list[str]:
    """The faults of the file of a database, in SQLite's words; empty if there are none. All of it is read."""
    try:
        lines = [line for (line,) in connection.execute(f"PRAGMA integrity_check({MAX_FAULTS})")]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return [str(error)]
    return [] if lines == ["ok"] else lines


def object_files(connection: sqlite3.Connection) -> Iterator[ObjectFile]:
    """All objects, in the order of their files' names."""
    rows = connection.execute("SELECT key, file, size_bytes, md5 FROM objects ORDER BY file")
    return (ObjectFile(key, file, size, base64.b64decode(md5).hex()) for key, file, size, md5 in rows)


def removed_files(connection: sqlite3.Connection) -> set[str]:
    """The files of objects that are gone, which the next sweep removes."""
    return {file for (file,) in connection.execute("SELECT file FROM removed_files")}


def newest_time_ms(connection: sqlite3.Connection) -> int:
    """The latest time at which an object was stored or a message sent; 0 if none was."""
    statement = (
        "SELECT max(ifnull((SELECT max(created_ms) FROM objects), 0), ifnull((SELECT max(sent_ms) FROM messages), 0))"
    )
    return int(connection.execute(statement).fetchone()[0])


def message_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of messages of each queue that has any, those that are being worked on included."""
    return dict(connection.execute("SELECT queue, count(*) FROM messages GROUP BY queue ORDER BY queue").fetchall())


def _require_plain(connection: sqlite3.Connection) -> None:
    """Raise unless the database has the tables of Strandline, and nothing that acts by itself, such as triggers."""
    kinds = connection.execute("SELECT type, name FROM sqlite_schema").fetchall()
    tables = {name for kind, name in kinds if kind == "table"}
    if not {"items", "objects"} <= tables or any(kind not in ("table", "index") for kind, _ in kinds):
        raise FolderError("the database is not one of a home server.")
