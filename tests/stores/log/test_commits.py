"""Commits of several data sets at once, on each engine: all of it or nothing."""

from dataclasses import replace

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import DataSetExistsError
from chalicelib.log.data_set import DataSet, OwnerState, head_of
from chalicelib.log.ports import MAX_DATA_SET_WRITES, DataSetWrite, OwnerWrites
from chalicelib.log.stores.record_log import INLINE_BYTES
from tests.stores.log.test_data_stores import ANNA, NOW_MS, Stores, closed, data_set, entry, head, stores_on

BELLA = "bbbbbbbbbb"


@pytest.fixture
def stores(engine: Engine) -> Stores:
    return stores_on(engine)


def opening(created: DataSet, body: bytes = b"body") -> DataSetWrite:
    """A write that opens a data set with an entry."""
    return DataSetWrite(head_of(created), created=created, entry=entry(body), newest_times_ms={"cbg": NOW_MS})


def bodies(stores: Stores, owner_id: str = ANNA) -> list[tuple[str, int, bytes]]:
    """The entries of a user."""
    found = stores.log.entries(stores.data_sets.owner(owner_id), [])
    return [(entry.data_set_id[:1], entry.number, entry.body) for entry in found]


def test_data_sets_are_opened_with_their_entries_in_one_step(stores: Stores) -> None:
    large = b"x" * (INLINE_BYTES + 1)
    created = [data_set("a", is_legacy=True), data_set("b")]
    stores.log.commit(stores.data_sets.owner(ANNA), [opening(created[0]), opening(created[1], large)])
    owner = stores.data_sets.owner(ANNA)
    assert (owner.change_count, owner.state_count) == (1, 2)
    assert sorted(stores.data_sets.of_owner(owner), key=lambda found: found.id) == created
    assert bodies(stores) == [("a", 1, b"body"), ("b", 1, large)]
    assert (head(stores, "a").is_legacy, head(stores, "b").is_legacy) == (True, False)
    assert head(stores).last_number == 1
    assert owner.freshness.data_sets.keys() == {"a" * 32, "b" * 32}


def test_as_many_data_sets_as_promised_fit_into_one_commit(stores: Stores) -> None:
    names = [f"{number:02x}" for number in range(MAX_DATA_SET_WRITES)]
    stores.log.commit(stores.data_sets.owner(ANNA), [opening(data_set(name)) for name in names])
    assert len(bodies(stores)) == MAX_DATA_SET_WRITES
    appended = [DataSetWrite(head(stores, name), entry=entry(b"more")) for name in names]
    stores.log.commit(stores.data_sets.owner(ANNA), appended)
    assert len(bodies(stores)) == 2 * MAX_DATA_SET_WRITES


def test_a_description_changes_with_the_entry_and_the_client(stores: Stores) -> None:
    before = data_set()
    stores.data_sets.create(before)
    described = {**before.description, "client": {"name": "org.example.other"}}
    after = replace(before, description=described, state_version=2, revision=2)
    write = DataSetWrite(replace(head(stores), client="org.example.other"), changed=after, entry=entry())
    stores.log.commit(stores.data_sets.owner(ANNA), [write])
    assert stores.data_sets.of_owner(OwnerState(ANNA)) == [after]
    assert (head(stores).client, bodies(stores)) == ("org.example.other", [("a", 1, b"body")])
    with pytest.raises(WriteConflictError):
        stores.log.commit(stores.data_sets.owner(ANNA), [write])


def test_nothing_to_write_changes_nothing(stores: Stores) -> None:
    stores.log.commit(stores.data_sets.owner(ANNA), [])
    assert stores.data_sets.owner(ANNA) == OwnerState(ANNA)


