"""The schedule of a home server: tasks are dispatched each minute, and what has expired is removed now and then."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event
from typing import Any

from chalicelib.observability import FunctionFailedError
from strandline.home.work.records import SCHEDULED

TICK_S = 60.0
"""The rate of `dispatch_tasks`."""
TICKS_OF_A_SWEEP = 15
"""Number of ticks between two removals of what has expired. The first is soon after the start."""


class Schedule:
    """The work of each minute."""

    def __init__(
        self, dispatch: Callable[[Mapping[str, Any], None], Any], sweep: Callable[[], None], stopping: Event
    ) -> None:
        """
        Args:
            dispatch: the function that dispatches tasks.
            sweep: removes what has expired.
            stopping: is set when the process is to end.
        """
        self._dispatch = dispatch
        self._sweep = sweep
        self._stopping = stopping
        self._ticks = 0

    def step(self) -> None:
        """Do what is due, and wait for the next minute."""
        self._ticks += 1
        with suppress(FunctionFailedError):  # it is in the log
            self._dispatch(SCHEDULED, None)
        if self._ticks % TICKS_OF_A_SWEEP == 2 % TICKS_OF_A_SWEEP:
            self._sweep()
        self._stopping.wait(TICK_S)
