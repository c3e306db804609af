"""Tests that freed memory goes back to the system."""

import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from strandline.home.work.memory import FreedMemory

MIB = 1024 * 1024
SMALL_BYTES = 4096


def resident_bytes() -> int:
    """How much memory the process has."""
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