@pytest.mark.parametrize("cause", ["owner", "head", "closed", "taken", "erased"])
def test_a_commit_that_meets_a_change_writes_nothing(stores: Stores, cause: str) -> None:
    stores.data_sets.create(data_set())
    owner, seen = stores.data_sets.owner(ANNA), head(stores)
    if cause == "owner":
        stores.data_sets.create(data_set("c"))
    elif cause == "head":
        stores.log.append(seen, entry(b"first"))
        owner = stores.data_sets.owner(ANNA)
    elif cause == "closed":
        stores.data_sets.replace(data_set(), closed(data_set(), 1))
        owner = stores.data_sets.owner(ANNA)
    elif cause == "taken":
        stores.data_sets.create(data_set("b", owner_id=BELLA))
    else:
        stores.data_sets.erase(ANNA, NOW_MS)
    before = bodies(stores)
    with pytest.raises(WriteConflictError):
        stores.log.commit(owner, [opening(data_set("b")), DataSetWrite(seen, entry=entry())])
    assert bodies(stores) == before
    found = stores.data_sets.head("b" * 32)
    assert found is None or found.owner_id == BELLA


def test_an_id_of_erased_data_is_taken_over_once(stores: Stores) -> None:
    stores.data_sets.create(data_set(owner_id=BELLA))
    old = head(stores)
    stores.data_sets.erase(BELLA, NOW_MS)
    write = replace(opening(data_set()), replaced=old)
    stores.log.commit(stores.data_sets.owner(ANNA), [write])
    assert (head(stores).owner_id, bodies(stores)) == (ANNA, [("a", 1, b"body")])
    with pytest.raises(WriteConflictError):
        stores.log.commit(stores.data_sets.owner(ANNA), [write])


def test_an_id_of_erased_data_may_be_created_and_no_other(stores: Stores) -> None:
    stores.data_sets.create(data_set(owner_id=BELLA))
    with pytest.raises(DataSetExistsError):
        stores.data_sets.create(data_set())
    stores.data_sets.erase(BELLA, NOW_MS)
    stores.data_sets.create(data_set())
    assert head(stores).owner_id == ANNA
    with pytest.raises(DataSetExistsError):
        stores.data_sets.create(data_set(owner_id=BELLA, epoch=1))


def test_data_sets_of_several_owners_change_together_or_not_at_all(stores: Stores) -> None:
    anna, bella = (stores.data_sets.owner(name) for name in (ANNA, BELLA))
    of_bella = replace(data_set("b"), owner_id=BELLA)
    commits = [
        OwnerWrites(anna, [opening(data_set("a"), b"of anna")]),
        OwnerWrites(bella, [opening(of_bella, b"of bella")]),
    ]
    stores.log.commit_together(commits)
    assert (bodies(stores), bodies(stores, BELLA)) == ([("a", 1, b"of anna")], [("b", 1, b"of bella")])
    with pytest.raises(WriteConflictError):  # Bella's counters are those of before
        stores.log.commit_together(
            [
                OwnerWrites(stores.data_sets.owner(ANNA), [DataSetWrite(head(stores, "a"), entry=entry(b"more"))]),
                OwnerWrites(bella, [DataSetWrite(head(stores, "b"), entry=entry(b"more"))]),
            ]
        )
    assert len(bodies(stores)) == len(bodies(stores, BELLA)) == 1


def test_a_deletion_comes_before_what_is_added_with_it(stores: Stores) -> None:
    stores.log.commit(stores.data_sets.owner(ANNA), [opening(data_set("a"), b"first")])
    both = DataSetWrite(head(stores, "a"), deletion=entry(b"deleted"), entry=entry(b"added"))
    stores.log.commit(stores.data_sets.owner(ANNA), [both])
    stores.log.commit(stores.data_sets.owner(ANNA), [DataSetWrite(head(stores, "a"), deletion=entry(b"deleted"))])
    assert [body for _, _, body in bodies(stores)] == [b"first", b"deleted", b"added", b"deleted"]
    assert head(stores, "a").last_number == 4


def test_a_commit_without_writes_changes_nothing(stores: Stores) -> None:
    stores.log.commit_together([OwnerWrites(stores.data_sets.owner(ANNA), [])])
    assert stores.data_sets.owner(ANNA).change_count == 0
