"""Marks of users whose tiles lag behind, in memory and on DynamoDB: made with what they tell of, cleared by whom it
was read."""

from dataclasses import replace

import pytest

from chalicelib.log.backlog import LARGE_BYTES, URGENT_BYTES, Backlog, backlog_bytes
from chalicelib.log.data_set import DataSet
from chalicelib.log.stores.keys import backlog_key
from tests.stores.log.test_data_stores import ANNA, NOW_MS, closed, data_set, entry
from tests.stores.tiles.tile_scene import Stores, stores_of


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores."""
    return stores_of(request.param, request)


def marks(stores: Stores) -> list[Backlog]:
    """All marks, by user."""
    return sorted(stores.backlogs.all(), key=lambda mark: mark.owner_id)


def described(stores: Stores) -> DataSet:
    """Anna's only data set."""
    (found,) = stores.data_sets.of_owner(stores.data_sets.owner(ANNA))
    return found


SMALL = backlog_bytes(entry(), 1)


def test_who_has_nothing_new_has_no_mark(stores: Stores) -> None:
    assert marks(stores) == []
    stores.open()
    assert marks(stores) == []


def test_one_small_entry_marks_for_those_that_follow(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    for number in range(1, 33):
        assert stores.add() == number
        assert marks(stores) == [Backlog(ANNA, NOW_MS, SMALL)]
    stores.add()
    assert marks(stores) == [Backlog(ANNA, NOW_MS, 2 * SMALL)]


def test_a_large_entry_weighs_what_it_is(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    stores.add()
    stores.add(body=bytes(LARGE_BYTES + 1))
    assert marks(stores) == [Backlog(ANNA, NOW_MS, SMALL + LARGE_BYTES + 1)]


def test_an_entry_that_was_refused_marks_nothing(stores: Stores) -> None:
    head = stores.open()
    before = described(stores)
    stores.data_sets.replace(before, closed(before, 1))
    (mark,) = marks(stores)
    with pytest.raises(Exception, match=head.id):
        stores.log.append(head, entry())
    assert marks(stores) == [mark]


def test_erasing_takes_the_mark(stores: Stores) -> None:
    """What it told of is gone; what comes after makes another."""
    stores.open()
    stores.add()
    stores.data_sets.erase(ANNA, NOW_MS)
    assert marks(stores) == []


def test_closing_is_urgent(stores: Stores) -> None:
    stores.open(data_set_type="normal")
    before = described(stores)
    stores.data_sets.replace(before, replace(closed(before, 1), modified_time_ms=NOW_MS + 7))
    assert marks(stores) == [Backlog(ANNA, NOW_MS + 7, URGENT_BYTES)]


def test_deleting_is_urgent(stores: Stores) -> None:
    stores.open()
    before = described(stores)
    gone = replace(before, deleted_time_ms=NOW_MS + 1, modified_time_ms=NOW_MS + 1, deleted_through=0, state_version=2)
    stores.data_sets.replace(before, gone)
    assert marks(stores) == [Backlog(ANNA, NOW_MS + 1, URGENT_BYTES)]


def test_describing_anew_is_no_reason(stores: Stores) -> None:
    stores.open()
    before = described(stores)
    stores.data_sets.replace(before, replace(before, revision=2, state_version=2))
    assert marks(stores) == []


LARGE = bytes(LARGE_BYTES + 1)


def test_a_mark_begins_once_and_grows(stores: Stores) -> None:
    stores.open()
    assert SMALL is not None
    stores.add()
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 2)
    assert marks(stores) == [Backlog(ANNA, NOW_MS, SMALL + 2 * len(LARGE))]


def test_what_has_grown_is_not_cleared(stores: Stores) -> None:
    stores.open()
    stores.add(body=LARGE)
    (read,) = marks(stores)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.backlogs.clear(read)
    (grown,) = marks(stores)
    stores.backlogs.clear(grown)
    stores.backlogs.clear(grown)
    assert marks(stores) == []


def test_a_mark_that_came_after_another_was_cleared_is_not_cleared_for_it(stores: Stores) -> None:
    stores.open()
    stores.add(body=LARGE)
    (read,) = marks(stores)
    stores.backlogs.clear(read)
    stores.add(body=LARGE, stored_time_ms=NOW_MS + 1)
    stores.backlogs.clear(read)
    assert marks(stores) == [Backlog(ANNA, NOW_MS + 1, len(LARGE))]


def test_all_users_are_found_whatever_their_names(stores: Stores) -> None:
    names = sorted([f"{number:010x}" for number in range(60)] + ["#", "x" * 900, "ä"])
    for number, name in enumerate(names):
        stores.data_sets.create(replace(data_set("a"), id=f"{number:032x}", owner_id=name))
        head = stores.data_sets.head(f"{number:032x}")
        assert head is not None
        stores.log.append(head, entry())
    assert [mark.owner_id for mark in marks(stores)] == names


def test_marks_are_spread() -> None:
    partitions = {backlog_key(f"{number:010x}")["pk"] for number in range(500)}
    assert len(partitions) == 16


def test_two_data_sets_of_a_user_share_a_mark(stores: Stores) -> None:
    for name in "ab":
        stores.data_sets.create(data_set(name))
        stores.add(name)
    assert SMALL is not None
    assert marks(stores) == [Backlog(ANNA, NOW_MS, 2 * SMALL)]
