"""The port of secrets: texts that few may read, in versions; and a cache for those that are read often."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from chalicelib.errors import UnavailableError
from chalicelib.frozen import frozen

MAX_AGE_S = 300
"""Seconds that a process may use the text of a secret after somebody replaced it."""

Result = TypeVar("Result")


@frozen
class SecretVersion:
    """The text of a secret, and the id of the version that it is."""

    text: str
    id: str


class Secrets(Protocol):
    """The secrets of a stage."""

    def get(self, name: str, *, limit_s: float | None = None) -> SecretVersion:
        """The current version of a secret: one call.

        Args:
            limit_s: how long to wait in total, without a second attempt; None for the engine's own limits.

        Raises:
            UnavailableError: the engine throttles, times out, cannot be reached, or takes longer than the limit.
            RuntimeError: there is no such secret, or this process may not read it.
        """

    def replace(self, name: str, version_id: str, text: str) -> None:
        """Make a text the current version, if the one with this id is: one call. Of several callers that replace the
        same version one wins, and the others change nothing; the current version tells whose it is.

        Raises:
            UnavailableError: the engine throttles, times out or cannot be reached.
            RuntimeError: there is no such secret, or this process may not write it.
        """


def cached_secret(secrets: Secrets, name: str, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """A function that returns the text of a secret, and reads it at most once in five minutes.

    Raises (the function):
        UnavailableError, RuntimeError: as `Secrets.get`.
    """
    return cached(lambda: secrets.get(name).text, clock_s)


def cached(
    read: Callable[[], Result], clock_s: Callable[[], float] = time.monotonic, *, survives_outages: bool = False
) -> Callable[[], Result]:
    """A function that returns what `read` makes of a secret, and calls it at most once in five minutes.

    Args:
        survives_outages: whether the function goes on to return the last result for five minutes, instead of raising,
            when `read` raises `UnavailableError`.

    Raises (the function):
        Exception: as `read`.
    """
    known: tuple[Result, float] | None = None

    def current() -> Result:
        nonlocal known
        if known is None or clock_s() - known[1] >= MAX_AGE_S:
            try:
                result = read()
            except UnavailableError:
                if known is None or not survives_outages:
                    raise
                result = known[0]
            known = result, clock_s()
        return known[0]

    return current
