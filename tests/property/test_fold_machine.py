"""Tests that, for any history, the fold returns the records that step-by-step deduplication leaves."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.access.call import SERVICE, Caller
from chalicelib.access.policy import DATA_SET_DELETERS, READERS, SERVERS, UPLOADERS
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.errors import DataSetClosedError, DataSetNotFoundError
from chalicelib.log.data_set import as_data_set
from chalicelib.log.ports import DataPorts
from chalicelib.log.truncation import with_truncations
from chalicelib.model.times import parse_time
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.uploads import add as uploads
from chalicelib.uploads.ports import UploadPorts
from tests.fakes.calls import NO_GRANTS, call_by
from tests.fakes.services import FakeServices
from tests.property.deduplication import DEACTIVATE, DROP_HASH, NONE, OLDER, ORIGIN, TRUNCATE, Reference, StoredDataSet

ANNA = "aaaaaaaaaa"
OWNER = Caller(user_id=ANNA)

device_ids = st.sampled_from(["pump", "meter"])
origins = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", "3"])},
    optional={
        "time": st.sampled_from(
            ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00+01:00", "2026-01-01T00:30:00Z", "2026-01-01T00:30:00.5Z"]
        )
    },
)
common = {"time": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:05:00Z"])}
optional = {"origin": origins, "deviceId": device_ids}
cbgs = st.fixed_dictionaries(
    common | {"type": st.just("cbg"), "units": st.just("mmol/L"), "value": st.sampled_from([5, 6.5])}, optional=optional
)
boluses = st.fixed_dictionaries(
    common | {"type": st.just("bolus"), "subType": st.just("normal"), "normal": st.just(1.5)}, optional=optional
)
foods = st.fixed_dictionaries(common | {"type": st.just("food")}, optional=optional)
all_kinds = st.lists(cbgs | boluses | foods, min_size=1, max_size=4)
few_readings = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.just("cbg"),
            "time": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"]),
            "units": st.just("mmol/L"),
            "value": st.just(5),
            "deviceId": device_ids,
        }
    ),
    min_size=1,
    max_size=3,
)
few_origins = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["cbg", "bolus", "food"]), "origin": origins},
    ),
    min_size=1,
    max_size=3,
)


def _with_values(item: dict[str, Any]) -> dict[str, Any]:
    values = {"cbg": {"units": "mmol/L", "value": 5}, "bolus": {"subType": "normal", "normal": 1.5}, "food": {}}
    return item | values[item["type"]] | {"time": "2026-01-01T00:00:00Z"}


known_ids = st.runner().flatmap(lambda self: st.sampled_from(self.known_ids))
EVERYTHING = DataQuery(prefers_sources=False, carelink=True, medtronic=True)
"""A query for all records of any source."""


class Histories(RuleBasedStateMachine):
    """Carries out each step twice: in the domain on an engine in memory, and in the reference."""

    deduplicators: Sequence[str] = (ORIGIN, OLDER, DROP_HASH, DEACTIVATE, TRUNCATE, NONE)
    are_continuous: Sequence[bool] = (True, False)
    items: st.SearchStrategy[Any] = all_kinds
    most_data_sets = 5
    """Few, so that the steps often meet at one data set."""
    members: st.SearchStrategy[dict[str, Any]] = st.just({})
    """Additional members of a data set."""

    def __init__(self) -> None:
        super().__init__()
        self.fakes = FakeServices()
        self.stored = self.fakes.data_sets
        self.log = self.fakes.record_log
        self.tiles = self.fakes.tiles
        self.sources = self.fakes.data_sources
        self.reading = self.fakes.services.reading
        self.reference = Reference(ANNA)
        self.now_ms = 1_767_225_600_000
        self.made = 0
        self.device_only: set[str] = set()
        self.known_ids: list[str] = []
        """The ids of the data sets, and one that was erased."""

    def new_id(self) -> str:
        self.made += 1
        return f"{self.made:032x}"

    def tick(self) -> int:
        self.now_ms += 1
        return self.now_ms

    @precondition(lambda self: len(self.reference.data_sets) < self.most_data_sets)
    @rule(
        name=st.runner().flatmap(lambda self: st.sampled_from(self.deduplicators)),
        is_continuous=st.runner().flatmap(lambda self: st.sampled_from(self.are_continuous)),
        device_id=st.none() | device_ids,
        members=st.runner().flatmap(lambda self: self.members),
    )
    def create(self, name: str, is_continuous: bool, device_id: str | None, members: dict[str, Any]) -> None:
        if name == DEACTIVATE and is_continuous:
            return  # not to be combined (dedup 5.4); test_fold.py says what becomes of it
        body: dict[str, Any] = {
            "dataSetType": "continuous" if is_continuous else "normal",
            "deduplicator": {"name": name},
            **members,
        }
        if device_id is not None:
            body["deviceId"] = device_id
        now_ms = self.tick()
        created = data_sets.create(
            call_by(OWNER, UPLOADERS, NO_GRANTS, now_ms, self.new_id),
            ANNA,
            lambda: body,
            DataPorts(self.stored, self.log),
        )
        self.reference.create(StoredDataSet(created["id"], name, is_continuous, device_id, now_ms, now_ms))
        if name == DEACTIVATE:
            self.device_only.add(created["id"])
        self.known_ids.append(created["id"])

    @precondition(lambda self: False in self.are_continuous)
    @precondition(lambda self: len(self.reference.data_sets) < self.most_data_sets)
    @rule(
        name=st.runner().flatmap(lambda self: st.sampled_from(self.deduplicators)),
        device_id=device_ids,
        members=st.runner().flatmap(lambda self: self.members),
        posted=st.runner().flatmap(lambda self: self.items),
    )
    def upload(self, name: str, device_id: str, members: dict[str, Any], posted: list[dict[str, Any]]) -> None:
        """Create, fill and close an upload."""
        self.create(name, False, device_id, members)
        self.add(self.known_ids[-1], posted, 1)
        self.close(self.known_ids[-1])

    @precondition(lambda self: self.known_ids)
    @rule(data_set_id=known_ids, posted=st.runner().flatmap(lambda self: self.items), times=st.integers(1, 2))
    def add(self, data_set_id: str, posted: list[dict[str, Any]], times: int) -> None:
        data_set = self.reference.data_sets.get(data_set_id)
        if data_set_id in self.device_only:
            posted = [{"deviceId": "pump"} | item for item in posted]
        for _ in range(times):
            sent = [item | {"id": self.new_id()} for item in posted]
            if self.is_refused(data_set_id, partial(self.add_once, data_set_id, sent)):
                return
            assert data_set is not None
            self.reference.add(data_set, sent)

    def add_once(self, data_set_id: str, sent: list[dict[str, Any]]) -> None:
        uploads.append_data(
            call_by(OWNER, UPLOADERS, NO_GRANTS, self.tick(), self.new_id),
            data_set_id,
            lambda: sent,
            DataPorts(self.stored, self.log),
        )

    @precondition(lambda self: self.known_ids)
    @rule(data_set_id=known_ids, kind=st.sampled_from(["id", "origin", "hash"]), data=st.data())
    def delete_data(self, data_set_id: str, kind: str, data: st.DataObject) -> None:
        others = self.reference.records
        records = [record for record in others if record.upload_id == data_set_id] or others
        known = {
            "id": [record.body["id"] for record in records],
            "origin": ["1", "2", "3"],
            "hash": sorted({record.hash for record in records if record.hash}),
        }[kind]
        values = data.draw(st.sets(st.sampled_from([*known, "0" * 32]), min_size=1, max_size=3))
        selectors = {
            "id": [{"id": value} for value in values],
            "origin": [{"origin": {"id": value}} for value in values],
            "hash": [{"deduplicator": {"hash": value}} for value in values],
        }[kind]

        def delete() -> None:
            uploads.delete_data(
                call_by(OWNER, UPLOADERS, NO_GRANTS, self.tick()),
                data_set_id,
                lambda: selectors,
                UploadPorts(DataPorts(self.stored, self.log), self.fakes.rejections),
            )

        if not self.is_refused(data_set_id, delete):
            self.reference.delete_data(self.reference.data_sets[data_set_id], kind, values)

    @precondition(lambda self: self.known_ids)
    @rule(data_set_id=known_ids)
    def close(self, data_set_id: str) -> None:
        now_ms = self.tick()

        def close() -> None:
            data_sets.update(
                call_by(OWNER, UPLOADERS, NO_GRANTS, now_ms),
                data_set_id,
                lambda: {"state": "closed"},
                DataPorts(self.stored, self.log),
            )

        if not self.is_refused(data_set_id, close):
            self.reference.close(self.reference.data_sets[data_set_id], now_ms)

    @precondition(lambda self: self.known_ids)
    @rule(data_set_id=known_ids)
    def delete(self, data_set_id: str) -> None:
        now_ms = self.tick()
        try:
            data_sets.delete(
                call_by(OWNER, DATA_SET_DELETERS, NO_GRANTS, now_ms), data_set_id, DataPorts(self.stored, self.log)
            )
        except DataSetNotFoundError:
            assert data_set_id not in self.reference.data_sets
        else:
            self.reference.delete(self.reference.data_sets[data_set_id], now_ms)

    @precondition(lambda self: len(self.reference.data_sets) == self.most_data_sets)
    @rule(turn=st.integers(1, 8))
    def erase(self, turn: int) -> None:
        if turn != 1:
            return  # seldom, so that histories grow
        data_sets.erase(call_by(SERVICE, SERVERS, NO_GRANTS, 0), ANNA, DataPorts(self.stored, self.log))
        self.reference.erase()
        del self.known_ids[1:]

    def is_refused(self, data_set_id: str, act: Callable[[], None]) -> bool:
        """Carry out an act unless the data set is unknown or closed; return whether it was carried out."""
        data_set = self.reference.data_sets.get(data_set_id)
        try:
            act()
        except DataSetNotFoundError:
            assert data_set is None
            return True
        except DataSetClosedError:
            assert data_set is not None
            assert data_set.is_closed
            return True
        assert data_set is not None
        assert not data_set.is_closed
        return False

    @invariant()
    def what_is_read_is_what_is_left(self) -> None:
        found = query.read_data(
            call_by(OWNER, READERS, NO_GRANTS),
            ANNA,
            EVERYTHING,
            self.reading,
        )
        read = json.loads(found.records.plain())
        expected = Counter((record.upload_id, record.body["id"], record.hash) for record in self.reference.visible)
        got = Counter(
            (record["uploadId"], record["id"], record.get("_deduplicator", {}).get("hash"))
            for record in read
            if record["type"] != "upload"
        )
        assert got == expected
        uploads = {
            record["id"]: (record["_state"], "deletedTime" in record) for record in read if record["type"] == "upload"
        }
        assert uploads == {
            data_set.id: ("closed" if data_set.is_closed else "open", data_set.deleted_time is not None)
            for data_set in self.reference.data_sets.values()
            if data_set.is_active
        }

    @invariant()
    def data_sets_are_shown_as_they_are(self) -> None:
        every = with_truncations(self.reading.data_sets.of_owner(self.reading.data_sets.owner(ANNA)))
        shown = {
            data_set["id"]: (
                _ms(data_set["createdTime"]),
                _ms(data_set["modifiedTime"]),
                _ms(data_set.get("deletedTime")),
            )
            for data_set in map(as_data_set, every)
        }
        assert shown == {
            data_set.id: (data_set.created_time, data_set.modified_time, data_set.deleted_time)
            for data_set in self.reference.data_sets.values()
        }


def _ms(text: str | None) -> int | None:
    moment = None if text is None else parse_time(text)
    return None if moment is None else moment.epoch_ms


class HistoriesOfDevices(Histories):
    """Normal data sets of two devices with few different readings, so that these meet again and again."""

    deduplicators = (DEACTIVATE, DEACTIVATE, DEACTIVATE, TRUNCATE)
    are_continuous = (False,)
    items = few_readings


class HistoriesOfOrigins(Histories):
    """Continuous data sets that decide by origin or hash."""

    deduplicators = (ORIGIN, OLDER, OLDER, DROP_HASH)
    are_continuous = (True, True, False)
    items = few_origins.map(lambda items: [_with_values(item) for item in items])


effort = settings(max_examples=150, stateful_step_count=40, deadline=None)
Histories.TestCase.settings = effort
HistoriesOfDevices.TestCase.settings = effort
HistoriesOfOrigins.TestCase.settings = effort
TestHistories = Histories.TestCase
TestHistoriesOfDevices = HistoriesOfDevices.TestCase
TestHistoriesOfOrigins = HistoriesOfOrigins.TestCase
