"""The ports of summaries: the stores that they are made from."""

from chalicelib.frozen import frozen
from chalicelib.log.ports import DataSetReader, RecordLog
from chalicelib.tiles.ports import HourSumReader, TileReader


@frozen
class SummaryPorts:
    """The stores from which the glucose of a user is read."""

    data_sets: DataSetReader
    log: RecordLog
    tiles: TileReader
    hour_sums: HourSumReader
