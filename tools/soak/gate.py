"""The gate that clients pass for each step, and that is closed while the server restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

LOST_WITHIN_S = 5.0
"""A connection that broke because of a restart is explained by a closed gate within this time."""


class Gate:
    """Open while the server runs. Its generation counts the restarts."""

    def __init__(self) -> None:
        self.generation = 0
        self._changed = Condition()
        self._is_open = True
        self._inside = 0

    @contextmanager
    def step(self) -> Iterator[int]:
        """Wait until the gate is open, and count as inside until the block ends; yields the generation."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_open)
            self._inside += 1
            generation = self.generation
        try:
            yield generation
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self, *, waits: bool) -> None:
        """Close the gate; `waits` for the steps that are under way."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
            if waits:
                self._changed.wait_for(lambda: self._inside == 0)

    def open(self) -> None:
        """Open the gate: the server was started again."""
        with self._changed:
            self.generation += 1
            self._is_open = True
            self._changed.notify_all()

    def explains(self, generation: int) -> bool:
        """Whether a connection of this generation broke because of a restart."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._is_open or self.generation != generation, timeout=LOST_WITHIN_S
            )
