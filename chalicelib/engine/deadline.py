"""A limit on how long a caller waits for a call.

The timeouts of a client bound a connection attempt or a single read, not the call: name resolution, further addresses
and an answer that comes in drips are not included.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from chalicelib.errors import UnavailableError

Result = TypeVar("Result")


def within(limit_s: float, work: Callable[[], Result]) -> Result:
    """The result of the work, or the error that it raises.

    Raises:
        UnavailableError: the work was not done in time. It goes on in its thread, and its outcome is lost.
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
