"""Calls that wait for the engine at the same time.

    with engine.at_once() as start:
        data_sets = start(lambda: read_data_sets(owner))
        entries = start(lambda: read_entries(owner))
        tiles = read_tiles(manifest)
    return fold(data_sets(), entries(), tiles)

Where a call takes milliseconds of waiting, three of them take as long as one. In one process with the database, a call
waits for nothing, and the calls are made in turn.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Start(Protocol):
    """Starts a call."""

    def __call__(self, call: Callable[[], Result]) -> Callable[[], Result]:
        """A function that waits for the result of the call, and raises what the call raises."""


AtOnce = Callable[[], AbstractContextManager[Start]]
"""Opens a block that starts calls. All of them have ended when the block has."""


@contextmanager
def in_turn() -> Iterator[Start]:
    """`AtOnce` for an engine whose calls do not wait: each is made when it is started."""

    def start(call: Callable[[], Result]) -> Callable[[], Result]:
        result = call()
        return lambda: result

    yield start
