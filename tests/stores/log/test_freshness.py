"""Tests the changes and the freshness that every store keeps, on each engine, and their cost there."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.data_sources.ports import DataSources
from chalicelib.data_sources.stores.data_sources import StoredDataSources
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.errors import DataSetClosedError
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.freshness import KEPT_SLOTS, MAX_SLOTS, Freshness, Ingested, Newest
from chalicelib.log.stores.keys import head_key, owner_key
from tests.stores.data_sources.test_data_sources import changed, source
from tests.stores.log.test_calls import Wire, add, cbg, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS, Stores, closed, data_set, entry, head, stores_on

__all__ = ["wire"]

APP = "org.example.app"


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


@pytest.fixture
def sources(engine: Engine) -> DataSources:
    """An empty store."""
    return StoredDataSources(engine.data)


def owner(stores: Stores) -> OwnerState:
    """The current state of Anna's data."""
    return stores.data_sets.owner(ANNA)


def append(stores: Stores, name: str = "a", stored_time_ms: int = NOW_MS, **times_ms: int) -> None:
    """Add an entry with these newest times."""
    stores.log.append(head(stores, name), replace(entry(), stored_time_ms=stored_time_ms), times_ms)


class TestChanges:
    def test_an_unknown_user_has_no_changes(self, stores: Stores) -> None:
        assert (owner(stores).change_count, owner(stores).state_count) == (0, 0)

    def test_each_write_of_data_sets_and_data_counts(self, stores: Stores) -> None:
        first = data_set()
        updated = replace(first, revision=2, state_version=2)
        gone = replace(updated, deleted_time_ms=NOW_MS, deleted_through=1, state_version=3)
        writes: list[Callable[[], object]] = [
            lambda: stores.data_sets.create(first),
            lambda: stores.log.append(head(stores), entry()),
            lambda: stores.data_sets.replace(first, updated),
            lambda: stores.data_sets.replace(updated, gone),
            lambda: stores.data_sets.replace(gone, closed(gone, 1)),
            lambda: stores.data_sets.erase(ANNA, NOW_MS),
        ]
        counted = []
        for write in writes:
            write()
            counted.append((owner(stores).change_count, owner(stores).state_count))
        assert counted == [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 0)]

    def test_data_of_a_normal_data_set_counts_once_it_is_closed(self, stores: Stores) -> None:
        before = data_set(data_set_type="normal")
        stores.data_sets.create(before)
        append(stores, cbg=5)
        assert (owner(stores).change_count, owner(stores).freshness) == (1, Freshness())
        stores.data_sets.replace(before, closed(before, 1))
        assert owner(stores).change_count == 2
        assert owner(stores).freshness.by_client() == {APP: {"cbg": Newest(5, NOW_MS)}}

    @pytest.mark.parametrize("name", ["a", "b"])
    def test_a_refused_write_does_not_count(self, stores: Stores, name: str) -> None:
        before = data_set(data_set_type="continuous" if name == "a" else "normal")
        stores.data_sets.create(before)
        outdated = head(stores)
        stores.data_sets.replace(before, closed(before, 1))
        counted = owner(stores)
        with pytest.raises(DataSetClosedError):
            stores.log.append(outdated, entry(), {"cbg": 7})
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(before, replace(before, state_version=2))
        assert owner(stores) == counted

    def test_users_are_counted_apart(self, stores: Stores) -> None:
        stores.data_sets.create(data_set("b", owner_id="bbbbbbbbbb"))
        assert owner(stores).change_count == 0

    def test_changes_of_data_sources_that_readers_notice_count(self, stores: Stores, sources: DataSources) -> None:
        def raises(act: Callable[[], object]) -> bool:
            before = owner(stores)
            act()
            assert owner(stores).state_count == before.state_count
            return owner(stores).change_count > before.change_count

        added = source()
        assert raises(lambda: sources.add(added))
        connected = changed(added, state="connected", dataSetId="a" * 32)
        assert raises(lambda: sources.replace(added, connected))
        span = {"earliestDataTime": "2026-01-01T00:00:00Z", "latestDataTime": "2026-01-01T01:00:00Z"}
        spanning = changed(connected, **span)
        assert raises(lambda: sources.replace(connected, spanning))
        imported = changed(spanning, lastImportTime="2026-01-01T01:00:00Z")
        assert not raises(lambda: sources.replace(spanning, imported))
        assert not raises(lambda: sources.replace(added, connected))
        assert not raises(lambda: sources.remove(connected))
        assert raises(lambda: sources.remove(imported))


