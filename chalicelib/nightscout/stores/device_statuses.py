"""Device statuses in the data table: one item for each, which expires by itself. See docs/access-patterns.md."""

from collections.abc import Iterator, Sequence

from chalicelib.durations import DAY_S
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.engine.conditions import all_of, equals, greater_than
from chalicelib.engine.table import Delete, Item, Put, Query, Range, Table
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import device_status_key, device_status_time, device_statuses_partition
from chalicelib.nightscout.ports import DeviceStatus

_DEFLATE_LEVEL = 6
_FIRST_PAGE = 10


class StoredDeviceStatuses:
    """The port `DeviceStatuses` on the data table.

    Args:
        kept_days: how long a status is kept after it was stored.
    """

    def __init__(self, data: Table, kept_days: int) -> None:
        self._data = data
        self._kept_s = kept_days * DAY_S

    def add(self, owner: OwnerState, statuses: Sequence[DeviceStatus], now_ms: int) -> None:
        """See `DeviceStatuses.add`: one write for each 25."""
        if statuses:
            self._data.batch_write([Put(self._item(owner, status, now_ms)) for status in statuses])

    def newest_first(
        self, owner: OwnerState, times_ms: tuple[int | None, int | None], now_ms: int
    ) -> Iterator[DeviceStatus]:
        """See `DeviceStatuses.newest_first`: one query, page after page, of which the first has few items: apps poll
        for the newest one. Items of erased data, and those that have expired but are still stored, are left out."""
        first_ms, last_ms = times_ms
        if last_ms is not None and last_ms < max(0, first_ms or 0):
            return iter(())
        # A sort key goes on with "#" and the id, so "~" comes after all of a millisecond.
        between = Range(
            at_least=device_status_time(max(0, first_ms or 0)),
            at_most="~" if last_ms is None else f"{device_status_time(last_ms)}~",
        )
        is_valid = all_of(equals("epoch", owner.epoch), greater_than("expires_at_s", now_ms // 1000))
        statuses = Query(
            device_statuses_partition(owner.id), between, where=is_valid, newest_first=True, first_page=_FIRST_PAGE
        )
        return map(_status, self._data.query(statuses))

    def remove(self, owner: OwnerState, statuses: Sequence[DeviceStatus]) -> None:
        """See `DeviceStatuses.remove`: one write for each 25."""
        keys = [device_status_key(owner.id, status.time_ms, status.id) for status in statuses]
        if keys:
            self._data.batch_write([Delete(key) for key in keys])

    def _item(self, owner: OwnerState, status: DeviceStatus, now_ms: int) -> Item:
        return {
            **device_status_key(owner.id, status.time_ms, status.id),
            "id": status.id,
            "time_ms": status.time_ms,
            "content_key": status.content_key,
            "document": deflate(status.text, _DEFLATE_LEVEL),
            "epoch": owner.epoch,
            "expires_at_s": now_ms // 1000 + self._kept_s,
        }


def _status(item: Item) -> DeviceStatus:
    return DeviceStatus(item["id"], item["time_ms"], item["content_key"], inflate(item["document"]))
