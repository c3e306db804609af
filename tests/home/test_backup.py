"""`strandline backup` beside a running application, and what it refuses."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.files import GRACE_MS
from chalicelib.engine.embedded.snapshots import take_snapshot
from chalicelib.services import machine
from strandline.cli.main import main
from strandline.cli.progress import Progress
from strandline.home import backup as backing_up
from strandline.home.backup import back_up
from strandline.home.opening import open_home
from tests.home.conftest import Clock, Person, person_of, readings
from tests.home.test_full_disk import fill, small_disk  # noqa: F401  a fixture
from tools.project import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A backup to be written."""
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb" / "monday.tar"


def run(*arguments: str | Path) -> int:
    """The exit code of a command."""
    return main(list(map(str, arguments)))


def fill_with_data(person: Person) -> list[str]:
    """Add readings and three blobs, and return the ids of the blobs."""
    data_set_id = person.open_data_set()
    assert person.add(data_set_id, readings(0, 100)).status == 200
    return [str(person.store_blob(b"content %d" % number).json()["id"]) for number in range(3)]


def refusal(capsys: pytest.CaptureFixture[str], file: Path, data_folder: Path) -> str:
    """The one line of a backup that is refused; nothing is left beside the file."""
    before = sorted(file.parent.iterdir()) if file.parent.is_dir() else []
    capsys.readouterr()
    assert run("backup", file, "--data-dir", data_folder) == 1
    assert (sorted(file.parent.iterdir()) if file.parent.is_dir() else []) == before
    return next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))


