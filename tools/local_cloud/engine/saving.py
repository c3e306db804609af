"""Saves the state of ministack while it runs; by itself it saves only at a clean stop.

A forked child makes the save: it sees the state of one moment, and requests continue. A save in this process would
block them, and a save in a thread would find dictionaries that change during iteration.
"""

import asyncio
import copy
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tools.local_cloud.snapshots import write_snapshot

PAUSE_S = 4.0
LONGEST_PAUSE_S = 10.0
SHORTEST_ALARM_S = 15

log = logging.getLogger("strandline.saving")


class Saver:
    """Saves after changes, one save at a time, with pauses as long as the saves, so they take half the time at most."""

    def __init__(self, state: Path, save: Callable[[Path], None], complain: Callable[[str], None]) -> None:
        self._state = state
        self._save = save
        self._complain = complain
        self._changed = False
        self._last_save_s = 0.0
        self._child: asyncio.Task[bool] | None = None

    def note_change(self) -> None:
        """Request a save, because something may have changed."""
        self._changed = True

    async def run(self) -> None:
        """Save after changes until canceled."""
        while True:
            await asyncio.sleep(min(max(PAUSE_S, self._last_save_s), LONGEST_PAUSE_S))
            if self._changed:
                self._changed = False
                self._child = asyncio.ensure_future(self._save_in_child())
                if not await asyncio.shield(self._child):
                    self._changed = True

    async def save_at_stop(self) -> None:
        """Make the last save, in this process, after the one that may be under way."""
        if self._child is not None:
            await self._child
        write_snapshot(self._state, self._save)

    async def _save_in_child(self) -> bool:
        started = time.monotonic()
        parent = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            self._complain(f"the data could not be saved ({error.strerror}); it is tried again")
            return False
        if child == 0:
            self._be_the_child(parent)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        self._last_save_s = time.monotonic() - started
        if status:
            self._complain("the data could not be saved (the reason is in engine.log); it is tried again")
        return status == 0

    def _be_the_child(self, parent: int) -> None:
        """Save and exit even after an error: the child must not return into the event loop of the parent."""
        code = 1
        try:
            # A lock that another thread held at the fork would block this child forever.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(max(SHORTEST_ALARM_S, int(4 * self._last_save_s)))
            # Sockets of the parent: a child that outlives it must not keep its ports.
            os.closerange(3, 65536)
            # This process is a copy already; ministack's own copies would double the time.
            copy.deepcopy = lambda value, *_: value
            if os.getppid() == parent:
                write_snapshot(self._state, self._save)
            code = 0
        except BaseException:
            log.exception("a save failed")
        finally:
            os._exit(code)
