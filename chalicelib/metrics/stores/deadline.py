"""A hard end to waiting.

Timeouts of a client bound a connection attempt or a single read, not a call: looking up a name, trying several
addresses and reading an answer that drips all come on top. Here the caller waits so long and no longer.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from chalicelib.errors import UnavailableError

Result = TypeVar("Result")


def within(limit_s: float, work: Callable[[], Result]) -> Result:
    """What the work returns or raises.

    Raises:
        UnavailableError: the work was not done in time. It goes on by itself, and what comes of it is not told.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  handed to the caller, who sees it as raised here
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return outcome.result(limit_s)
    except TimeoutError as error:
        raise UnavailableError from error
