"""The ports of reading: stores, and what becomes of replies that are too large."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.data_sources.ports import DataSources
from chalicelib.log.ports import DataSetReader, RecordLog
from chalicelib.reading.session_and_head import ReadBoth
from chalicelib.reading.session_and_snapshot import ReadSessionAndSnapshot
from chalicelib.tiles.ports import TileReader


class LargeReplies(Protocol):
    """Keeps, for a short while, answers that are too large for the way they came to be asked for."""

    def put(self, body: bytes, content_type: str, content_encoding: str | None) -> str:
        """The address from which whoever knows it may fetch the body for a few minutes."""
        ...


@dataclass(frozen=True, slots=True)
class ReadingPorts:
    """The stores that a user's data is read from."""

    data_sets: DataSetReader
    log: RecordLog
    tiles: TileReader
    sources: DataSources
    large_replies: LargeReplies
    read_session_and_head: ReadBoth
    read_session_and_snapshot: ReadSessionAndSnapshot
