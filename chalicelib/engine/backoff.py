"""Pauses that keep writers apart after they met at one item."""

import secrets
import time

TRIES = 10
"""Of a write that meets others. Of those that meet, one wins each time, so this is how many may come at once."""

FIRST_PAUSE_MS = 5
LONGEST_PAUSE_MS = 100


def pause_after(attempt: int) -> None:
    """Wait before a new try, longer after each, and by chance: those that met do not meet again.

    Args:
        attempt: how many tries were made before this one, which met another.
    """
    longest_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2**attempt)
    time.sleep(secrets.randbelow(longest_ms * 1000) / 1_000_000)
