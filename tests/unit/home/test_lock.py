"""Tests the lock of a data folder, between processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strandline.cli.errors import CommandError
from strandline.home.lock import folder_lock
from tools.project import ROOT

HOLDING = """
import sys, pathlib
from strandline.home.lock import folder_lock
with folder_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder_of(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock of a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, folder], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with holder_of(tmp_path) as process:
        with pytest.raises(CommandError) as refusal, folder_lock(tmp_path):
            pass
        process.kill()

    assert str(refusal.value) == f"the folder {tmp_path} is in use by another process ({process.pid})."


def test_a_killed_process_frees_the_lock(tmp_path: Path) -> None:
    with holder_of(tmp_path) as process:
        process.kill()
        process.wait()

        with folder_lock(tmp_path):
            assert (tmp_path / "lock").read_text().strip() == str(os.getpid())


def test_the_end_of_the_block_frees_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with folder_lock(tmp_path):
            pass


def test_the_folder_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "new" / "folder"):
        assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "new" / "folder" / "lock").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    folder = tmp_path / "file" / "folder"

    with pytest.raises(CommandError, match=f"{folder} cannot be used: Not a directory"), folder_lock(folder):
        pass


def test_a_folder_of_something_else_gets_no_lock_file(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()

    with pytest.raises(CommandError, match="has files in it"), folder_lock(tmp_path):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
