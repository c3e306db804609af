"""Workers that die, or meet a change by another process, at a chosen call of the engine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.tasks.types import TimeLimitError
from tests.fakes.engine import Watch, WatchedCalls


class DiedError(BaseException):
    """The process died, so none of its later code runs."""


@dataclass
class Process:
    """A worker that may die, or meet another process, after a number of calls, or run out of time after a number of
    steps."""

    dies_after: int | None = None
    stops_after: int | None = None
    meets_after: int = 0
    meeting: Callable[[], None] | None = None
    calls: int = 0
    steps: int = 0
    has_met: bool = False

    def before(self, _call: str) -> None:
        """Count a call."""
        if self.dies_after is not None and self.calls >= self.dies_after:
            raise DiedError
        calls, self.calls = self.calls, self.calls + 1
        if self.meeting is not None and calls == self.meets_after:
            self.has_met = True
            self.meeting()

    def check_time(self) -> None:
        """Count a step."""
        if self.steps == self.stops_after:
            raise TimeLimitError
        self.steps += 1


@contextmanager
def watched(calls: WatchedCalls, watch: Watch) -> Iterator[None]:
    """Let a watch see the calls of an engine for a while, in place of the one before."""
    outer, calls.watch = calls.watch, watch
    try:
        yield
    finally:
        calls.watch = outer
