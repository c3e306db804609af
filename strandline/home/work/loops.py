"""Threads that repeat a step until the process ends. No error ends them."""

from collections.abc import Callable
from threading import Event, Thread

from chalicelib.observability import logger, stack_frames

AFTER_ERROR_S = 5.0
"""Wait of a thread after an error: the disk may be full, or another process keep the database."""


def repeat(step: Callable[[], None], stopping: Event) -> None:
    """Repeat a step until the process is to end."""
    while not stopping.is_set():
        try:
            step()
        except Exception as error:  # noqa: BLE001  the next step may succeed, and nothing else would take it
            logger.error("defect", error=type(error).__name__, at=stack_frames(error))
            stopping.wait(AFTER_ERROR_S)


def start_thread(name: str, step: Callable[[], None], stopping: Event) -> Thread:
    """A thread that repeats a step. It does not keep the process from ending."""
    thread = Thread(target=repeat, args=[step, stopping], name=name, daemon=True)
    thread.start()
    return thread
