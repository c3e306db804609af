"""Workers that die, or meet a change by another process, at a chosen call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chalicelib.tasks.types import TimeLimitError
from tests.fakes.tiles import FakeArchive, FakeTiles


class DiedError(BaseException):
    """The process died, so none of its later code runs."""


def observed(before: Callable[[str], None], *ports: Any) -> list[Any]:
    """The ports, which report each call before it is made."""
    return [_Observed(port, before) for port in ports]


class _Observed:
    def __init__(self, target: Any, before: Callable[[str], None]) -> None:
        self._target, self._before = target, before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*arguments: Any) -> Any:
            self._before(name)
            return method(*arguments)

        return call


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
def observed_writes(tiles: FakeTiles, archive: FakeArchive, before: Callable[[str], None]) -> Iterator[None]:
    """Call `before` ahead of each write of these stores."""
    outer = tiles.before_write
    tiles.before_write = archive.before_write = before
    try:
        yield
    finally:
        tiles.before_write = archive.before_write = outer
