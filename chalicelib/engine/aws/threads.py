"""Threads in which calls wait for AWS at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from chalicelib.engine.at_once import Start

THREADS = 8
"""Of the process: a request starts two or three calls, and a function serves one request at a time."""

Result = TypeVar("Result")


@cache
def _executor() -> ThreadPoolExecutor:
    """The threads of this process, made when they are first needed."""
    return ThreadPoolExecutor(THREADS, "at-once")


@contextmanager
def in_threads() -> Iterator["Start"]:
    """`AtOnce` with threads. A call has the context of the block, so what was read ahead is found."""

    started: list[Future[Any]] = []

    def start(call: Callable[[], Result]) -> Callable[[], Result]:
        future = _executor().submit(copy_context().run, call)
        started.append(future)
        return future.result

    try:
        yield start
    finally:
        wait(started)