def test_a_backup_has_the_database_the_secrets_and_the_objects(
    person: Person, data_folder: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_with_data(person)
    assert run("backup", file, "--data-dir", data_folder) == 0
    printed = capsys.readouterr()
    assert "3 objects and 5 secrets" in printed.out
    assert str(file) in printed.out
    assert "objects: 3/3" in printed.err
    assert [path.name for path in file.parent.iterdir()] == ["monday.tar"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:  # any program reads it
        names = archive.getnames()
        assert {member.mode for member in archive.getmembers()} == {0o600}
        for name in names[1:-1]:
            stored = archive.extractfile(name)
            assert stored is not None
            assert stored.read() == (data_folder / name).read_bytes()
    folders = [name.partition("/")[0] for name in names]
    assert folders == ["strandline.db", *["secrets"] * 5, *["objects"] * 3, "backup.json"]


def test_the_same_data_make_the_same_bytes(data_folder: Path, tmp_path: Path) -> None:
    with person_of(data_folder) as person:
        fill_with_data(person)
        now_ms = person.home.services.now_ms()
    shutil.copytree(data_folder, tmp_path / "copy")
    surroundings = replace(machine(), now_ms=lambda: now_ms)
    for folder, name in ((data_folder, "a"), (tmp_path / "copy", "b")):
        with open_home(folder, surroundings=surroundings) as home:
            back_up(home, tmp_path / name, Progress)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_unwritten_backup_leaves_the_next_one_alone(person: Person, data_folder: Path, file: Path) -> None:
    for end in (".partial", ".partial.db"):
        file.with_name(file.name + end).write_text("left by a crash")
    assert run("backup", file, "--data-dir", data_folder) == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.usefixtures("person")
def test_a_place_that_will_not_do_is_refused(data_folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("precious")
    assert "exists" in refusal(capsys, file, data_folder)
    assert file.read_text() == "precious"
    assert "there is no folder" in refusal(capsys, file.parent / "nowhere" / "a.tar", data_folder)
    assert "in the data folder itself" in refusal(capsys, data_folder / "a.tar", data_folder)
    assert "in the data folder itself" in refusal(capsys, data_folder / "objects" / "a.tar", data_folder)
    assert "no data of a home server" in refusal(capsys, file.with_name("b"), file.parent)


def test_a_missing_and_a_damaged_object_are_named_and_keep_nothing_else_back(
    person: Person, data_folder: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_with_data(person)
    first, second, third = sorted((data_folder / "objects").iterdir())
    first.unlink()
    second.write_bytes(b"damaged")
    assert run("backup", file, "--data-dir", data_folder) == 3
    assert "lacks 1 objects and has 1 damaged ones" in capsys.readouterr().err
    with tarfile.open(file) as archive:
        described = archive.extractfile("backup.json")
        assert described is not None
        manifest = orjson.loads(described.read())
        assert f"objects/{third.name}" in archive.getnames()
    assert (manifest["missing"], manifest["damaged"]) == ([first.name], [second.name])

    restored = file.parent / "restored"
    assert run("restore", file, "--data-dir", restored) == 3
    assert "1 objects were missing and 1 damaged" in capsys.readouterr().err


def test_a_damaged_database_is_refused(data_folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with person_of(data_folder) as person:
        fill_with_data(person)
    database = data_folder / "strandline.db"
    content = bytearray(database.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = bytes(64)
    database.write_bytes(content)
    assert "damaged" in refusal(capsys, file, data_folder)


def test_files_are_held_while_a_backup_is_written(
    data_folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with person_of(data_folder, clock) as person:
        objects = person.home.engine.objects
        objects.put("a", b"body", "text/plain")

        def delete_after_snapshot(database: Database, path: Path) -> None:
            take_snapshot(database, path)
            objects.delete(["a"])
            clock.offset_ms += GRACE_MS + 1
            objects.sweep()

        monkeypatch.setattr(backing_up, "take_snapshot", delete_after_snapshot)
        backup = back_up(person.home, file, Progress)
        assert (backup.manifest.objects, backup.is_whole) == (1, True)
        assert len(list((data_folder / "objects").iterdir())) == 1
        objects.sweep()
        assert list((data_folder / "objects").iterdir()) == []


def test_a_backup_under_load_is_consistent(data_folder: Path, file: Path, tmp_path: Path) -> None:
    """Another process saves the folder while threads add, replace and delete, and files are removed at once."""
    with person_of(data_folder) as person:
        data_set_id = person.open_data_set()
        assert person.add(data_set_id, readings(0, 500)).status == 200
        engine = person.home.engine
        stop, failures = threading.Event(), []

        def work(number: int) -> None:
            try:
                for count in range(1_000_000):
                    if stop.is_set():
                        return
                    engine.data.put({"pk": f"load-{number}", "sk": f"{count}", "body": bytes(2000)})
                    engine.objects.put(f"load/{number}/{count % 7}", b"%d" % count * 1000, "text/plain")
                    engine.objects.delete([f"load/{number}/{(count + 3) % 7}"])
                    engine.objects._unlink(engine.now_ms() + GRACE_MS + 1)
            except BaseException as error:  # noqa: BLE001  reported below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number in range(3):
                path = file.with_name(f"{number}.tar")
                command = [sys.executable, "-m", "strandline.cli", "backup", str(path), "--data-dir", str(data_folder)]
                saved = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
                assert (saved.returncode, saved.stdout[:6]) == (0, "saved:"), saved.stderr
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert [(error, error.__cause__) for error in failures] == []
        added = person.read()

    for number in range(3):
        restored = tmp_path / f"restored-{number}"
        assert run("restore", file.with_name(f"{number}.tar"), "--data-dir", restored) == 0
        with person_of(restored) as person:
            assert person.read() == added
            keys = list(person.home.engine.objects.keys("load/"))
            assert keys
            assert all(person.home.engine.objects.get(key) for key in keys)


def test_a_backup_without_room_leaves_nothing_and_the_folder_goes_on(
    person: Person,
    data_folder: Path,
    small_disk: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(12):
        assert person.store_blob(os.urandom(1_000_000 + number)).status == 201
    assert "is full; no backup was written" in refusal(capsys, small_disk / "a.tar", data_folder)
    filler = fill(small_disk)
    assert "is full; no backup was written" in refusal(capsys, small_disk / "a.tar", data_folder)
    filler.unlink()
    assert person.store_blob(b"content").status == 201
    with sqlite3.connect(data_folder / "strandline.db") as connection:
        assert connection.execute("SELECT count(*) FROM file_holds").fetchone() == (0,)
    connection.close()
