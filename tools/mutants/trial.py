"""Trials: an edit is made in a copy of the work tree, and the tests run there."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.mutants.edit import Edit
from tools.project import ToolError

TIMEOUT_S = 900
PYTEST_FAILED = 1
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?:\[.*| - .*)?$", re.MULTILINE)


class Verdict(StrEnum):
    """The end of a run of tests."""

    RED = "red"
    """A test failed: the edit was noticed."""
    GREEN = "green"
    """All tests passed."""
    BROKEN = "broken"
    """The tests could not be run, for example since a module could not be imported. That proves nothing."""
    SLOW = "slow"
    """The tests did not end in time."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of tests, until the first failure."""

    verdict: Verdict
    seconds: float
    failed: str = ""
    """The test that failed, without its parameters."""
    output: str = ""


class Copy:
    """A copy of a work tree, in which one edit at a time is made."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changes = 0

    def run(self, tests: Iterable[str]) -> Run:
        """Run tests until the first failure."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=short", "-p", "no:cacheprovider", *tests]
        began_s = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self._root, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return Run(Verdict.SLOW, time.monotonic() - began_s)
        seconds, failed = time.monotonic() - began_s, _FAILED.search(done.stdout)
        output = done.stdout + done.stderr
        if done.returncode == 0:
            return Run(Verdict.GREEN, seconds, output=output)
        if done.returncode == PYTEST_FAILED and failed:
            return Run(Verdict.RED, seconds, failed[1], output)
        return Run(Verdict.BROKEN, seconds, output=output)

    def try_edit(self, edit: Edit) -> Run:
        """Run the tests of an edit while it is made. Afterwards the copy is as before."""
        path = self._root / edit.file
        source = path.read_text(encoding="utf-8")
        try:
            self._write(path, edit.applied_to(source))
            return self.run(edit.tests)
        finally:
            self._write(path, source)

    def _write(self, path: Path, source: str) -> None:
        """Python takes bytecode for current if the source has the same size and the same second of its last change, so
        each change gets a second of its own."""
        path.write_text(source, encoding="utf-8")
        self._changes += 1
        second = time.time() + self._changes * 60
        os.utime(path, (second, second))


def copy_of(work_tree: Path, folder: Path) -> Copy:
    """A copy of all files that git does not ignore, as they are now, in an empty folder.

    Raises:
        ToolError: git does not know the work tree.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=work_tree, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise ToolError(f"git cannot list the files of {work_tree}: {listed.stderr.strip()}")
    for name in filter(None, listed.stdout.split("\0")):
        source, target = work_tree / name, folder / name
        if source.is_file():  # not one that was removed and is still in the index
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return Copy(folder)
