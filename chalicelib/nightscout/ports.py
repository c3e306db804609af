"""Ports of the Nightscout API: the log of data and of documents, and their tiles."""

from chalicelib.frozen import frozen
from chalicelib.log.ports import DataPorts
from chalicelib.tiles.ports import TileReader


@frozen
class NightscoutPorts:
    """The stores of documents, and of the data that is derived from them."""

    data: DataPorts
    tiles: TileReader
