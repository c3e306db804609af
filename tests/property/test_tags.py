"""Tests that replies with the same tag are equal for any history, so a client that gets 304 misses nothing."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.access.call import SERVICE
from chalicelib.access.policy import READERS
from chalicelib.data_sources.data_source import CONNECTED, DataSource
from chalicelib.errors import DataSetClosedError
from chalicelib.reading import read as query
from chalicelib.reading.query import parse_data_query
from chalicelib.tiles.compact import compact
from tests.fakes.calls import call_by
from tests.fakes.data_scene import ANNA, DataScene, Item, cbg, food

QUERIES: tuple[dict[str, str], ...] = ({}, {"type": "cbg"}, {"cbgFilter": "false"}, {"latest": "true"})
DEDUPLICATORS = ("none", "dataset.delete.origin", "device.deactivate.hash", "device.truncate.dataset")
MOST_DATA_SETS = 4

minutes = st.integers(0, 3)
origins = st.sampled_from(["1", "2"])
items = st.builds(cbg, st.integers(4, 6), minutes, origins, deviceId=st.just("pump")) | st.builds(
    food, st.sampled_from(["bread", "soup"]), origins, st.none(), deviceId=st.just("pump")
)
known_ids = st.runner().flatmap(lambda self: st.sampled_from(self.ids))


class Polling(RuleBasedStateMachine):
    """Changes the data that Anna reads in any way, and records each reply by its ETag."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = DataScene()
        self.ids: list[str] = []
        self.answers: dict[str, list[Item]] = {}

    @precondition(lambda self: len(self.ids) < MOST_DATA_SETS)
    @rule(name=st.sampled_from(DEDUPLICATORS), kind=st.sampled_from(["continuous", "normal"]))
    def open(self, name: str, kind: str) -> None:
        self.ids.append(self.scene.open(name, kind, deviceId="pump"))

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids, data=st.lists(items, min_size=1, max_size=2))
    def add(self, data_set_id: str, data: list[Item]) -> None:
        self._unless_closed(self.scene.add, data_set_id, *data)

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids, origin=origins)
    def delete_data(self, data_set_id: str, origin: str) -> None:
        self._unless_closed(self.scene.delete_data, data_set_id, {"origin": {"id": origin}})

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids)
    def close(self, data_set_id: str) -> None:
        self._unless_closed(self.scene.close, data_set_id)

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids, device_id=st.sampled_from(["pump", "other"]))
    def update(self, data_set_id: str, device_id: str) -> None:
        self._unless_closed(self.scene.update, data_set_id, {"deviceId": device_id}, SERVICE)

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids)
    def delete(self, data_set_id: str) -> None:
        self.scene.delete(data_set_id)

    @precondition(lambda self: len(self.ids) == MOST_DATA_SETS)
    @rule()
    def erase(self) -> None:
        self.scene.erase()
        self.ids.clear()

    @precondition(lambda self: self.ids)
    @rule(data_set_id=known_ids, first=minutes, last=minutes)
    def connect(self, data_set_id: str, first: int, last: int) -> None:
        """A data source that imported a span of cbg into a data set."""
        span = {"earliestDataTime": f"2026-01-01T00:{first:02d}:00Z", "latestDataTime": f"2026-01-01T00:{last:02d}:00Z"}
        provider = {"providerType": "oauth", "providerName": "twiist", "state": CONNECTED}
        fields: dict[str, Any] = {**provider, **span, "dataSetId": data_set_id}
        before = self.scene.sources.find("s")
        if before is None:
            self.scene.sources.add(DataSource("s", str(ANNA.user_id), self.scene.tick(), fields))
        else:
            assert self.scene.sources.replace(before, replace(before, fields=fields, revision=before.revision + 1))

    @precondition(lambda self: self.scene.sources.find("s") is not None)
    @rule()
    def disconnect(self) -> None:
        source = self.scene.sources.find("s")
        assert source is not None
        assert self.scene.sources.remove(source)

    @rule()
    def compact(self) -> None:
        """Compact and sweep, which changes neither replies nor their ETags."""
        scene = self.scene
        compact(str(ANNA.user_id), replace(scene.fakes.services.tiles, now_ms=scene.tick), lambda: None)
        requests = scene.fakes.sweep_requests
        for request in list(requests.older_than(scene.tick() + 1)):
            requests.sweep(request)

    @staticmethod
    def _unless_closed(act: Any, *arguments: Any) -> None:
        try:
            act(*arguments)
        except DataSetClosedError:
            return

    @invariant()
    def the_same_tag_is_the_same_answer(self) -> None:
        for parameters in QUERIES:
            tag = query.read_data(
                call_by(ANNA, READERS, self.scene.grants),
                str(ANNA.user_id),
                parse_data_query({name: (value,) for name, value in parameters.items()}),
                self.scene.reading,
            ).etag
            assert tag is not None
            answer = self.scene.read(ANNA, **parameters)
            assert self.answers.setdefault(tag, answer) == answer


TestPolling = Polling.TestCase
TestPolling.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
