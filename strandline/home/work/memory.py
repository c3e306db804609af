"""Memory that the process no longer uses, given back to the system.

glibc keeps what its threads have freed, in an arena for each of them: after a few large replies that is more than all
the rest of the process.
"""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from threading import Event

INTERVAL_S = 60.0
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def share_heap() -> None:
    """Let all threads of this process share one heap. To be called before the first thread is started.

    Otherwise a year of records that each of eight threads has sent takes the memory of eight replies until the next
    time that memory is given back. Other C libraries than glibc share a heap by themselves, or cannot be told.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class FreedMemory:
    """Gives freed memory back each minute. Other C libraries than glibc do so by themselves, or cannot be told."""

    def __init__(self, stopping: Event) -> None:
        """
        Args:
            stopping: is set when the process is to end.
        """
        self._stopping = stopping
        self._trim: Callable[[int], int] | None
        try:
            self._trim = ctypes.CDLL(None).malloc_trim
        except (OSError, AttributeError, TypeError):
            self._trim = None

    def step(self) -> None:
        """Give back what is free, after a minute."""
        self._stopping.wait(INTERVAL_S)
        self.give_back()

    def give_back(self) -> bool:
        """Give back what is free; returns whether this C library can."""
        if self._trim is None:
            return False
        self._trim(0)
        return True
