"""Ports of the Nightscout API: the log of data and of documents, their tiles, and the reading of the user's data."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from chalicelib import json_text
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.ports import DataPorts
from chalicelib.reading.ports import ReadingPorts
from chalicelib.tiles.ports import TileReader


@frozen
class DeviceStatus:
    """A status as it is stored."""

    id: str
    time_ms: int
    """Time at which it was made."""
    content_key: str
    """The digest of what its client sent without a time; empty if the client sent a time or an `_id`."""
    text: bytes
    """The document as JSON, with `_id`."""

    @property
    def body(self) -> dict[str, Any]:
        """The document as it is returned."""
        body: dict[str, Any] = json_text.decode(self.text)
        return body


class DeviceStatuses(Protocol):
    """Stores device statuses for some weeks, each on its own."""

    def add(self, owner: OwnerState, statuses: Sequence[DeviceStatus], now_ms: int) -> None:
        """Store statuses. One with the time and id of a stored one takes its place.

        Raises:
            StorageQuotaError: the user would have stored more today than the share of a day; nothing was stored.
        """
        ...

    def newest_first(
        self, owner: OwnerState, times_ms: tuple[int | None, int | None], now_ms: int
    ) -> Iterator[DeviceStatus]:
        """The statuses between two times, both included, newest first, read as far as the iterator is asked."""
        ...

    def remove(self, owner: OwnerState, statuses: Sequence[DeviceStatus]) -> None:
        """Remove statuses."""
        ...


@frozen
class NightscoutPorts:
    """The stores of documents, and of the data that is derived from them."""

    data: DataPorts
    tiles: TileReader
    device_statuses: DeviceStatuses
    reading: ReadingPorts
    """The user's own data, which is shown as documents, too."""
