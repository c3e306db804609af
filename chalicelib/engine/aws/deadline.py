"""A limit on how long a caller waits for a call.

The timeouts of a client bound a connection attempt or a single read, not the call: name resolution, further addresses
and an answer that comes in drips are not included.
"""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from chalicelib.errors import UnavailableError

Result = TypeVar("Result")


def within(limit_s: float, work: Callable[[], Result]) -> Result:
    """The result of the work, or the error that it raises.

    Raises:
        UnavailableError: the work was not done in time; the cause is a TimeoutError. The work goes on in its thread,
            and its outcome is lost.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  handed to the caller, who sees it as raised here
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not results:
        raise UnavailableError from TimeoutError(f"not done within {limit_s} s")
    return results[0]
