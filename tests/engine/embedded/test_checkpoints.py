"""Tests that the write-ahead log is copied into the database while no commit can happen, and stays short."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.engine.embedded import database
from chalicelib.engine.embedded.database import Database
from tools.project import ROOT

SCHEMA = ("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body BLOB)",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty file for a database."""
    path = tmp_path / "a.db"
    path.touch()
    return path


@pytest.fixture
def opened(path: Path) -> Iterator[Database]:
    """A database of notes."""
    opened = Database(path, SCHEMA)
    yield opened
    opened.close()


def write(opened: Database, size_bytes: int = 10) -> None:
    """Commit a note."""
    with opened.writing() as connection:
        connection.execute("INSERT INTO notes (body) VALUES (?)", (bytes(size_bytes),))


def notes_in_file(path: Path) -> int:
    """The number of notes without the log."""
    copy = path.with_name("copy.db")
    shutil.copyfile(path, copy)
    connection = sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
            return 0
        return int(connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    finally:
        connection.close()


def test_no_connection_makes_checkpoints_by_itself(opened: Database) -> None:
    with opened.writing() as writer, opened.reading() as reader:
        for connection in (writer, reader):
            assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_a_checkpoint_comes_when_the_log_is_long(opened: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_LOG_BYTES", 200_000)
    write(opened, 10_000)
    assert notes_in_file(path) == 0
    write(opened, 200_000)
    assert notes_in_file(path) == 2


def test_the_log_stays_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_LOG_BYTES", 200_000)
    opened = Database(path, SCHEMA)
    for _ in range(300):
        write(opened, 10_000)
        assert path.with_name("a.db-wal").stat().st_size < 250_000
    assert path.stat().st_size > 2_500_000
    opened.close()


def test_nobody_can_commit_during_a_checkpoint(opened: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_LOG_BYTES", 0)
    refusals: list[str] = []
    beside = sqlite3.connect(path, timeout=0, isolation_level=None)

    def try_to_write(statement: str) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            beside.execute("BEGIN IMMEDIATE")
        refusals.append(statement)

    assert opened._checkpointer is not None
    opened._checkpointer.set_trace_callback(try_to_write)
    write(opened)
    assert refusals == ["PRAGMA wal_checkpoint(PASSIVE)"]
    beside.execute("BEGIN IMMEDIATE")
    beside.close()


def test_a_checkpoint_that_fails_fails_no_write(opened: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_LOG_BYTES", 0)
    assert opened._checkpointer is not None
    opened._checkpointer.close()
    for _ in range(2):
        write(opened)
    assert notes_in_file(path) == 0
    with opened.reading() as reader:
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (2,)


def test_what_a_reader_needs_stays_in_the_log_until_it_is_done(
    opened: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MAX_LOG_BYTES", 0)
    write(opened)
    with opened.reading() as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        for _ in range(5):
            write(opened)
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        assert notes_in_file(path) == 1
        reader.execute("COMMIT")
    write(opened)
    assert notes_in_file(path) == 7


WRITING = """
import pathlib, sys
from chalicelib.engine.embedded import database
database.MAX_LOG_BYTES = 0
database.BUSY_TIMEOUT_MS = 60_000  # on a busy machine, the others may come first for long
opened = database.Database(pathlib.Path(sys.argv[1]), ())
for number in range(300):
    with opened.writing() as connection:
        connection.execute("INSERT INTO notes (body) VALUES (?)", (bytes(3000),))
opened.close()
"""


def test_processes_that_all_make_checkpoints_lose_nothing(opened: Database, path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", WRITING, path], cwd=ROOT) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    with opened.reading() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (900,)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
