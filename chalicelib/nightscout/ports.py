"""Ports of the Nightscout API: the log of data and of documents, their tiles, and the reading of the user's data."""

from chalicelib.frozen import frozen
from chalicelib.log.ports import DataPorts
from chalicelib.reading.ports import ReadingPorts
from chalicelib.tiles.ports import TileReader


@frozen
class NightscoutPorts:
    """The stores of documents, and of the data that is derived from them."""

    data: DataPorts
    tiles: TileReader
    reading: ReadingPorts
    """The user's own data, which is shown as documents, too."""
