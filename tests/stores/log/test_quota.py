"""The bytes that a user's data takes, and the quota of the stage, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Query
from chalicelib.errors import StorageQuotaError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import ITEM_BYTES
from chalicelib.log.ports import DataSetWrite
from chalicelib.log.stores.data_sets import StoredDataSets, description_bytes
from chalicelib.log.stores.keys import parts_partition
from chalicelib.log.stores.record_log import INLINE_BYTES, StoredRecordLog
from chalicelib.tiles.stores.purge import StoredPurgeRequests
from tests.stores.log.test_commits import opening
from tests.stores.log.test_data_stores import ANNA, NOW_MS, Stores, closed, data_set, entry, head

EMPTY = description_bytes(data_set())
"""Bytes of an empty data set."""


def stores_on(engine: Engine, quota_bytes: int | None) -> Stores:
    """The stores of an engine whose stage has this quota."""
    return Stores(StoredDataSets(engine.data, quota_bytes), StoredRecordLog(engine.data, quota_bytes))


def counted(stores: Stores) -> tuple[int, int]:
    """The bytes that count for the user, and for the data set."""
    return stores.data_sets.owner(ANNA).stored_bytes, head(stores).stored_bytes


@pytest.mark.parametrize("data_set_type", ["continuous", "normal"])
@pytest.mark.parametrize("size_bytes", [10, INLINE_BYTES + 1])
def test_each_write_counts_what_it_stores(engine: Engine, data_set_type: str, size_bytes: int) -> None:
    stores = stores_on(engine, None)
    empty = data_set(data_set_type=data_set_type)
    stores.data_sets.create(empty)
    assert counted(stores) == (description_bytes(empty), description_bytes(empty))
    for number in (1, 2):
        stores.log.append(head(stores), entry(b"x" * size_bytes))
        expected = description_bytes(empty) + number * (size_bytes + ITEM_BYTES)
        assert counted(stores) == (expected, expected)


def test_a_commit_counts_each_data_set_and_all_of_them(engine: Engine) -> None:
    stores = stores_on(engine, None)
    stores.log.commit(stores.data_sets.owner(ANNA), [opening(data_set()), opening(data_set("b"))])
    entry_bytes = EMPTY + len(b"body") + ITEM_BYTES
    assert counted(stores) == (2 * entry_bytes, entry_bytes)
    stores.log.commit(stores.data_sets.owner(ANNA), [DataSetWrite(head(stores), entry=entry(b"more"))])
    assert counted(stores) == (2 * entry_bytes + 4 + ITEM_BYTES, entry_bytes + 4 + ITEM_BYTES)


@pytest.mark.parametrize("data_set_type", ["continuous", "normal"])
@pytest.mark.parametrize("size_bytes", [10, INLINE_BYTES + 1])
def test_an_entry_fits_the_quota_to_the_byte(engine: Engine, data_set_type: str, size_bytes: int) -> None:
    empty = data_set(data_set_type=data_set_type)
    quota_bytes = description_bytes(empty) + 2 * (size_bytes + ITEM_BYTES)
    stores = stores_on(engine, quota_bytes)
    stores.data_sets.create(empty)
    stores.log.append(head(stores), entry(b"1" * size_bytes))
    stale = head(stores)
    stores.log.append(stale, entry(b"2" * size_bytes))
    assert counted(stores)[0] == quota_bytes
    for seen in (head(stores), stale):
        with pytest.raises(StorageQuotaError):
            stores.log.append(seen, entry(b""))
    with pytest.raises(StorageQuotaError):
        stores.data_sets.create(data_set("b"))
    assert stores.data_sets.head("b" * 32) is None
    assert counted(stores)[0] == quota_bytes
    assert head(stores).last_number == 2


def test_a_refused_entry_leaves_no_parts(engine: Engine) -> None:
    stores = stores_on(engine, EMPTY + INLINE_BYTES)
    stores.data_sets.create(data_set())
    with pytest.raises(StorageQuotaError):
        stores.log.append(head(stores), entry(b"x" * 1_000_000))
    assert list(engine.data.query(Query(parts_partition("a" * 32)))) == []


def test_a_commit_beyond_the_quota_writes_nothing(engine: Engine) -> None:
    stores = stores_on(engine, 2 * EMPTY)
    with pytest.raises(StorageQuotaError):
        stores.log.commit(stores.data_sets.owner(ANNA), [opening(data_set()), opening(data_set("b"), b"x" * 1_000_000)])
    assert stores.data_sets.owner(ANNA) == OwnerState(ANNA)
    assert list(engine.data.query(Query(parts_partition("b" * 32)))) == []


def test_a_data_set_without_a_slot_is_held_to_the_quota_too(engine: Engine) -> None:
    stores = stores_on(engine, 20 * EMPTY)
    stores.data_sets.create(data_set())
    without_slot = head(stores)
    for number in range(9):  # more than there are slots
        stores.data_sets.create(data_set(f"{number}"))
    stores.log.append(without_slot, entry(b"x" * 100))
    with pytest.raises(StorageQuotaError):
        stores.log.append(head(stores), entry(b"x" * 20 * EMPTY))


def test_erased_data_no_longer_counts(engine: Engine) -> None:
    stores = stores_on(engine, EMPTY)
    stores.data_sets.create(data_set())
    stores.data_sets.erase(ANNA, NOW_MS)
    assert stores.data_sets.owner(ANNA).stored_bytes == 0
    again = replace(data_set("b"), epoch=1)
    stores.data_sets.create(again)
    assert stores.data_sets.owner(ANNA).stored_bytes == EMPTY


def test_a_purged_data_set_no_longer_counts_however_often_its_purge_runs(engine: Engine) -> None:
    stores, purges = stores_on(engine, None), StoredPurgeRequests(engine.data)
    stores.data_sets.create(data_set())
    stores.data_sets.create(data_set("b"))
    stores.log.append(head(stores), entry(b"x" * 100))
    after = closed(data_set(), 1)
    stores.data_sets.replace(data_set(), after)
    deleted = replace(after, deleted_time_ms=NOW_MS, deleted_through=1, is_purgeable=True, state_version=3)
    stores.data_sets.replace(after, deleted)
    request = next(purges.older_than(NOW_MS + 10))
    for _ in range(2):
        purges.finish(request, deleted)
        assert counted(stores) == (EMPTY, 0)
    assert list(purges.older_than(NOW_MS + 10)) == []


def test_a_purge_after_an_erasure_frees_nothing_of_the_new_data(engine: Engine) -> None:
    stores, purges = stores_on(engine, None), StoredPurgeRequests(engine.data)
    stores.data_sets.create(data_set())
    after = closed(data_set(), 1)
    stores.data_sets.replace(data_set(), after)
    deleted = replace(after, deleted_time_ms=NOW_MS, is_purgeable=True, state_version=3)
    stores.data_sets.replace(after, deleted)
    request = next(purges.older_than(NOW_MS + 10))
    stores.data_sets.erase(ANNA, NOW_MS)
    stores.data_sets.create(replace(data_set("b"), epoch=1))
    purges.finish(request, deleted)
    assert stores.data_sets.owner(ANNA).stored_bytes == EMPTY
    assert request.id not in {left.id for left in purges.older_than(NOW_MS + 10)}
