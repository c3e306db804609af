"""The store of device statuses, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Query
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import device_statuses_partition
from chalicelib.nightscout.ports import DeviceStatus, DeviceStatuses
from chalicelib.nightscout.stores.device_statuses import StoredDeviceStatuses
from chalicelib.tiles.stores.purge import StoredPurgeRequests

NOW_MS = 1_767_225_600_000
DAY_MS = 86_400_000
OWNER = OwnerState("aaaaaaaaaa", epoch=1)
STATUS = DeviceStatus("a" * 24, NOW_MS, "", b'{"device":"phone"}')


@pytest.fixture
def store(engine: Engine) -> DeviceStatuses:
    """An empty store that keeps statuses for ten days."""
    return StoredDeviceStatuses(engine.data, 10)


def found(store: DeviceStatuses, first_ms: int | None = None, last_ms: int | None = None) -> list[DeviceStatus]:
    """The statuses between two times."""
    return list(store.newest_first(OWNER, (first_ms, last_ms), NOW_MS))


def several(count: int) -> list[DeviceStatus]:
    """Statuses of one millisecond each, oldest first."""
    return [replace(STATUS, id=f"{number:024x}", time_ms=NOW_MS + number) for number in range(count)]


def test_a_status_comes_back_as_it_was(store: DeviceStatuses) -> None:
    store.add(OWNER, [replace(STATUS, content_key="c" * 16)], NOW_MS)
    assert found(store) == [replace(STATUS, content_key="c" * 16)]


def test_one_with_the_same_time_and_id_takes_its_place(store: DeviceStatuses) -> None:
    store.add(OWNER, [STATUS], NOW_MS)
    store.add(OWNER, [replace(STATUS, text=b"{}")], NOW_MS)
    assert [status.text for status in found(store)] == [b"{}"]


def test_statuses_come_newest_first_and_bounds_are_included(store: DeviceStatuses) -> None:
    statuses = several(30)
    store.add(OWNER, statuses[::2] + statuses[1::2], NOW_MS)
    assert found(store) == statuses[::-1]
    assert found(store, NOW_MS + 3, NOW_MS + 5) == statuses[5:2:-1]
    assert found(store, NOW_MS + 28) == statuses[:27:-1]
    assert found(store, None, NOW_MS + 1) == statuses[1::-1]
    assert found(store, NOW_MS + 5, NOW_MS + 3) == []


def test_erased_data_leaves_no_count(engine: Engine) -> None:
    StoredDeviceStatuses(engine.data, 10, 10_000).add(OWNER, [STATUS], NOW_MS)
    partition = Query(device_statuses_partition(OWNER.id))
    assert [item["sk"][:1] for item in engine.data.query(partition)] == ["!", "0"]
    StoredPurgeRequests(engine.data).remove_device_statuses(OWNER.id, OWNER.epoch)
    assert list(engine.data.query(partition)) == []


def test_statuses_expire_some_days_after_they_were_stored(store: DeviceStatuses) -> None:
    store.add(OWNER, [replace(STATUS, time_ms=NOW_MS - 100 * DAY_MS)], NOW_MS)
    assert list(store.newest_first(OWNER, (None, None), NOW_MS + 10 * DAY_MS - 1000))
    assert not list(store.newest_first(OWNER, (None, None), NOW_MS + 10 * DAY_MS))


def test_statuses_of_another_owner_or_epoch_are_not_found(store: DeviceStatuses) -> None:
    store.add(OWNER, [STATUS], NOW_MS)
    for owner in (replace(OWNER, epoch=2), replace(OWNER, id="bbbbbbbbbb")):
        assert not list(store.newest_first(owner, (None, None), NOW_MS))


def test_some_are_removed(store: DeviceStatuses) -> None:
    statuses = several(30)
    store.add(OWNER, statuses, NOW_MS)
    store.remove(OWNER, statuses[:28])
    assert found(store) == [statuses[29], statuses[28]]
    store.remove(OWNER, [])
    store.add(OWNER, [], NOW_MS)
    assert len(found(store)) == 2
