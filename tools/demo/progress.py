"""Shows the progress of an upload: a bar in a terminal, and a line for each step elsewhere."""

import sys
from typing import TextIO

BAR_WIDTH = 32


class Progress:
    """Shows `done` out of `total` on standard error, so standard output has only the result."""

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self._label, self._total = label, total
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()

    def show(self, done: int) -> None:
        """Draw the state; the last one ends the line."""
        counts = f"{done:>{len(str(self._total))}}/{self._total}"
        if not self._is_terminal:
            print(f"{self._label} {counts}", file=self._stream, flush=True)
            return
        filled = BAR_WIDTH * done // max(1, self._total)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        end = "\n" if done >= self._total else ""
        print(f"\r{self._label} {bar} {counts}", end=end, file=self._stream, flush=True)
