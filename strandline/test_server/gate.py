"""The gate that requests pass, and that a reset closes until none is under way."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class BusyError(Exception):
    """A request is still under way."""


class Gate:
    """Lets many pass at a time, or one thread that closes it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._passing = 0
        self._is_closed = False

    def enter(self) -> None:
        """Pass, once the gate is open; `leave` must follow."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed)
            self._passing += 1

    def leave(self) -> None:
        """Leave what was entered."""
        with self._changed:
            self._passing -= 1
            self._changed.notify_all()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Pass until the block ends."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    @contextmanager
    def closed(self, timeout_s: float) -> Iterator[None]:
        """Close the gate, and keep it closed until the block ends.

        Raises:
            BusyError: those that had passed did not leave in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._is_closed, timeout_s):
                raise BusyError
            self._is_closed = True
            if not self._changed.wait_for(lambda: not self._passing, timeout_s):
                self._open()
                raise BusyError
        try:
            yield
        finally:
            with self._changed:
                self._open()

    def _open(self) -> None:
        self._is_closed = False
        self._changed.notify_all()
