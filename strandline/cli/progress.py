"""Shows the progress of a step on standard error: a bar in a terminal, one line for each step elsewhere."""

import sys
from types import TracebackType
from typing import Self, TextIO

BAR_WIDTH = 28


class Progress:
    """A step with a known total, as a context manager."""

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self._label, self._total, self._done = label, total, 0
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_terminal:
            print(file=self._stream, flush=True)
        elif error is None:
            print(f"{self._label}: {self._done}/{self._total}", file=self._stream, flush=True)

    def advance(self, count: int = 1) -> None:
        """Count more units as done."""
        self._done += count
        self._draw()

    def _draw(self) -> None:
        if not self._is_terminal:
            return
        filled = BAR_WIDTH * min(self._done, self._total) // max(1, self._total)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        print(f"\r{self._label:12} {bar} {self._done}/{self._total}", end="", file=self._stream, flush=True)
