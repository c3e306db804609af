"""The clock of the test server: that of the machine, which a test sets forward."""

from collections.abc import Callable
from threading import Lock


class Clock:
    """A clock that runs as the machine's does, ahead of it by what it was advanced."""

    def __init__(self, machine_now_ms: Callable[[], int]) -> None:
        self._machine_now_ms = machine_now_ms
        self._lock = Lock()
        self._ahead_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._machine_now_ms() + self._ahead_ms

    def advance(self, duration_ms: int) -> None:
        """Set the clock forward."""
        with self._lock:
            self._ahead_ms += duration_ms

    def reset(self) -> None:
        """Set the clock back to the machine's time."""
        with self._lock:
            self._ahead_ms = 0
