"""Conflicts between writes, and the repetition of a change that met one."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TypeVar

from chalicelib.errors import UnavailableError

MAX_ATTEMPTS = 8
"""The number of attempts of a change, unless its rule sets another one."""

Result = TypeVar("Result")


class WriteConflictError(Exception):
    """The stored item is no longer the one that was read. Nothing was written: read again and decide again."""


def retry_on_conflict(
    attempt: Callable[[], Result],
    max_attempts: int | None = MAX_ATTEMPTS,
    conflict: type[Exception] = WriteConflictError,
) -> Result:
    """The result of the first attempt that meets no conflict.

    `attempt` reads what it decides on, so that each call decides by what is stored now. `max_attempts` of None sets no
    limit.

    Raises:
        UnavailableError: each of `max_attempts` attempts met a conflict.
    """
    for _ in count() if max_attempts is None else range(max_attempts):
        with suppress(conflict):
            return attempt()
    raise UnavailableError
