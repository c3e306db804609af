"""Device statuses in the data table: one item for each, which expires by itself. See docs/access-patterns.md."""

from collections.abc import Iterator, Sequence

from chalicelib.durations import DAY_MS, DAY_S
from chalicelib.encoding.raw_deflate import deflate, inflate
from chalicelib.engine.conditions import absent, all_of, any_of, at_most, equals, greater_than
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Delete, Item, Put, Query, Range, Table, Update
from chalicelib.errors import StorageQuotaError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import ITEM_BYTES
from chalicelib.log.stores.keys import (
    device_status_day_key,
    device_status_key,
    device_status_time,
    device_statuses_partition,
)
from chalicelib.nightscout.ports import DeviceStatus

_DEFLATE_LEVEL = 6
_FIRST_PAGE = 10


class StoredDeviceStatuses:
    """The port `DeviceStatuses` on the data table.

    Args:
        kept_days: how long a status is kept after it was stored.
        quota_bytes: what all statuses of a user may take, of which each day has its share; None for any number.
    """

    def __init__(self, data: Table, kept_days: int, quota_bytes: int | None = None) -> None:
        self._data = data
        self._kept_s = kept_days * DAY_S
        self._day_bytes = None if quota_bytes is None else quota_bytes // kept_days

    def add(self, owner: OwnerState, statuses: Sequence[DeviceStatus], now_ms: int) -> None:
        """See `DeviceStatuses.add`: one write that counts, and one for each 25."""
        if statuses:
            items = [self._item(owner, status, now_ms) for status in statuses]
            self._count(owner, sum(len(item["document"]) + ITEM_BYTES for item in items), now_ms)
            self._data.batch_write([*map(Put, items)])

    def _count(self, owner: OwnerState, size_bytes: int, now_ms: int) -> None:
        """Count what a user stores today.

        Raises:
            StorageQuotaError: it is more than the share of a day.
        """
        if self._day_bytes is None:
            return
        refusal = StorageQuotaError(self._day_bytes, "device statuses of a day")
        if size_bytes > self._day_bytes:
            raise refusal
        today = device_status_day_key(owner.id, now_ms // DAY_MS)
        changes = {"epoch": owner.epoch, "expires_at_s": now_ms // 1000 + 2 * DAY_S}
        room = any_of(absent("bytes"), at_most("bytes", self._day_bytes - size_bytes))
        try:
            self._data.update(Update(today, set=changes, add={"bytes": size_bytes}, condition=room))
        except ConditionFailedError as error:
            raise refusal from error

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
