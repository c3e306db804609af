"""Backlogs of compaction, on each engine: which writes add to them, and when they are cleared."""

from dataclasses import replace

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.log.backlog import DUE_BYTES, LARGE_BYTES, URGENT_BYTES, Backlog, backlog_bytes
from chalicelib.log.data_set import DataSet
from chalicelib.log.stores.keys import backlog_key
from tests.stores.log.test_data_stores import ANNA, NOW_MS, closed, data_set, entry
from tests.stores.tiles.tile_scene import Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


def backlogs(stores: Stores) -> list[Backlog]:
    """All backlogs, by user."""
    return sorted(stores.backlogs.all(), key=lambda backlog: backlog.owner_id)


def described(stores: Stores) -> DataSet:
    """Anna's only data set."""
    (found,) = stores.data_sets.of_owner(stores.data_sets.owner(ANNA))
    return found


SMALL = backlog_bytes(entry(), 1)


def test_a_user_without_entries_has_no_backlog(stores: Stores) -> None:
    assert backlogs(stores) == []
    stores.open()
    assert backlogs(stores) == []


def test_one_of_32_small_entries_adds_for_all_of_them(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    for number in range(1, 33):
        assert stores.add() == number
        assert backlogs(stores) == [Backlog(ANNA, NOW_MS, SMALL)]
    stores.add()
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, 2 * SMALL)]


def test_a_large_entry_adds_its_size(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    stores.add()
    stores.add(body=bytes(LARGE_BYTES + 1))
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, SMALL + LARGE_BYTES + 1)]


def test_a_refused_entry_adds_nothing(stores: Stores) -> None:
    head = stores.open()
    before = described(stores)
    stores.data_sets.replace(before, closed(before, 1))
    (mark,) = backlogs(stores)
    with pytest.raises(Exception, match=head.id):
        stores.log.append(head, entry())
    assert backlogs(stores) == [mark]


def test_erasing_removes_the_backlog(stores: Stores) -> None:
    """Entries of the next epoch start another one."""
    stores.open()
    stores.add()
    stores.data_sets.erase(ANNA, NOW_MS)
    assert backlogs(stores) == []


def test_closing_is_urgent(stores: Stores) -> None:
    stores.open(data_set_type="normal")
    before = described(stores)
    stores.data_sets.replace(before, replace(closed(before, 1), modified_time_ms=NOW_MS + 7))
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS + 7, URGENT_BYTES)]


def test_deleting_is_urgent(stores: Stores) -> None:
    stores.open()
    before = described(stores)
    gone = replace(before, deleted_time_ms=NOW_MS + 1, modified_time_ms=NOW_MS + 1, deleted_through=0, state_version=2)
    stores.data_sets.replace(before, gone)
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS + 1, URGENT_BYTES)]


def test_another_change_of_a_data_set_adds_nothing(stores: Stores) -> None:
    stores.open()
    before = described(stores)
    stores.data_sets.replace(before, replace(before, revision=2, state_version=2))
    assert backlogs(stores) == []


LARGE = bytes(LARGE_BYTES + 1)


def test_a_backlog_keeps_its_time_and_grows(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    stores.add()
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 2)
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, SMALL + 2 * len(LARGE))]


def test_a_backlog_that_has_grown_is_not_cleared(stores: Stores) -> None:
    stores.open()
    stores.add(body=LARGE)
    (read,) = backlogs(stores)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.backlogs.clear(read)
    (grown,) = backlogs(stores)
    stores.backlogs.clear(grown)
    stores.backlogs.clear(grown)
    assert backlogs(stores) == []


def test_a_later_backlog_is_not_cleared_in_place_of_an_earlier_one(stores: Stores) -> None:
    stores.open()
    stores.add(body=LARGE)
    (read,) = backlogs(stores)
    stores.backlogs.clear(read)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.backlogs.clear(read)
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS + 1, len(LARGE))]


def test_all_users_are_found_whatever_their_names(stores: Stores) -> None:
    names = sorted([f"{number:010x}" for number in range(60)] + ["#", "x" * 900, "ä"])
    for number, name in enumerate(names):
        stores.data_sets.create(replace(data_set("a"), id=f"{number:032x}", owner_id=name))
        head = stores.data_sets.head(f"{number:032x}")
        assert head is not None
        stores.log.append(head, entry())
    assert [mark.owner_id for mark in backlogs(stores)] == names


def test_backlogs_are_spread_over_sixteen_partitions() -> None:
    partitions = {backlog_key(f"{number:010x}")["pk"] for number in range(500)}
    assert len(partitions) == 16


def test_two_data_sets_of_a_user_share_a_backlog(stores: Stores) -> None:
    for name in "ab":
        stores.data_sets.create(data_set(name))
        stores.add(name)
    assert SMALL is not None
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, 2 * SMALL)]


def test_a_small_backlog_is_made_due_and_nobody_gets_one_by_it(stores: Stores) -> None:
    stores.backlogs.make_due(ANNA)
    assert backlogs(stores) == []
    stores.open()
    stores.add()
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, SMALL or 0)]
    stores.backlogs.make_due(ANNA)
    assert backlogs(stores) == [Backlog(ANNA, NOW_MS, DUE_BYTES)]
    stores.add(body=bytes(LARGE_BYTES + 1))
    (grown,) = backlogs(stores)
    stores.backlogs.make_due(ANNA)
    assert backlogs(stores) == [grown]
