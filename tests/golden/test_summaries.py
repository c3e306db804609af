"""Tests summaries against those that Tidepool's data service computed. The vectors say where `expect` differs from it:
the spread within the newest hour, and deleted records (see tests/data/golden/summary/README.md)."""

from collections.abc import Mapping
from itertools import groupby
from math import isclose
from typing import Any

import pytest

from tests.fakes.glucose_scene import GlucoseScene
from tests.golden.glucose_vectors import Case, cases, records, time_ms

HALF_AN_HOUR_MS = 30 * 60_000
LOOSE = frozenset({"variance", "standardDeviation", "coefficientOfVariation"})
UNLIKE = frozenset({"<ID>", "<USER>", "<NOW>"})
REQUIRED = [name for name, case in cases("summary").items() if "doubtful" not in case]


class Replay:
    """A case that is carried out, with or without a compaction after each step."""

    def __init__(self, case: Case, *, compacts: bool) -> None:
        self.scene = GlucoseScene()
        self.scene.now_ms = self.now_ms = time_ms(case["hour"]) + HALF_AN_HOUR_MS
        self._ids: dict[str, str] = {}
        for step in case["steps"]:
            self._take(step)
            if compacts:
                self.scene.compact()

    def bodies(self) -> dict[str, Any]:
        """The summaries of all types."""
        self.scene.now_ms = self.now_ms
        return {name: self.scene.body(name) for name in ("cgm", "bgm", "con")}

    def _take(self, step: Case) -> None:
        scene = self.scene
        if "add" in step:
            self._add(step["add"])
        elif "summarise" in step:
            self.bodies()
        elif "deleteDataSet" in step:
            scene.delete(self._ids[step["deleteDataSet"]])
        else:
            scene.delete_data(self._ids[step["deleteRecords"]], *step["selectors"])

    def _add(self, add: Case) -> None:
        label = add["dataSet"]
        if label not in self._ids:
            name = add["deduplicator"].removeprefix("org.tidepool.deduplicator.")
            self._ids[label] = self.scene.open(name, add["dataSetType"], **_device(add))
        found = ((record.pop("createdTime", None), record) for record in records(add["data"]))
        for created, of_time in groupby(found, key=lambda pair: pair[0]):
            if created is not None:
                self.scene.now_ms = time_ms(created) - 1
            self.scene.add(self._ids[label], *(record for _, record in of_time))
            self.scene.now_ms = max(self.scene.now_ms, self.now_ms) if created is None else self.now_ms
        if add.get("close"):
            self.scene.close(self._ids[label])


def _device(add: Case) -> dict[str, Any]:
    """The members that a deduplicator by device needs."""
    if "device" not in add["deduplicator"]:
        return {}
    first = next(records(add["data"]))
    return {
        "deviceId": first["deviceId"],
        "deviceManufacturers": ["Dexcom"],
        "deviceModel": "G6",
        "deviceSerialNumber": "1",
    }


@pytest.mark.parametrize("compacts", [False, True], ids=["from the log", "from tiles"])
@pytest.mark.parametrize("name", REQUIRED)
def test_summary_is_the_one_of_the_reference(name: str, compacts: bool) -> None:
    case = cases("summary")[name]
    bodies = Replay(case, compacts=compacts).bodies()
    for summary_type, expected in case["expect"].items():
        assert list(differences(bodies[summary_type], expected)) == [], summary_type


def differences(found: Any, expected: Any, path: str = "") -> Any:
    """Yield each place where two summaries differ; a number that is left out is 0, an object that is left out empty."""
    name = path.rpartition(".")[2]
    if expected in UNLIKE if isinstance(expected, str) else name in ("lastUpdatedReason",):
        return
    if isinstance(expected, Mapping) or isinstance(found, Mapping):
        if found is None or expected is None:
            if found != expected and (not path or found or expected):
                yield path, found, expected
            return
        for member in found.keys() | expected.keys():
            yield from differences(found.get(member), expected.get(member), f"{path}.{member}")
    elif isinstance(expected, (int, float)) or isinstance(found, (int, float)):
        tolerance = 1e-6 if name in LOOSE else 1e-9
        if not isclose(found or 0, expected or 0, rel_tol=tolerance, abs_tol=tolerance):
            yield path, found, expected
    elif found != expected:
        yield path, found, expected
