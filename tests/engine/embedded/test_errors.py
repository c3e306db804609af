"""The errors of SQLite as stores know them."""

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from chalicelib.engine.embedded.errors import FULL_BELOW_BYTES, storage_errors
from chalicelib.errors import NoSpaceError, UnavailableError


def raised(code: int, database: Path | None) -> type[Exception]:
    """The type of the error that stores see for one of SQLite with this extended code."""
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    with pytest.raises(Exception) as caught, storage_errors(database):  # noqa: PT011  its type is the result
        raise error
    return caught.type


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR])
def test_a_failed_sync_on_a_full_disk_says_that_the_disk_is_full(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free_bytes, expected in ((FULL_BELOW_BYTES - 1, NoSpaceError), (FULL_BELOW_BYTES, UnavailableError)):
        usage = SimpleNamespace(free=free_bytes)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, usage=usage: usage if folder == tmp_path else None)
        assert raised(code, tmp_path / "strandline.db") is expected


def test_a_failed_sync_is_an_outage_where_the_space_cannot_be_told(tmp_path: Path) -> None:
    assert raised(sqlite3.SQLITE_IOERR_FSYNC, tmp_path / "gone" / "strandline.db") is UnavailableError
    assert raised(sqlite3.SQLITE_IOERR_FSYNC, None) is UnavailableError


def test_a_busy_database_on_a_full_disk_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=0))
    assert raised(sqlite3.SQLITE_BUSY, tmp_path / "strandline.db") is UnavailableError
