"""The ports of reading: the stores that are read, and the store of replies that are too large for the gateway."""

from typing import Protocol

from chalicelib.data_sources.ports import DataSources
from chalicelib.frozen import frozen
from chalicelib.log.ports import DataSetReader, RecordLog
from chalicelib.tiles.ports import TileReader


class LargeReplies(Protocol):
    """Stores replies that are too large for the gateway, for a short time."""

    def put(self, body: bytes, content_type: str, content_encoding: str | None, disposition: str | None = None) -> str:
        """Store a body; returns the address from which anyone can fetch it for a few minutes."""


@frozen
class ReadingPorts:
    """The stores from which a user's data is read."""

    data_sets: DataSetReader
    log: RecordLog
    tiles: TileReader
    sources: DataSources
    large_replies: LargeReplies
