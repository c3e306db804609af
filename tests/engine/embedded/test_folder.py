"""Folders that are refused, each with a sentence."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.engine.embedded import folder
from chalicelib.engine.embedded.database import FORMAT_VERSION
from chalicelib.engine.embedded.engine import embedded_engine
from chalicelib.engine.embedded.errors import FolderError
from chalicelib.engine.embedded.folder import DATABASE_NAME, LOCK_NAME, file_system_of
from tests.engine.embedded.conftest import Clock

MOUNTS = """\
24 30 0:22 / /proc rw - proc proc rw
30 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 30 0:50 / /mnt/nas\\040box rw - nfs4 server:/export rw
41 40 254:2 / /mnt/nas\\040box/local rw - xfs /dev/vdb rw
"""


def test_a_folder_can_be_opened_again(clock: Clock, data_folder: Path) -> None:
    first = embedded_engine(data_folder, clock)
    first.data.put({"pk": "p", "sk": "s"})
    first.metrics_stream.put("a", b"waits", limit_s=1)
    first.close()
    second = embedded_engine(data_folder, clock)
    assert second.data.get({"pk": "p", "sk": "s"}) is not None
    assert [record.data for record in second.metrics_stream.read(10)] == [b"waits"]
    second.close()


def test_an_empty_folder_or_one_with_a_lock_is_used_and_closed_to_others(clock: Clock, data_folder: Path) -> None:
    data_folder.mkdir(mode=0o755)
    (data_folder / LOCK_NAME).touch()
    embedded_engine(data_folder, clock).close()
    assert stat.S_IMODE(data_folder.stat().st_mode) == 0o700


def test_a_folder_with_other_files_is_refused_and_left_alone(clock: Clock, data_folder: Path) -> None:
    (data_folder / "objects").mkdir(parents=True, mode=0o755)
    mode = data_folder.stat().st_mode
    with pytest.raises(FolderError, match=r"no strandline\.db"):
        embedded_engine(data_folder, clock)
    assert data_folder.stat().st_mode == mode
    assert [path.name for path in data_folder.iterdir()] == ["objects"]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"PRAGMA user_version = {FORMAT_VERSION + 1}", "newer version"),
        ("PRAGMA application_id = 1", "another program"),
    ],
)
def test_a_database_of_a_newer_version_or_another_program_is_refused(
    clock: Clock, data_folder: Path, statement: str, sentence: str
) -> None:
    embedded_engine(data_folder, clock).close()
    with sqlite3.connect(data_folder / DATABASE_NAME) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(FolderError, match=sentence):
        embedded_engine(data_folder, clock)


def test_a_damaged_database_is_refused(clock: Clock, data_folder: Path) -> None:
    embedded_engine(data_folder, clock).close()
    (data_folder / DATABASE_NAME).write_bytes(b"no database at all" * 1000)
    with pytest.raises(FolderError, match="cannot be used"):
        embedded_engine(data_folder, clock)


def test_a_file_in_the_place_of_the_folder_is_refused(clock: Clock, data_folder: Path) -> None:
    data_folder.write_text("")
    with pytest.raises(FolderError, match="cannot be used"):
        embedded_engine(data_folder, clock)


def contents_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and the content of each file and folder below a folder, without the files that SQLite keeps while the
    database is open."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
        if path.name not in (f"{DATABASE_NAME}-shm", f"{DATABASE_NAME}-wal")
    }


@pytest.mark.parametrize("missing", ["objects", "secrets"])
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_folder_that_was_copied_in_part_is_refused_and_left_alone(
    clock: Clock, data_folder: Path, missing: str, is_empty: bool
) -> None:
    engine = embedded_engine(data_folder, clock)
    engine.objects.put("a", b"body", "text/plain")
    engine.close()
    shutil.rmtree(data_folder / missing)
    if is_empty:
        (data_folder / missing).mkdir()
    before = contents_of(data_folder)
    for read_only in (False, True):
        with pytest.raises(FolderError, match=rf"not copied whole.*files of {missing}/"):
            embedded_engine(data_folder, clock, read_only=read_only)
    assert contents_of(data_folder) == before


def test_a_folder_that_lacks_one_file_is_opened(clock: Clock, data_folder: Path) -> None:
    engine = embedded_engine(data_folder, clock)
    engine.objects.put("a", b"body", "text/plain")
    first = next((data_folder / "objects").iterdir())
    engine.objects.put("b", b"body", "text/plain")
    engine.close()
    first.unlink()
    again = embedded_engine(data_folder, clock)
    with pytest.raises(RuntimeError, match="the file of an object is missing"):
        again.objects.get("a")
    assert again.objects.get("b") == b"body"
    again.close()


def test_a_first_start_that_stopped_before_the_secrets_is_continued(clock: Clock, data_folder: Path) -> None:
    embedded_engine(data_folder, clock).close()
    next((data_folder / "secrets").iterdir()).unlink()
    embedded_engine(data_folder, clock).close()
    assert len(list((data_folder / "secrets").iterdir())) == 1


def test_a_read_only_engine_reads_beside_a_writer_and_refuses_writes(clock: Clock, data_folder: Path) -> None:
    writer = embedded_engine(data_folder, clock)
    writer.data.put({"pk": "p", "sk": "s"})
    writer.objects.put("a", b"body", "text/plain")
    reader = embedded_engine(data_folder, clock, read_only=True)
    assert reader.data.get({"pk": "p", "sk": "s"}) == {"pk": "p", "sk": "s"}
    assert reader.objects.get("a") == b"body"
    with pytest.raises(RuntimeError, match="cannot be written"):
        reader.data.put({"pk": "p", "sk": "s", "n": 1})
    with pytest.raises(RuntimeError, match="cannot be written"):
        reader.sweep()
    reader.close()
    writer.close()


@pytest.mark.parametrize("content", [None, b""])
def test_a_read_only_engine_creates_nothing(clock: Clock, data_folder: Path, content: bytes | None) -> None:
    if content is not None:
        for name in ("objects", "secrets"):
            (data_folder / name).mkdir(parents=True)
        (data_folder / DATABASE_NAME).write_bytes(content)
    with pytest.raises(FolderError, match=r"no data|is empty"):
        embedded_engine(data_folder, clock, read_only=True)
    assert (data_folder / DATABASE_NAME).exists() is (content is not None)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
def test_a_read_only_folder_is_refused(clock: Clock, data_folder: Path) -> None:
    engine = embedded_engine(data_folder, clock)
    engine.data.put({"pk": "p", "sk": "s"})
    engine.close()
    subprocess.check_call(["mount", "--bind", data_folder, data_folder])
    try:
        subprocess.check_call(["mount", "-o", "remount,ro,bind", data_folder])
        with pytest.raises(FolderError, match=r"cannot be used: Read-only file system\.$"):
            embedded_engine(data_folder, clock)
    finally:
        subprocess.check_call(["umount", data_folder])


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mounts that Linux names."""
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    monkeypatch.setattr(folder, "_MOUNTS", path)
    return path


@pytest.mark.parametrize(
    ("place", "expected"),
    [("/", "ext4"), ("/mnt", "ext4"), ("/mnt/nas box/a/b", "nfs4"), ("/mnt/nas box/local/a", "xfs"), ("/proc", "proc")],
)
@pytest.mark.usefixtures("mounts")
def test_a_folder_lies_on_what_is_mounted_nearest_to_it(place: str, expected: str) -> None:
    assert file_system_of(Path(place)) == expected


def test_the_file_system_cannot_be_told_without_a_list_of_mounts(mounts: Path) -> None:
    mounts.unlink()
    assert file_system_of(Path("/")) is None


@pytest.mark.parametrize("file_system", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_a_network_file_system_is_refused(clock: Clock, data_folder: Path, mounts: Path, file_system: str) -> None:
    mounts.write_text(f"30 1 254:1 / / rw - {file_system} server rw\n")
    with pytest.raises(FolderError, match="network"):
        embedded_engine(data_folder, clock)
