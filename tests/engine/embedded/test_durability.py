"""Tests that acknowledged writes are on the disk, by each connection's settings and by the recorded order of syncs.

A kill of the process leaves what the operating system has in memory, so it would prove nothing of this.
"""

import errno
import os
import sqlite3
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from chalicelib.engine.embedded import database, folder
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.table import Put
from chalicelib.errors import NoSpaceError, UnavailableError
from tests.engine.embedded.conftest import Clock

KEY = {"pk": "p", "sk": "s"}
FULL = 2


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The calls that change files, in order: the call, and the kind or the name of the file."""
    made: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    open_file, sync_file, rename = os.open, folder.sync_file, Path.replace

    def recorded_open(path: Any, *rest: Any) -> int:
        descriptor = open_file(path, *rest)
        names[descriptor] = _kind(Path(path))
        return descriptor

    def recorded_sync(descriptor: int) -> None:
        made.append(("sync", names[descriptor]))
        sync_file(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        made.append(("rename", _kind(path)))
        return rename(path, target)

    monkeypatch.setattr(os, "open", recorded_open)
    monkeypatch.setattr(folder, "sync_file", recorded_sync)
    monkeypatch.setattr(Path, "replace", recorded_rename)
    return made


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else path.suffix or "file"


def traced(connection: sqlite3.Connection, made: list[tuple[str, str]]) -> None:
    """Record commits beside the calls on files."""
    connection.set_trace_callback(lambda text: made.append(("sql", text.split(" ")[0])))


def test_each_connection_syncs_at_each_commit(on_disk: EmbeddedEngine) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[Any, Any]:
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode"))

    with (
        on_disk.database.writing() as writer,
        on_disk.database.reading() as reader,
        on_disk.database.reading() as other,
    ):
        assert len({id(writer), id(reader), id(other)}) == 3
        assert [pragmas(connection) for connection in (writer, reader, other)] == [(FULL, "wal")] * 3


def test_macos_is_told_to_write_through_the_cache_of_the_disk(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, data_folder: Path
) -> None:
    executed: list[str] = []

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            executed.append(statement)
            return super().execute(statement, *rest)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, factory=Connection, **options))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(folder, "sync_file", lambda _: None)  # which needs macOS itself
    embedded_engine(data_folder, clock).close()
    assert executed[:3] == ["PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON", "PRAGMA checkpoint_fullfsync = ON"]


def test_an_object_is_written_synced_renamed_and_its_folder_synced_before_its_row(
    on_disk: EmbeddedEngine, calls: list[tuple[str, str]]
) -> None:
    with on_disk.database.writing() as connection:
        traced(connection, calls)
    calls.clear()
    on_disk.objects.put("blobs/1", b"body", "text/plain")
    assert [call for call in calls if call[1] in ("BEGIN", "COMMIT") or call[0] != "sql"] == [
        ("sync", ".part"),
        ("rename", ".part"),
        ("sync", "folder"),
        ("sql", "BEGIN"),
        ("sql", "COMMIT"),
    ]
    assert [text for kind, text in calls if kind == "sql"].count("INSERT") == 3  # file removed, row, notice


def test_a_secret_is_synced_before_it_counts(on_disk: EmbeddedEngine, calls: list[tuple[str, str]]) -> None:
    on_disk.secrets.create("a/secret", "text")
    assert calls == [("sync", ".part"), ("rename", ".part"), ("sync", "folder")]


@pytest.mark.parametrize(("code", "error"), [(errno.ENOSPC, NoSpaceError), (errno.EIO, UnavailableError)])
@pytest.mark.parametrize("failing", [1, 2])
def test_an_object_whose_sync_fails_is_not_there(
    on_disk: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, failing: int, code: int, error: type[Exception]
) -> None:
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == failing:
            raise OSError(code, "the disk")

    monkeypatch.setattr(folder, "sync_file", sync)
    with pytest.raises(error):
        on_disk.objects.put("blobs/1", b"body", "text/plain")
    assert on_disk.objects.get("blobs/1") is None
    assert on_disk.blob_events.receive() == []
    assert on_disk.objects.put("blobs/1", b"body", "text/plain", once=True)


def test_a_write_that_does_not_fit_on_the_disk_changes_nothing(on_disk: EmbeddedEngine) -> None:
    on_disk.data.put(KEY | {"number": 1})
    with on_disk.database.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    with on_disk.database.writing() as connection:
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError):
        on_disk.data.transact([Put(KEY | {"number": 2}), Put({"pk": "p", "sk": "t", "body": b"x" * 300_000})])
    assert on_disk.data.get(KEY) == KEY | {"number": 1}
    on_disk.data.put(KEY | {"number": 3})
    assert on_disk.data.get(KEY) == KEY | {"number": 3}


def test_what_was_answered_is_there_for_another_process(
    on_disk: EmbeddedEngine, clock: Clock, data_folder: Path
) -> None:
    on_disk.data.put(KEY)
    on_disk.objects.put("a", b"body", "text/plain")
    on_disk.task_queue.send("message")
    beside = embedded_engine(data_folder, clock)
    assert beside.data.get(KEY) == KEY
    assert beside.objects.get("a") == b"body"
    assert [message.body for message in beside.task_queue.receive()] == ["message"]
    address = on_disk.objects.sign_download("a", 60)
    with beside.objects.open_download(address.removeprefix("http://127.0.0.1:8000")).body as body:
        assert body.read() == b"body"
    beside.close()


def test_a_write_that_another_process_keeps_waiting_is_unavailable(
    on_disk: EmbeddedEngine, data_folder: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    beside = embedded_engine(data_folder, clock)
    with on_disk.database.writing():
        with pytest.raises(UnavailableError):
            beside.data.put(KEY)
        assert beside.data.get(KEY) is None
    beside.data.put(KEY)
    beside.close()


def test_a_failed_block_is_undone(embedded: EmbeddedEngine) -> None:
    embedded.data.put(KEY)

    def fail() -> None:
        with embedded.database.writing() as connection:
            connection.execute("DELETE FROM items")
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
    assert embedded.data.get(KEY) == KEY


def test_many_threads_read_and_write(embedded: EmbeddedEngine) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        key = {"pk": f"p{number}", "sk": "s"}
        try:
            for count in range(20):
                embedded.data.put(key | {"count": count})
                assert embedded.data.get(key) == key | {"count": count}
        except BaseException as error:  # noqa: BLE001  reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_only_the_owner_reads_folder_and_files(on_disk: EmbeddedEngine, data_folder: Path) -> None:
    on_disk.objects.put("a", b"body", "text/plain")
    on_disk.secrets.create("a/secret", "text")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (data_folder, *data_folder.rglob("*"))}
    folders = {path: mode for path, mode in modes.items() if path.is_dir()}
    assert set(folders.values()) == {0o700}
    assert {path.name for path in folders} == {"data", "objects", "secrets"}
    files = {path.relative_to(data_folder).parts[0]: mode for path, mode in modes.items() if path.is_file()}
    assert files.keys() >= {"strandline.db", "strandline.db-wal", "objects", "secrets"}
    assert set(files.values()) == {0o600}


def test_a_connection_to_read_with_cannot_write(on_disk: EmbeddedEngine) -> None:
    on_disk.data.put(KEY)
    with pytest.raises(RuntimeError, match="cannot be written"), on_disk.database.reading() as connection:
        connection.execute("DELETE FROM items")
    assert on_disk.data.get(KEY) == KEY
