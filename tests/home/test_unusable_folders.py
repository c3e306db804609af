"""Folders that no command can use: one sentence, exit code 1, and nothing is changed."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.engine.embedded import folder
from chalicelib.engine.embedded.database import FORMAT_VERSION
from strandline.cli.main import main
from strandline.cli.progress import Progress
from strandline.home.backup import back_up
from tests.engine.embedded.test_folder import contents_of
from tests.home.conftest import person_of, readings

COMMANDS = (["user", "list"], ["user", "add", "ben@example.org"], ["backup", "{file}"], ["doctor"])
RESTORE = ["restore", "{backup}"]


@pytest.fixture
def data_folder(data_folder: Path, tmp_path: Path) -> Path:
    """A folder with data, of which there is a backup."""
    with person_of(data_folder) as person:
        assert person.add(person.open_data_set(), readings(0, 10)).status == 200
        assert person.store_blob(b"content").status == 201
        back_up(person.home, tmp_path / "backup.tar", Progress)
    return data_folder


def refusal(arguments: list[str], data_dir: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a command that fails."""
    places = {"file": data_dir.parent / "new.tar", "backup": data_dir.parent / "backup.tar"}
    capsys.readouterr()
    assert main([*(argument.format(**places) for argument in arguments), "--data-dir", str(data_dir)]) == 1
    printed = capsys.readouterr()
    assert not places["file"].exists()
    line = (printed.out if arguments == ["doctor"] else printed.err).splitlines()[-1]
    assert line.startswith("error")
    return line


@pytest.fixture
def read_only(data_folder: Path) -> Iterator[Path]:
    """The folder on a disk that is mounted read-only."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    if subprocess.run(["mount", "--bind", data_folder, data_folder], check=False).returncode != 0:
        pytest.skip("this machine mounts nothing")
    try:
        subprocess.check_call(["mount", "-o", "remount,ro,bind", data_folder])
        yield data_folder
    finally:
        subprocess.check_call(["umount", data_folder])


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_read_only_folder(read_only: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = contents_of(read_only)
    line = refusal(arguments, read_only, capsys)
    assert "cannot be used" in line
    assert contents_of(read_only) == before


def test_a_read_only_folder_takes_no_restore(read_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not empty" in refusal(RESTORE, read_only, capsys)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_folder_of_a_newer_version(
    data_folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    connection = sqlite3.connect(data_folder / "strandline.db")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    connection.close()
    before = contents_of(data_folder)
    assert "was written by a newer version of Strandline" in refusal(arguments, data_folder, capsys)
    assert contents_of(data_folder) == before


@pytest.mark.parametrize("arguments", [*COMMANDS, RESTORE])
def test_a_folder_on_a_network(
    data_folder: Path,
    tmp_path: Path,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("30 1 254:1 / / rw - nfs4 server:/export rw\n")
    monkeypatch.setattr(folder, "_MOUNTS", mounts)
    target = tmp_path / "restored" if arguments == RESTORE else data_folder
    assert "lies on a network file system (nfs4)" in refusal(arguments, target, capsys)


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("missing", ["objects", "secrets"])
def test_a_folder_that_was_copied_in_part(
    data_folder: Path, arguments: list[str], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (data_folder / missing).iterdir():
        path.unlink()
    before = contents_of(data_folder)
    assert f"not the files of {missing}/" in refusal(arguments, data_folder, capsys)
    assert contents_of(data_folder) == before
