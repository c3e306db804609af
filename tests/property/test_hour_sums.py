"""Summaries from hour sums equal summaries from the log, for any history, wherever it was compacted."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.glucose.reading import GLUCOSE_TYPES
from chalicelib.summaries.periods import PERIOD_DAYS
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.summary import SUMMARY_TYPES
from chalicelib.tiles.verify import check_tiles
from tests.fakes.compaction_scene import ANNA_ID
from tests.fakes.glucose_scene import GlucoseScene

DAYS = ("2025-10-31", "2025-11-01", "2025-11-02", "2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02")
"""Days on both sides of the borders of a window that ends around 2026-01-01."""
TIMES = ("00:00:00", "00:04:50", "00:05:00", "00:30:00", "12:00:00", "12:59:59", "23:59:59.999")
DEDUPLICATORS = (
    ("none", "continuous"),
    ("dataset.delete.origin", "continuous"),
    ("dataset.delete.origin.older", "continuous"),
    ("device.deactivate.hash", "normal"),
    ("device.truncate.dataset", "normal"),
)

indexes = st.integers(0, len(DEDUPLICATORS) - 1)
times = st.builds("{}T{}Z".format, st.sampled_from(DAYS), st.sampled_from(TIMES))
origins = st.none() | st.builds(
    lambda number, minute: {"id": f"origin-{number}", "time": f"2025-12-31T00:{minute:02d}:00Z"},
    st.integers(0, 5),
    st.integers(0, 3),
)


def _record(name: str, time: str, tenths: int, origin: dict[str, str] | None) -> dict[str, Any]:
    if name == "food":
        body: dict[str, Any] = {"type": "food", "name": "bread"}
    else:
        body = {"type": name, "units": "mmol/L", "value": tenths / 10}
    return body | {"time": time, "deviceId": "d"} | ({} if origin is None else {"origin": origin})


records = st.builds(_record, st.sampled_from(["cbg", "cbg", "smbg", "food"]), times, st.integers(20, 200), origins)
steps = st.one_of(
    st.tuples(st.just("add"), indexes, st.lists(records, min_size=1, max_size=4)),
    st.tuples(st.just("delete origin"), st.integers(0, 2), st.integers(0, 5)),
    st.tuples(st.just("close"), indexes, st.none()),
    st.tuples(st.just("delete"), indexes, st.none()),
    st.tuples(st.just("compact"), st.none(), st.none()),
    st.tuples(st.just("sweep"), st.none(), st.none()),
)
Step = tuple[str, Any, Any]


class History:
    """The same steps in a scene that compacts and in one that does not; their clocks show the same."""

    def __init__(self, steps: list[Step]) -> None:
        self.compacted, self.plain = GlucoseScene(), GlucoseScene()
        self._ids: dict[int, tuple[str, str]] = {}
        for step in steps:
            self._take(*step)

    def _take(self, name: str, which: Any, detail: Any) -> None:
        """Carry out a step in both scenes."""
        match name:
            case "add":
                ids = self._open(which)
                for scene, data_set_id in zip(self._scenes, ids, strict=True):
                    scene.add(data_set_id, *detail)
            case "delete origin" if which in self._ids:
                for scene, data_set_id in zip(self._scenes, self._ids[which], strict=True):
                    scene.delete_data(data_set_id, {"origin": {"id": f"origin-{detail}"}})
            case "close" if which in self._ids and DEDUPLICATORS[which][1] == "normal":
                for scene, data_set_id in zip(self._scenes, self._ids.pop(which), strict=True):
                    scene.close(data_set_id)
            case "delete" if which in self._ids:
                for scene, data_set_id in zip(self._scenes, self._ids.pop(which), strict=True):
                    scene.delete(data_set_id)
            case "compact":
                self.compacted.compact()
            case "sweep":
                self.compacted.sweep()
            case "lose sums":
                self.compacted.lose_hour_sums()
        self.plain.now_ms = self.compacted.now_ms = max(scene.now_ms for scene in self._scenes)

    @property
    def _scenes(self) -> tuple[GlucoseScene, GlucoseScene]:
        return self.compacted, self.plain

    def _open(self, which: int) -> tuple[str, str]:
        if which not in self._ids:
            name, data_set_type = DEDUPLICATORS[which]
            device = {} if data_set_type == "continuous" else {"deviceId": "d", "deviceManufacturers": ["Dexcom"]}
            first, second = (scene.open(name, data_set_type, **device) for scene in self._scenes)
            self._ids[which] = first, second
        return self._ids[which]


@settings(max_examples=60)
@given(history=st.lists(steps, max_size=14))
def test_summaries_and_profiles_are_those_of_the_log(history: list[Step]) -> None:
    both = History(history)
    for name in SUMMARY_TYPES:
        assert both.compacted.body(name) == both.plain.body(name)
    query = ProfileQuery(days=90)
    assert both.compacted.profile(query) == both.plain.profile(query)
    assert check_tiles(ANNA_ID, both.compacted.ports()).wrong == ()


@settings(max_examples=40)
@given(history=st.lists(steps | st.tuples(st.just("lose sums"), st.none(), st.none()), max_size=14))
def test_without_sums_the_same_readings_count(history: list[Step]) -> None:
    """Only the times at which records were stored are lost: the newest of them, and which of two records of the same
    instant was stored last."""
    both = History(history)
    assert _periods(both.compacted, "bgm") == _periods(both.plain, "bgm")
    found, expected = _periods(both.compacted, "cgm"), _periods(both.plain, "cgm")
    for name in PERIOD_DAYS if expected else ():
        for member in ("records", "minutes", "percent"):
            assert found[name]["total"].get(member) == expected[name]["total"].get(member)
    assert (found is None) == (expected is None)
    assert check_tiles(ANNA_ID, both.compacted.ports()).wrong == ()


@settings(max_examples=30)
@given(history=st.lists(steps | st.tuples(st.just("lose sums"), st.none(), st.none()), max_size=14))
def test_a_compaction_of_glucose_leaves_no_tile_without_sums(history: list[Step]) -> None:
    """The days of these histories are fewer than a compaction fills."""
    both = History([*history, ("add", 0, [_record(name, f"{DAYS[-1]}T12:00:00Z", 50, None) for name in GLUCOSE_TYPES])])
    both.compacted.compact()
    live = {(ref.version, ref.key) for ref in both.compacted.manifest.tile_refs() if ref.key.type in GLUCOSE_TYPES}
    assert both.compacted.stored_hour_sums >= live
    assert check_tiles(ANNA_ID, both.compacted.ports()).wrong == ()


def _periods(scene: GlucoseScene, summary_type: str) -> Any:
    body = scene.body(summary_type)
    return None if body is None else body["periods"]


@settings(max_examples=30)
@given(history=st.lists(steps, max_size=14))
def test_a_sweep_leaves_the_hour_sums_of_live_tiles_only(history: list[Step]) -> None:
    scene = History(history).compacted
    scene.compact()
    scene.sweep()
    assert scene.stored_tiles == {(ref.version, ref.key) for ref in scene.manifest.tile_refs()}
    glucose = {(ref.version, ref.key) for ref in scene.manifest.tile_refs() if ref.key.type in GLUCOSE_TYPES}
    assert scene.stored_hour_sums == glucose
