"""The ports of reading, of stores that a test names."""

from chalicelib.data_sources.ports import DataSources
from chalicelib.log.ports import DataSetReader, RecordLog
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.session_and_head import ReadBoth
from chalicelib.reading.session_and_snapshot import ReadTogether
from chalicelib.tiles.ports import TileReader
from tests.fakes.large_replies import FakeLargeReplies


def reading_ports(data_sets: DataSetReader, log: RecordLog, tiles: TileReader, sources: DataSources) -> ReadingPorts:
    """The ports of a rule that reads data; sessions are the door's affair."""
    return ReadingPorts(data_sets, log, tiles, sources, FakeLargeReplies(), _read_both, _read_together)


def _read_together(token_hash: str, owner_id: str, *, with_snapshot: bool) -> ReadTogether:
    raise AssertionError("a rule reads no session")


def _no_session_and_head(token_hash: str, data_set_id: str) -> tuple[None, None]:
    raise AssertionError("a rule reads no session")


_read_both: ReadBoth = _no_session_and_head
