"""Tests that, for any history compacted, swept, purged and rebuilt at any point, a reply equals that of a fold of all
entries ever added, byte for byte, and that of dedup.md."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.data_sources.data_source import CONNECTED, DataSource
from chalicelib.tiles.compact import compact
from tests.fakes.processes import Process
from tests.property.compaction_world import DAY_QUERIES, SOURCE_QUERIES, Compacted
from tests.property.deduplication import DEACTIVATE, DROP_HASH, NONE, OLDER, ORIGIN, TRUNCATE
from tests.property.test_fold_machine import ANNA, few_readings, known_ids

VALUES = {"cbg": {"units": "mmol/L", "value": 5}, "bolus": {"subType": "normal", "normal": 1.5}, "food": {}}
DAYS = ["2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999Z", "2026-01-02T00:00:00Z", "2026-01-02T01:00:00+02:00"]
EDGES = ["0001-01-01T00:00:00+01:00", "9999-12-31T22:59:59-01:00", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"]
ORIGIN_TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00+01:00", "2026-01-01T00:30:00.5Z"]
DEVICES = st.sampled_from(["pump", "meter"])

origins = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", "3"])}, optional={"time": st.sampled_from(ORIGIN_TIMES)}
)


def items(types: list[str], times: list[str], **members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One to three records; `origin` and other named members are optional, except the device."""
    required = {"type": st.sampled_from(types), "time": st.sampled_from(times), "deviceId": DEVICES}
    optional = {"origin": origins} | members
    some = st.lists(st.fixed_dictionaries(required, optional=optional), min_size=1, max_size=3)
    return some.map(lambda these: [VALUES[record["type"]] | record for record in these])


class Everything(Compacted):
    """All deduplicators, over some days."""

    items = items(["cbg", "bolus", "food"], [*DAYS[1:], *EDGES[:1]])


class Devices(Compacted):
    """Normal data sets of two devices, with few different readings."""

    deduplicators = (DEACTIVATE, DEACTIVATE, DEACTIVATE, TRUNCATE)
    are_continuous = (False,)
    items = few_readings


class Origins(Compacted):
    """Continuous data sets whose records move between days and types."""

    deduplicators = (ORIGIN, OLDER, OLDER)
    are_continuous = (True,)
    most_data_sets = 2
    items = items(["cbg", "bolus", "food"], [DAYS[0], *DAYS[2:]])
    queries = DAY_QUERIES


class Hashes(Compacted):
    """Data sets that know their records by hash, or not at all."""

    deduplicators = (DROP_HASH, DROP_HASH, NONE)
    are_continuous = (True, True, False)
    most_data_sets = 3
    items = items(["cbg", "bolus"], DAYS[1:3], value=st.sampled_from([5, 6.5]))


class Truncations(Compacted):
    """Data sets whose records go when one of the same device is closed."""

    deduplicators = (TRUNCATE, ORIGIN, OLDER, NONE, DROP_HASH)
    are_continuous = (True, False)
    items = items(["cbg", "food"], [DAYS[0], DAYS[2], *EDGES])


class Uploads(Compacted):
    """Uploads of several requests, some of which replace or delete records of others."""

    deduplicators = (ORIGIN, OLDER, NONE, DROP_HASH)
    are_continuous = (False,)
    items = items(["cbg", "bolus"], [DAYS[0], DAYS[2], EDGES[2]])
    sizes_of_steps = (1, 1, 700)
    queries = DAY_QUERIES

    @precondition(lambda self: len(self.reference.data_sets) < self.most_data_sets)
    @rule(
        name=st.sampled_from(deduplicators),
        requests=st.lists(st.sampled_from(["add", "add", "origin", "id", "hash"]), min_size=2, max_size=4),
        stops_after=st.integers(0, 6),
        data=st.data(),
    )
    def upload_at_length(self, name: str, requests: list[str], stops_after: int, data: st.DataObject) -> None:
        self.create(name, False, data.draw(DEVICES), {})
        for kind in requests:
            if kind == "add":
                self.add(self.known_ids[-1], data.draw(self.items), 1)
            else:
                self.delete_data(self.known_ids[-1], kind, data)
        self.close(self.known_ids[-1])
        self.work(compact, Process(stops_after=stops_after))


class Sources(Compacted):
    """Records and data sets that the default filters may leave out."""

    deduplicators = (NONE, ORIGIN, DROP_HASH, DEACTIVATE)
    queries = SOURCE_QUERIES
    items = items(
        ["cbg", "cbg", "bolus"],
        [DAYS[0], DAYS[2], EDGES[2]],
        source=st.just("carelink"),
        sampleInterval=st.sampled_from([0, 300_000]),
        origin=st.fixed_dictionaries(
            {"id": st.sampled_from(["1", "2"])},
            optional={"payload": st.just({"device": {"manufacturer": "Medtronic"}})},
        ),
    )
    members = st.fixed_dictionaries(
        {},
        optional={
            "deviceManufacturers": st.just(["Medtronic"]),
            "deviceModel": st.just("723"),
            "time": st.sampled_from([DAYS[0], "2017-08-31T23:59:59Z"]),
        },
    )

    @precondition(lambda self: self.known_ids)
    @rule(data_set_id=known_ids, first=st.sampled_from(DAYS), last=st.sampled_from(DAYS))
    def connect(self, data_set_id: str, first: str, last: str) -> None:
        """A data source that imported a span of cbg into a data set."""
        span = {"earliestDataTime": first, "latestDataTime": last}
        provider = {"providerType": "oauth", "providerName": "twiist", "state": CONNECTED}
        fields: dict[str, Any] = {**provider, **span, "dataSetId": data_set_id}
        before = self.sources.find("s")
        if before is None:
            self.sources.add(DataSource("s", ANNA, self.tick(), fields))
        else:
            assert self.sources.replace(before, replace(before, fields=fields, revision=before.revision + 1))


# At least 2,000 in all; more with another profile.
effort = settings(max_examples=max(300, settings().max_examples), stateful_step_count=25, deadline=None)
for machine in (Everything, Devices, Origins, Hashes, Truncations, Uploads, Sources):
    machine.TestCase.settings = effort
TestEverything = Everything.TestCase
TestDevices = Devices.TestCase
TestOrigins = Origins.TestCase
TestHashes = Hashes.TestCase
TestTruncations = Truncations.TestCase
TestUploads = Uploads.TestCase
TestSources = Sources.TestCase