class TestFreshness:
    def test_freshness_keeps_the_newest_time_of_each_type(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        append(stores, stored_time_ms=100, cbg=50, food=-60)
        append(stores, stored_time_ms=200, cbg=40)
        stores.log.append(head(stores), replace(entry(), stored_time_ms=300))  # deletes data, or adds none of a type
        newest = {"cbg": Newest(50, 200), "food": Newest(-60, 100)}
        assert owner(stores).freshness == Freshness({"a" * 32: Ingested(APP, 3, newest)})
        assert head(stores).newest == newest

    def test_an_outdated_head_loses_nothing(self, stores: Stores) -> None:
        stores.data_sets.create(data_set())
        outdated = head(stores)
        stores.log.append(outdated, entry(), {"cbg": 50, "food": 60})
        stores.log.append(outdated, entry(), {"cbg": 40, "bolus": 30})
        newest = {"cbg": Newest(50, NOW_MS), "food": Newest(60, NOW_MS), "bolus": Newest(30, NOW_MS)}
        assert owner(stores).freshness.data_sets["a" * 32] == Ingested(APP, 2, newest)

    def test_normal_data_sets_are_merged_into_their_clients(self, stores: Stores) -> None:
        for place, (name, time_ms) in enumerate({"a": 5, "b": 9, "c": 7}.items(), 1):
            before = data_set(name, data_set_type="normal")
            stores.data_sets.create(before)
            append(stores, name, cbg=time_ms, smbg=-time_ms)
            stores.data_sets.replace(before, closed(before, place))
        newest = {"cbg": Newest(9, NOW_MS), "smbg": Newest(-5, NOW_MS)}
        assert owner(stores).freshness == Freshness(clients={APP: newest})

    def test_no_newest_time_is_lost_when_slots_run_out(self, stores: Stores) -> None:
        names = "abcdefghij"[: MAX_SLOTS + 1]
        for stored_time_ms, name in enumerate(names):
            stores.data_sets.create(data_set(name))
            append(stores, name, stored_time_ms, cbg=100 - stored_time_ms)
        freshness = owner(stores).freshness
        assert set(freshness.data_sets) == {name * 32 for name in names[-KEPT_SLOTS - 1 :]}
        assert freshness.by_client() == {APP: {"cbg": Newest(100, MAX_SLOTS)}}
        append(stores, "a", 1000, food=1)  # it has no slot any more
        freshness = owner(stores).freshness
        assert freshness.data_sets["a" * 32].newest == {"cbg": Newest(100, 0), "food": Newest(1, 1000)}
        assert freshness.by_client() == {APP: {"cbg": Newest(100, MAX_SLOTS), "food": Newest(1, 1000)}}

    def test_erasing_starts_without_freshness(self, stores: Stores) -> None:
        for place, (name, kind) in enumerate({"a": "continuous", "b": "normal"}.items()):
            before = data_set(name, data_set_type=kind)
            stores.data_sets.create(before)
            append(stores, name, cbg=5)
            if place:
                stores.data_sets.replace(before, closed(before, 1))
        assert owner(stores).freshness.clients
        assert owner(stores).freshness.data_sets
        stores.data_sets.erase(ANNA, NOW_MS)
        assert owner(stores).freshness == Freshness()
        stores.data_sets.create(data_set("c", epoch=1))
        append(stores, "c", food=5)
        assert owner(stores).freshness.by_client() == {APP: {"food": Newest(5, NOW_MS)}}
        assert (owner(stores).epoch, owner(stores).state_count, owner(stores).close_count) == (1, 1, 1)


LOOP_TYPES = ("cbg", "basal", "bolus", "food", "dosingDecision", "insulin", "pumpSettings", "deviceEvent")


def loop_data_set(name: str = "a") -> DataSet:
    """The data set that Loop keeps open."""
    base = data_set(name)
    client = {"name": "com.loopkit.Loop", "version": "3.4.0"}
    deduplicator = {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"}
    return replace(base, description={**base.description, "client": client, "deduplicator": deduplicator})


def item_bytes(settings: Settings, key: Any) -> int:
    """The size of an item as DynamoDB counts it."""
    item = aws_engine(settings).data.get(key)
    assert item is not None
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Any) -> int:
    """The size of a value. A number counts as its text, which takes more than it does."""
    if isinstance(value, bool):
        return 1
    return len(value if isinstance(value, bytes) else str(value).encode())


class TestCosts:
    """On DynamoDB. What an add wrote before there was freshness: two units each for head and check of the epoch."""

    @staticmethod
    def units(settings: Settings) -> int:
        """The write units of an add's head and owner; a transaction takes two for each kilobyte."""
        keys = (head_key("a" * 32), owner_key(ANNA))
        return sum(2 * math.ceil(item_bytes(settings, key) / 1024) for key in keys)

    @pytest.mark.parametrize("others", [0, 3])
    def test_an_add_of_loop_costs_no_more_than_a_check_of_the_epoch_did(self, stage: Settings, others: int) -> None:
        """Also with three more apps that keep a data set open."""
        stores = stores_on(aws_engine(stage))
        for name in "abcd"[: others + 1]:
            stores.data_sets.create(loop_data_set(name))
            for place, kind in enumerate(LOOP_TYPES):
                five_minutes = NOW_MS + place * 300_000 + ord(name)
                append(stores, name, five_minutes + 4567, **{kind: five_minutes})
        assert self.units(stage) == 4
        assert item_bytes(stage, owner_key(ANNA)) < 200 + 220 * (others + 1)

    def test_the_item_is_bounded_whatever_comes_in(self, stage: Settings) -> None:
        stores = stores_on(aws_engine(stage))
        times_ms = {f"aTypeWithALongName{place}": NOW_MS * 7 // (place + 1) for place in range(25)}
        for place in range(40):
            name = f"{place:032x}"
            described = dict(data_set().description) | {"client": {"name": f"{place:03d}" + "ä" * 200}}
            stores.data_sets.create(replace(data_set(), id=name, description=described))
            found = stores.data_sets.head(name)
            assert found is not None
            stores.log.append(found, replace(entry(), stored_time_ms=NOW_MS + place), times_ms)
        assert len(owner(stores).freshness.data_sets) <= MAX_SLOTS
        assert item_bytes(stage, owner_key(ANNA)) < 20 * 1024

    def test_a_data_set_without_a_slot_takes_one_transaction_more_once(self, wire: Wire) -> None:
        for place in range(MAX_SLOTS):
            wire.data_sets.create(data_set("bcdefghijkl"[place]))
        wire.requests.clear()
        add(wire.settings, cbg(1))
        assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 2}
        wire.requests.clear()
        add(wire.settings, cbg(1, 1))
        assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}

    @pytest.mark.parametrize(("kind", "calls"), [("continuous", {"GetItem": 1}), ("normal", {})])
    def test_only_opening_a_continuous_data_set_reads_the_owner(
        self, wire: Wire, kind: str, calls: dict[str, int]
    ) -> None:
        wire.data_sets.create(data_set("b", data_set_type=kind))
        assert wire.calls == {"TransactWriteItems": 1, **calls}

    @pytest.mark.parametrize(("kind", "calls"), [("continuous", {}), ("normal", {"BatchGetItem": 1})])
    def test_only_closing_a_normal_data_set_reads_owner_and_head(
        self, wire: Wire, kind: str, calls: dict[str, int]
    ) -> None:
        before = data_set("b", data_set_type=kind)
        data_sets = wire.data_sets
        data_sets.create(before)
        wire.requests.clear()
        data_sets.replace(before, closed(before, 1))
        assert wire.calls == {"TransactWriteItems": 1, **calls}


