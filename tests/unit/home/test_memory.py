"""Tests that freed memory goes back to the system."""

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from strandline.home.work.memory import FreedMemory
from tools.project import ROOT

MIB = 1024 * 1024
SMALL_BYTES = 4096


def resident_bytes() -> int:
    """The resident memory of the process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_thread_freed_goes_back() -> None:
    kept: list[bytearray] = []

    def use() -> None:
        """Free many small pieces below one that stays, which keeps them from the system."""
        pieces = [bytearray(SMALL_BYTES) for _ in range(100 * MIB // SMALL_BYTES)]
        kept.append(bytearray(SMALL_BYTES))
        pieces.clear()

    freed = FreedMemory(Event())
    if not freed.give_back():
        pytest.skip("this C library cannot be told")
    thread = Thread(target=use)
    thread.start()
    thread.join()
    before_bytes = resident_bytes()

    freed.give_back()

    assert before_bytes - resident_bytes() > 50 * MIB


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())

    assert not FreedMemory(Event()).give_back()


HEAPS = """
import ctypes, os, sys
from threading import Barrier, Thread
from strandline.home.work.memory import share_heap
if sys.argv[1] == "shared":
    share_heap()
libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    sys.exit("no glibc")
ready = Barrier(8)
def allocate():
    bodies = [bytes(100_000) for _ in range(20)]
    ready.wait()
threads = [Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
os._exit(0)
"""


def heaps(how: str) -> int:
    """The number of heaps that a process with eight threads uses."""
    command = [sys.executable, "-c", HEAPS, how]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if "no glibc" in ended.stderr:
        pytest.skip("needs glibc")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_threads_share_one_heap() -> None:
    assert heaps("shared") == 1
    assert heaps("apart") > 1
