"""The repetition of a read that met tiles which are gone."""

from collections.abc import Callable
from typing import TypeVar

from chalicelib.conflicts import retry_on_conflict
from chalicelib.tiles.ports import TileMissingError

MAX_ATTEMPTS = 3

Result = TypeVar("Result")


def retry_on_missing_tile(attempt: Callable[[], Result]) -> Result:
    """The result of the first attempt that finds all tiles.

    A tile is missing if a compaction replaced the manifest long ago, while the request was suspended. `attempt` reads
    the manifest, so that each call begins with the current one.

    Raises:
        UnavailableError: each of `MAX_ATTEMPTS` attempts met a missing tile.
    """
    return retry_on_conflict(attempt, MAX_ATTEMPTS, TileMissingError)