class TestRaces:
    def test_closing_a_normal_data_set_sees_the_add_that_came_first(self, stage: Settings, wire: Wire) -> None:
        stores = stores_on(aws_engine(stage))
        before = data_set("b", data_set_type="normal")
        stores.data_sets.create(before)
        wire.before["TransactWriteItems"] = [lambda: append(stores, "b", cbg=5)]
        with pytest.raises(WriteConflictError):
            stores.data_sets.replace(before, closed(before, 1))
        stores.data_sets.replace(before, closed(before, 1))
        assert owner(stores).freshness.by_client() == {APP: {"cbg": Newest(5, NOW_MS)}}

    def test_opening_is_refused_when_a_merged_slot_has_changed(self, stage: Settings, wire: Wire) -> None:
        """A slot is merged as it was read, so opening has to read it again when data was added."""
        stores = stores_on(aws_engine(stage))
        for name in "bcdefgh":
            stores.data_sets.create(data_set(name))
        assert len(owner(stores).freshness.data_sets) == MAX_SLOTS
        wire.before["TransactWriteItems"] = [lambda: append(stores, "a", cbg=5)]
        with pytest.raises(WriteConflictError):
            stores.data_sets.create(data_set("i"))
        stores.data_sets.create(data_set("i"))
        assert owner(stores).freshness.by_client() == {APP: {"cbg": Newest(5, NOW_MS)}}

    def test_an_add_takes_a_new_slot_when_its_own_was_merged_meanwhile(self, stage: Settings, wire: Wire) -> None:
        stores = stores_on(aws_engine(stage))
        append(stores, cbg=5)
        for name in "bcdefgh":
            stores.data_sets.create(data_set(name))
            append(stores, name, NOW_MS + 1, cbg=4)
        wire.before["TransactWriteItems"] = [lambda: stores.data_sets.create(data_set("i"))]
        append(stores, cbg=6)
        assert owner(stores).freshness.data_sets["a" * 32] == Ingested(APP, 2, {"cbg": Newest(6, NOW_MS)})

    def test_an_erasing_is_refused_when_another_came_first(self, stage: Settings, wire: Wire) -> None:
        """It would take the counters of the new data for those of the erased."""
        stores = stores_on(aws_engine(stage))

        def erase_and_add() -> None:
            stores.data_sets.erase(ANNA, NOW_MS)
            stores.data_sets.create(data_set("b", epoch=1))
            append(stores, "b", cbg=5)

        wire.before["TransactWriteItems"] = [erase_and_add]
        with pytest.raises(WriteConflictError):
            stores.data_sets.erase(ANNA, NOW_MS)
        assert owner(stores).freshness.by_client() == {APP: {"cbg": Newest(5, NOW_MS)}}
        assert (owner(stores).epoch, owner(stores).state_count) == (1, 1)

    def test_an_add_that_meets_an_erasing_leaves_no_freshness(self, stage: Settings, wire: Wire) -> None:
        stores = stores_on(aws_engine(stage))

        def open_and_add() -> None:
            stores.data_sets.create(data_set("b"))
            append(stores, "b", cbg=5)

        wire.before["TransactWriteItems"] = [open_and_add]
        stores.data_sets.erase(ANNA, NOW_MS)
        assert owner(stores).freshness == Freshness()
        assert owner(stores).state_count == 0
