"""Pauses that keep writers apart after they met at one item."""

import secrets
import time
from collections.abc import Callable

from chalicelib.engine.errors import TransactionConflictError

MAX_ATTEMPTS = 10
"""The attempts of a write that meets others. One of them wins each time, so this many writes may come at once."""

FIRST_PAUSE_MS = 5
LONGEST_PAUSE_MS = 100


def pause_after(attempt: int) -> None:
    """Wait before a new attempt: longer after each, and for a random time, so that those that met do not meet again.

    Args:
        attempt: how many attempts were made before this one, which met another.
    """
    longest_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2**attempt)
    time.sleep(secrets.randbelow(longest_ms * 1000) / 1_000_000)


def repeat_on_conflict(transact: Callable[[], None]) -> None:
    """Carry out a transaction, again after a pause for as long as it meets others.

    Raises:
        TransactionConflictError: it met another one at each of `MAX_ATTEMPTS` attempts.
    """
    for attempt in range(MAX_ATTEMPTS - 1):
        try:
            return transact()
        except TransactionConflictError:
            pause_after(attempt)
    return transact()
