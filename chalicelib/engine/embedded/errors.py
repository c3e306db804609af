"""Errors that only the embedded engine raises."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.errors import NoSpaceError, UnavailableError


class FolderError(Exception):
    """The data folder cannot be used. The message is a sentence for the person who named it."""


class AddressRefusedError(Exception):
    """A request to a signed address is refused."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        """The HTTP status to answer: those of S3."""


_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT}) if hasattr(errno, "EDQUOT") else frozenset({errno.ENOSPC})
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM})


FULL_BELOW_BYTES = 256 * 1024
"""A disk with less free space than this counts as full when a write or a sync of SQLite has failed."""


@contextmanager
def storage_errors(database: Path | None = None) -> Iterator[None]:
    """Turns the errors of SQLite and of the operating system into those that stores know.

    Args:
        database: the file of the database, if it has one. SQLite names a full disk as such when a write finds it, but
            not when a sync does: then the free space beside the file tells.

    Raises:
        NoSpaceError: the disk is full.
        UnavailableError: another process holds the database for too long, or the disk failed.
        RuntimeError: the database is damaged or read-only, or the statement is a defect.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, database) from error
    except OSError as error:
        raise (NoSpaceError() if is_full(error) else UnavailableError()) from error


def is_full(error: OSError) -> bool:
    """Whether the operating system has no space left on a disk, or none for this user."""
    return error.errno in _NO_SPACE


def _from_sqlite(error: sqlite3.Error, database: Path | None) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors of the module itself
    primary = None if code is None else code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _lies_on_full_disk(database)):
        return NoSpaceError()
    if primary in _PASSING:
        return UnavailableError()
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return RuntimeError("the database is damaged")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return RuntimeError("the database cannot be written")
    return RuntimeError(f"SQLite refuses the statement: {error}")


def _lies_on_full_disk(database: Path | None) -> bool:
    try:
        return database is not None and shutil.disk_usage(database.parent).free < FULL_BELOW_BYTES
    except OSError:
        return False
