"""Tests that accepted data survive a kill of the local cloud, except for the last seconds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.client import User, sample

ROOT = Path(__file__).parents[3]
START_TIMEOUT_S = 300
SAVED_AFTER_S = 35
"""Longer than any pause between two saves, and a save."""


@contextmanager
def _running(data_dir: Path) -> Iterator[str]:
    """A local cloud of its own; at the end all of its processes are killed at once, without a chance to save."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.local_cloud", "--port", "0", "--data-dir", str(data_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _base_url(process)
    finally:
        for pid in (process.pid, *_descendants(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True, check=True).stdout
    pairs = [(int(parent), int(child)) for parent, child in (line.split() for line in listed.splitlines())]
    found = [pid]
    for parent in found:
        found += [child for its_parent, child in pairs if its_parent == parent]
    return found[1:]


def _base_url(process: "subprocess.Popen[str]") -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready: "):
            return line.removeprefix("ready: ").strip()
        assert time.monotonic() < deadline, line
    raise AssertionError(f"the local cloud ended with code {process.wait()}")


@pytest.mark.slow
def test_data_survives_a_kill_after_it_was_saved(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    records = sample("xdrip/02_data_day.json")
    with _running(data_dir) as base_url:
        user = User(base_url)
        data_set_id = user.open_data_set(sample("xdrip/01_create_data_set.json"))
        user.add(f"/v1/datasets/{data_set_id}/data", records)
        before = user.records()
        deadline = time.monotonic() + SAVED_AFTER_S
        while time.monotonic() < deadline:
            time.sleep(1)
    with _running(data_dir) as base_url:
        user.base_url = base_url
        assert user.records() == before
        assert len(before) > len(records)
        user.add(f"/v1/datasets/{data_set_id}/data", records)
        assert len(user.records()) == len(before)
