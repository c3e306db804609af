"""Tests of data sets and the record log, on each engine."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import DataSetClosedError, DataSetExistsError, DataSetNotFoundError
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState
from chalicelib.log.entry import Entry, EntryKind, NewEntry
from chalicelib.log.ports import DataSetStore, RecordLog
from chalicelib.log.stores import record_log
from chalicelib.log.stores.data_sets import StoredDataSets, description_bytes
from chalicelib.log.stores.record_log import INLINE_BYTES, PART_BYTES, StoredRecordLog
from chalicelib.model.deduplicators import DEVICE_TRUNCATE_DATASET

NOW_MS = 1_767_225_600_000
ANNA = "aaaaaaaaaa"


@dataclass
class Stores:
    """The stores of one engine."""

    data_sets: DataSetStore
    log: RecordLog


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


def stores_on(engine: Engine) -> Stores:
    """The stores of an engine."""
    return Stores(StoredDataSets(engine.data), StoredRecordLog(engine.data))


def data_set(name: str = "a", owner_id: str = ANNA, data_set_type: str = "continuous", **changes: Any) -> DataSet:
    """A new data set; `name` is a letter of its id."""
    description = {
        "id": name * 32,
        "uploadId": name * 32,
        "type": "upload",
        "dataSetType": data_set_type,
        "time": "2026-01-01T00:00:00Z",
        "deduplicator": {"name": "org.tidepool.deduplicator.none", "version": "1.0.0"},
        "client": {"name": "org.example.app", "private": {"small": 1e-09, "whole": 5.0, "empty": {}, "none": None}},
    }
    base = DataSet(name * 32, owner_id, 0, NOW_MS, NOW_MS, description)
    return replace(base, **changes)


def closed(before: DataSet, close_sequence: int) -> DataSet:
    """The data set after it was closed."""
    return replace(
        before, close_sequence=close_sequence, closed_time_ms=NOW_MS + 1, state_version=before.state_version + 1
    )


def entry(body: bytes = b"body", kind: EntryKind = EntryKind.ADD) -> NewEntry:
    """An entry to add."""
    return NewEntry(kind, NOW_MS, body)


def head(stores: Stores, name: str = "a") -> DataSetHead:
    """The current head."""
    found = stores.data_sets.head(name * 32)
    assert found is not None
    return found


class TestDataSets:
    def test_an_unknown_id_finds_nothing(self, stores: Stores) -> None:
        assert stores.data_sets.head("unknown") is None
        assert stores.data_sets.owner("unknown") == OwnerState("unknown", 0, 0)
        assert stores.data_sets.of_owner(OwnerState("unknown")) == []

    @pytest.mark.parametrize("odd_id", ["x" * 5000, "#", "a#HEAD", "", "ä" * 900])
    def test_any_text_may_be_asked_for(self, stores: Stores, odd_id: str) -> None:
        assert stores.data_sets.head(odd_id) is None
        assert stores.data_sets.of_owner(stores.data_sets.owner(odd_id)) == []

    def test_a_created_data_set_is_found_unchanged(self, stores: Stores) -> None:
        created = data_set(truncated_at_close={"b" * 32: 7}, deleted_time_ms=NOW_MS + 5, deleted_through=0, revision=3)
        stores.data_sets.create(created)
        assert stores.data_sets.of_owner(OwnerState(ANNA)) == [created]
        assert head(stores) == DataSetHead(
            id="a" * 32,
            owner_id=ANNA,
            epoch=0,
            created_time_ms=NOW_MS,
            is_continuous=True,
            deduplicator="org.tidepool.deduplicator.none",
            client="org.example.app",
            stored_bytes=description_bytes(created),
        )
        assert stores.data_sets.is_current(head(stores))

    def test_data_sets_are_listed_newest_first(self, stores: Stores) -> None:
        for name, created_time_ms in (("a", 5), ("c", 7), ("b", 7), ("d", 6)):
            stores.data_sets.create(data_set(name, created_time_ms=created_time_ms))
        listed = stores.data_sets.of_owner(OwnerState(ANNA))
        assert [data_set.id[0] for data_set in listed] == ["c", "b", "d", "a"]

    def test_data_sets_of_users_are_separate(self, stores: Stores) -> None:
        stores.data_sets.create(data_set("a"))
        stores.data_sets.create(data_set("b", owner_id=f"{ANNA}#0#DS"))
        assert [data_set.id for data_set in stores.data_sets.of_owner(OwnerState(ANNA))] == ["a" * 32]

    def test_an_id_is_taken_once_and_for_all_users(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        with pytest.raises(DataSetExistsError):
            stores.data_sets.create(data_set(owner_id="bbbbbbbbbb", created_time_ms=NOW_MS + 1))
        assert stores.data_sets.of_owner(OwnerState("bbbbbbbbbb")) == []

    def test_creating_in_an_erased_epoch_is_refused(self, stores: Stores) -> None:
        stores.data_sets.erase(ANNA, NOW_MS)
        with pytest.raises(WriteConflictError):
            stores.data_sets.create(data_set())
        assert stores.data_sets.head("a" * 32) is None

    def test_a_state_replaces_the_one_before(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        after = replace(before, modified_time_ms=NOW_MS + 9, revision=2, state_version=2)
        stores.data_sets.replace(before, after)
        assert stores.data_sets.of_owner(OwnerState(ANNA)) == [after]

    def test_an_outdated_state_is_not_replaced(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        after = replace(before, revision=2, state_version=2)
        stores.data_sets.replace(before, after)
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(before, replace(before, revision=9, state_version=2))
        assert stores.data_sets.of_owner(OwnerState(ANNA)) == [after]

    def test_closing_takes_the_next_sequence_number(self, stores: Stores) -> None:
        first, second = data_set("a"), data_set("b")
        for opened in (first, second):
            stores.data_sets.create(opened)
        stores.data_sets.replace(first, closed(first, 1))
        assert stores.data_sets.owner(ANNA).close_count == 1
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(second, closed(second, 1))
        assert not head(stores, "b").is_closed
        stores.data_sets.replace(second, closed(second, 2))
        assert stores.data_sets.owner(ANNA).close_count == 2
        assert head(stores, "b").is_closed

    def test_deleting_needs_the_last_number(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        stores.log.append(head(stores), entry())
        stores.log.append(head(stores), entry())
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(before, replace(before, deleted_through=1, state_version=2))
        after = replace(before, deleted_through=2, is_purgeable=True, state_version=2)
        stores.data_sets.replace(before, after)
        assert stores.data_sets.of_owner(OwnerState(ANNA)) == [after]

    def test_deleting_an_empty_data_set_races_with_adding_too(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        stores.log.append(head(stores), entry())
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(
                before, replace(before, deleted_time_ms=NOW_MS, deleted_through=0, state_version=2)
            )

    def test_erasing_starts_an_epoch_without_data_sets(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        stores.data_sets.replace(before, closed(before, 1))
        stores.data_sets.erase(ANNA, NOW_MS)
        owner = stores.data_sets.owner(ANNA)
        assert owner.epoch == 1
        assert not stores.data_sets.is_current(head(stores))
        assert stores.data_sets.of_owner(owner) == []
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(closed(before, 1), replace(before, state_version=3))

    def test_closing_goes_on_counting_in_a_new_epoch(self, stores: Stores) -> None:
        stores.data_sets.erase(ANNA, NOW_MS)
        before = data_set(epoch=1)
        stores.data_sets.create(before)
        stores.data_sets.replace(before, closed(before, stores.data_sets.owner(ANNA).close_count + 1))
        assert head(stores).is_closed


class TestLog:
    def test_entries_are_numbered_from_one(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        assert [stores.log.append(head(stores), entry()) for _ in range(3)] == [1, 2, 3]
        assert head(stores).last_number == 3

    @pytest.mark.parametrize(
        "size_bytes", [1, INLINE_BYTES, INLINE_BYTES + 1, PART_BYTES, 2 * PART_BYTES + 1], ids=lambda size: f"{size}B"
    )
    def test_a_body_comes_back_as_it_was(self, stores: Stores, size_bytes: int) -> None:
        body = bytes(range(256)) * (size_bytes // 256 + 1)
        stores.data_sets.create(data_set())
        stores.log.append(head(stores), entry(body[:size_bytes]))
        stores.log.append(head(stores), entry(b"selectors", EntryKind.DELETE))
        assert stores.log.entries(OwnerState(ANNA), []) == [
            Entry("a" * 32, 1, EntryKind.ADD, NOW_MS, body[:size_bytes]),
            Entry("a" * 32, 2, EntryKind.DELETE, NOW_MS, b"selectors"),
        ]

    def test_an_outdated_head_gets_the_next_number(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        outdated = head(stores)
        stores.log.append(outdated, entry(b"first"))
        assert stores.log.append(outdated, entry(b"second")) == 2
        assert [entry.body for entry in stores.log.entries(OwnerState(ANNA), [])] == [b"first", b"second"]

    def test_a_closed_data_set_takes_nothing(self, stores: Stores) -> None:
        before = data_set()
        stores.data_sets.create(before)
        outdated = head(stores)
        stores.data_sets.replace(before, closed(before, 1))
        with pytest.raises(DataSetClosedError):
            stores.log.append(outdated, entry())
        assert stores.log.entries(OwnerState(ANNA), []) == []

    def test_an_erased_data_set_takes_nothing(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        outdated = head(stores)
        stores.data_sets.erase(ANNA, NOW_MS)
        with pytest.raises(DataSetNotFoundError):
            stores.log.append(outdated, entry())

    def test_an_epoch_has_its_own_entries(self, stores: Stores) -> None:
        stores.data_sets.create(data_set("a"))
        stores.log.append(head(stores), entry(b"erased"))
        stores.data_sets.erase(ANNA, NOW_MS)
        stores.data_sets.create(data_set("b", epoch=1))
        stores.log.append(head(stores, "b"), entry(b"new"))
        assert [entry.body for entry in stores.log.entries(stores.data_sets.owner(ANNA), [])] == [b"new"]

    def test_normal_data_sets_are_read_by_name(self, stores: Stores) -> None:
        for name, data_set_type in (("a", "continuous"), ("b", "normal"), ("c", "normal")):
            stores.data_sets.create(data_set(name, data_set_type=data_set_type))
            stores.log.append(head(stores, name), entry(name.encode()))
            stores.log.append(head(stores, name), entry(name.upper().encode()))

        def read(*ids: str) -> list[bytes]:
            return [entry.body for entry in stores.log.entries(OwnerState(ANNA), ids)]

        assert read() == [b"a", b"A"]
        assert read("c" * 32) == [b"a", b"A", b"c", b"C"]

    def test_entries_one_by_one_are_the_same(self, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record_log, "READ_AHEAD_BYTES", PART_BYTES + 1)
        for name, data_set_type in (("a", "continuous"), ("b", "continuous"), ("c", "normal"), ("d", "normal")):
            stores.data_sets.create(data_set(name, data_set_type=data_set_type))
            for size_bytes in (1, INLINE_BYTES + 1, 2 * PART_BYTES + 1, 2):
                stores.log.append(head(stores, name), entry(name.encode() * size_bytes))
        normal_ids, after = ["d" * 32, "c" * 32], {"a" * 32: 2, "d" * 32: 1, "c" * 32: 4}
        entries = stores.log.entries(OwnerState(ANNA), normal_ids, after)
        assert [(entry.data_set_id[0], entry.number) for entry in entries] == [
            *(("a", number) for number in (3, 4)),
            *(("b", number) for number in (1, 2, 3, 4)),
            *(("d", number) for number in (2, 3, 4)),
        ]
        assert list(stores.log.each_entry(OwnerState(ANNA), normal_ids, after)) == entries
        assert len(list(stores.log.each_entry(OwnerState(ANNA), []))) == 8

    def test_many_data_sets_are_read_whole(self, stores: Stores) -> None:
        names = "abcdefgh"
        for name in names:
            stores.data_sets.create(data_set(name))
            for number in range(3):
                stores.log.append(head(stores, name), entry(f"{name}{number}".encode() * 5000))
        entries = stores.log.entries(OwnerState(ANNA), [])
        assert [(entry.data_set_id[0], entry.number) for entry in entries] == [
            (name, n) for name in names for n in (1, 2, 3)
        ]
        assert all(entry.body == f"{entry.data_set_id[0]}{entry.number - 1}".encode() * 5000 for entry in entries)


def test_closing_is_refused_when_a_truncated_log_has_grown(stores: Stores) -> None:
    """An entry that was added after the other logs were read must not be truncated."""
    stores.data_sets.create(data_set("a"))
    stores.data_sets.create(data_set("b"))
    truncating = {"deduplicator": {"name": DEVICE_TRUNCATE_DATASET}, "deviceId": "Pump-1"}
    stores.data_sets.create(data_set("c", description={**data_set("c").description, **truncating}))
    before = next(
        data_set for data_set in stores.data_sets.of_owner(stores.data_sets.owner(ANNA)) if data_set.id == "c" * 32
    )
    after = replace(closed(before, 1), truncated_at_close={"a" * 32: 0, "b" * 32: 0})
    stores.log.append(head(stores, "b"), entry())
    with pytest.raises(WriteConflictError):
        stores.data_sets.replace(before, after)
    stores.data_sets.replace(before, replace(after, truncated_at_close={"a" * 32: 0, "b" * 32: 1}))
