"""The ports of reading, of stores that a test names."""

from chalicelib.data_sources.ports import DataSources
from chalicelib.log.ports import DataSetReader, RecordLog
from chalicelib.reading.ports import ReadingPorts
from chalicelib.tiles.ports import TileReader
from tests.fakes.large_replies import FakeLargeReplies


def reading_ports(data_sets: DataSetReader, log: RecordLog, tiles: TileReader, sources: DataSources) -> ReadingPorts:
    """The ports of a rule that reads data."""
    return ReadingPorts(data_sets, log, tiles, sources, FakeLargeReplies())
