"""Tests the freshness of data: slots, clients, bounds, and the reply to callers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.access.call import SERVICE, Caller
from chalicelib.access.policy import READERS
from chalicelib.errors import UnauthorizedError
from chalicelib.log.freshness import (
    CLIENT_LENGTH,
    KEPT_SLOTS,
    MAX_CLIENTS,
    MAX_SLOTS,
    UNKNOWN,
    Freshness,
    Ingested,
    Newest,
    client_of,
    newest_times_ms,
)
from chalicelib.reading.freshness import read_freshness
from tests.fakes.calls import call_by
from tests.fakes.data_scene import ANNA, CUSTODIAN, STRANGER, UPLOADER, VIEWER, DataScene, cbg, food

METER = "b" * 32


def ingested(client: str, stored_time_ms: int, number: int = 1, **times_ms: int) -> Ingested:
    """The data that came into a data set by one entry."""
    return Ingested(client).after(number, times_ms, stored_time_ms)


class TestFolding:
    def test_each_type_has_its_newest_times(self) -> None:
        after = ingested("app", 100, cbg=50, food=60).after(2, {"cbg": 40}, 200)
        assert after == Ingested("app", 2, {"cbg": Newest(50, 200), "food": Newest(60, 100)})

    def test_the_newest_times_are_those_of_the_records(self) -> None:
        assert newest_times_ms([("cbg", -5), ("food", 3), ("cbg", -7), ("cbg", 9)]) == {"cbg": 9, "food": 3}

    def test_data_sets_of_one_client_count_together(self) -> None:
        freshness = Freshness()
        for name, slot in {"a": ingested("app", 3, cbg=1), "b": ingested("app", 2, cbg=9, food=4)}.items():
            freshness = freshness.with_slot(name, slot)
        freshness = freshness.with_merged(ingested("uploader", 1, cbg=100)).with_slot("c", Ingested("silent"))
        assert freshness.by_client() == {
            "app": {"cbg": Newest(9, 3), "food": Newest(4, 2)},
            "uploader": {"cbg": Newest(100, 1)},
        }

    def test_when_slots_run_out_the_data_sets_silent_for_longest_lose_theirs(self) -> None:
        freshness = Freshness()
        for place in range(MAX_SLOTS):
            freshness = freshness.with_slot(str(place), ingested("app", 100 - place, cbg=place))
        assert len(freshness.data_sets) == MAX_SLOTS
        freshness = freshness.with_slot("0", ingested("app", 200, 2, cbg=1))  # has a place already
        assert len(freshness.data_sets) == MAX_SLOTS
        freshness = freshness.with_slot("new", Ingested("new"))
        assert set(freshness.data_sets) == {*map(str, range(KEPT_SLOTS)), "new"}
        assert freshness.by_client() == {"app": {"cbg": Newest(MAX_SLOTS - 1, 200)}}

    def test_the_client_silent_for_longest_becomes_unknown(self) -> None:
        freshness = Freshness()
        for place in range(MAX_CLIENTS + 2):
            freshness = freshness.with_merged(ingested(f"app {place}", 1000 + place, cbg=500 - place))
        assert set(freshness.clients) == {UNKNOWN, *(f"app {place}" for place in range(2, MAX_CLIENTS + 2))}
        assert freshness.clients[UNKNOWN] == {"cbg": Newest(500, 1001)}

    @given(
        st.lists(
            st.tuples(st.integers(0, 2 * MAX_SLOTS), st.sampled_from(["cbg", "food"]), st.integers(0, 50)), max_size=60
        )
    )
    def test_merging_slots_keeps_the_newest_times(self, entries: Sequence[tuple[int, str, int]]) -> None:
        """However data sets take turns: what comes out is the newest of all that came in."""
        freshness, heads, expected = Freshness(), dict[int, Ingested](), dict[str, dict[str, Newest]]()
        for stored_time_ms, (data_set, name, time_ms) in enumerate(entries):
            client = f"app {data_set % 3}"
            head = heads.get(data_set, Ingested(client))
            heads[data_set] = head.after(head.last_number + 1, {name: time_ms}, stored_time_ms)
            freshness = freshness.with_slot(str(data_set), heads[data_set])
            known = expected.setdefault(client, {}).get(name, Newest(0, 0))
            expected[client][name] = Newest(max(known.time_ms, time_ms), stored_time_ms)
            assert len(freshness.data_sets) <= MAX_SLOTS
        assert freshness.by_client() == expected


@pytest.mark.parametrize(
    ("description", "client"),
    [
        (
            {"client": {"name": "com.loopkit.Loop", "version": "3"}, "deviceManufacturers": ["Dexcom"]},
            "com.loopkit.Loop",
        ),
        ({"client": {"version": "3"}, "deviceManufacturers": ["Dexcom", "Insulet"]}, "Dexcom, Insulet"),
        ({"client": {"name": "x" * 5000}}, "x" * CLIENT_LENGTH),
        ({"deviceManufacturers": []}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_the_client_of_a_data_set(description: dict[str, Any], client: str) -> None:
    assert client_of(description) == client


def told(name: str, newest: str, stored: str) -> dict[str, str]:
    """The freshness of a type, with times of the first day of 2026."""
    return {"type": name, "newestTime": f"2026-01-01T{newest}Z", "newestStoredTime": f"2026-01-01T{stored}Z"}


APP = {
    "client": "org.example.app",
    "types": [told("cbg", "00:10:00", "00:00:00.003"), told("food", "12:00:00", "00:00:00.002")],
}
METERS_MAKER = {"client": "Abbott", "types": [told("cbg", "00:20:00", "00:00:00.005")]}


class TestAnswer:
    @pytest.fixture
    def scene(self) -> DataScene:
        """A scene with data of an app, and with a meter that was not closed."""
        scene = DataScene()
        app = scene.open("none", client={"name": "org.example.app"})
        scene.add(app, cbg(minute=5), cbg(minute=10), food("bread", "1", None))
        scene.add(app, cbg(minute=7))
        scene.open("none", "normal", deviceManufacturers=["Abbott"], deviceId="meter", uploadId=METER)
        scene.add(METER, cbg(minute=20))
        return scene

    @staticmethod
    def freshness(scene: DataScene, caller: Caller = ANNA) -> dict[str, Any]:
        return read_freshness(
            call_by(caller, READERS, scene.grants),
            str(ANNA.user_id),
            scene.reading,
        )

    def test_clients_and_types_are_sorted_by_name(self, scene: DataScene) -> None:
        assert self.freshness(scene) == {"userId": ANNA.user_id, "changes": 4, "clients": [APP]}
        scene.close(METER)
        assert self.freshness(scene) == {"userId": ANNA.user_id, "changes": 5, "clients": [METERS_MAKER, APP]}

    def test_freshness_keeps_the_times_of_deleted_data(self, scene: DataScene) -> None:
        scene.close(METER)
        scene.delete(METER)
        assert self.freshness(scene)["clients"] == [METERS_MAKER, APP]

    def test_erasing_resets_freshness(self, scene: DataScene) -> None:
        scene.erase()
        assert self.freshness(scene) == {"userId": ANNA.user_id, "changes": 5, "clients": []}

    def test_a_user_without_data_has_no_freshness(self) -> None:
        assert self.freshness(DataScene()) == {"userId": ANNA.user_id, "changes": 0, "clients": []}

    @pytest.mark.parametrize("caller", [ANNA, VIEWER, SERVICE])
    def test_readers_may_read_it(self, scene: DataScene, caller: Caller) -> None:
        assert self.freshness(scene, caller)["clients"] == [APP]

    @pytest.mark.parametrize("caller", [UPLOADER, CUSTODIAN, STRANGER])
    def test_others_may_not(self, scene: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            self.freshness(scene, caller)
