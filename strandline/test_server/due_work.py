"""The work that a home server does beside requests: tasks that fall due, and uploads whose content came.

A thread of this process carries it out soon after. Setting the clock forward carries out at once what falls due.
"""

from contextlib import suppress
from threading import Event, RLock, Thread

from chalicelib.events.blobs import BATCH_SIZE, on_object_created
from chalicelib.events.tasks import dispatch_tasks, run_task
from chalicelib.observability import FunctionFailedError
from chalicelib.services import Services
from strandline.home.work.consumers import consume
from strandline.home.work.loops import start_thread
from strandline.home.work.records import SCHEDULED
from strandline.test_server.store import Store

TICK_MS = 60_000
"""Interval at which tasks are dispatched, as the schedule of `dispatch_tasks`."""
POLL_S = 0.02
MAX_ROUNDS = 1_000
"""Number of rounds of messages in one call. A task that always falls due again does not keep it for ever."""


class DueWork:
    """Carries out what is due, by the clock of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = RLock()
        self._ticked: tuple[Services | None, int] = (None, 0)
        """Which services had the last tick, and when."""

    def carry_out(self) -> None:
        """Carry out all that is due. It is done when this returns."""
        with self._lock, self._store.in_use():
            services, last_ms = self._ticked
            now_ms = self._store.services.now_ms()
            if services is not self._store.services or now_ms >= last_ms + TICK_MS:
                self._ticked = self._store.services, now_ms
                self._store.engine.sweep()
                with suppress(FunctionFailedError):  # it is in the log
                    dispatch_tasks(SCHEDULED, None)
            engine = self._store.engine
            for _ in range(MAX_ROUNDS):
                uploads = consume(engine.blob_events, on_object_created, BATCH_SIZE)
                tasks = consume(engine.task_queue, run_task, 1)
                if not (uploads or tasks):
                    return

    def carry_out_until(self, stopped: Event) -> Thread:
        """Start a thread that carries out what is due until the event is set."""

        def step() -> None:
            if not stopped.wait(POLL_S):
                self.carry_out()

        return start_thread("due work", step, stopped)
