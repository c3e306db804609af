"""The ports of reading: the stores that are read, and the store of replies that are too large for the gateway."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from chalicelib.data_sources.ports import DataSources
from chalicelib.frozen import frozen
from chalicelib.log.ports import Backlogs, DataSetReader, RecordLog
from chalicelib.tiles.ports import TileReader

Result = TypeVar("Result")


class Start(Protocol):
    """Starts a read."""

    def __call__(self, call: Callable[[], Result]) -> Callable[[], Result]:
        """A function that waits for the result of the read, and raises what the read raises."""


class LargeReplies(Protocol):
    """Stores replies that are too large for the gateway, for a short time."""

    def put(self, body: bytes, content_type: str, content_encoding: str | None, disposition: str | None = None) -> str:
        """Store a body; returns the address from which anyone can fetch it for a few minutes."""


@frozen
class ReadingPorts:
    """The stores from which a user's data is read."""

    data_sets: DataSetReader
    log: RecordLog
    backlog: Backlogs
    tiles: TileReader
    sources: DataSources
    large_replies: LargeReplies
    at_once: Callable[[], AbstractContextManager[Start]]
    """Opens a block that starts reads, which wait for the stores at the same time. All have ended when it ends."""
