"""Readings that data sources imported too: which are left out. Source: data-api 9, cbgFilter."""

from typing import Any

import pytest

from chalicelib.data_sources.data_source import DataSource
from tests.fakes.data_scene import ANNA, DataScene

APP = "a" * 32
IMPORTED = "b" * 32
NONE = "org.tidepool.deduplicator.none"


@pytest.fixture
def scene() -> DataScene:
    """Readings of three days from an app, and of the same days imported by a provider."""
    scene = DataScene()
    for data_set_id, value in ((APP, 4), (IMPORTED, 5)):
        scene.create(uploadId=data_set_id, dataSetType="continuous", deduplicator={"name": NONE})
        scene.add(data_set_id, *[cbg(day, value) for day in (1, 2, 3)])
    scene.add(APP, {"type": "smbg", "time": "2025-12-02T00:00:00Z", "units": "mmol/L", "value": 9})
    return scene


def cbg(day: int, value: int) -> dict[str, Any]:
    """A reading of a day in December."""
    return {"type": "cbg", "time": f"2025-12-0{day}T00:00:00Z", "units": "mmol/L", "value": value}


def connect(scene: DataScene, data_set_id: str | None, days: tuple[int, int] | None, name: str = "a") -> None:
    """A data source that imports into a data set, and has covered some days."""
    fields: dict[str, Any] = {"providerType": "oauth", "providerName": "dexcom", "state": "disconnected"}
    if data_set_id is not None:
        fields["dataSetId"] = data_set_id
    if days is not None:
        fields["earliestDataTime"] = f"2025-12-0{days[0]}T00:00:00Z"
        fields["latestDataTime"] = f"2025-12-0{days[1]}T00:00:00Z"
    scene.sources.add(DataSource(name * 32, str(ANNA.user_id), scene.now_ms, fields))


def test_without_data_sources_no_record_is_dropped(scene: DataScene) -> None:
    assert sorted(scene.visible(type="cbg")) == [4, 4, 4, 5, 5, 5]


def test_a_data_source_without_data_set_decides_nothing(scene: DataScene) -> None:
    connect(scene, None, (1, 3))
    assert sorted(scene.visible(type="cbg")) == [4, 4, 4, 5, 5, 5]


def test_within_the_span_only_imported_readings_are_kept(scene: DataScene) -> None:
    connect(scene, IMPORTED, (2, 3))
    assert scene.visible(type="cbg") == [4, 5, 5, 5]
    assert scene.visible(type="smbg") == [9]


def test_without_a_span_only_imported_readings_are_kept(scene: DataScene) -> None:
    connect(scene, IMPORTED, None)
    assert scene.visible(type="cbg") == [5, 5, 5]


def test_spans_of_all_data_sources_count(scene: DataScene) -> None:
    connect(scene, IMPORTED, (1, 1))
    connect(scene, None, (3, 3), "b")
    assert scene.visible(type="cbg") == [5, 4, 5, 5]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"cbgFilter": "false"}, 6),
        ({"dexcom": "true"}, 6),
        ({"dexcom": "false"}, 3),
        ({"cbgFilter": "true", "dexcom": "true"}, 3),
        ({"cbgFilter": "false", "dexcom": "false"}, 6),
    ],
)
def test_the_filter_can_be_switched_off_by_both_names(scene: DataScene, parameters: dict[str, str], count: int) -> None:
    connect(scene, IMPORTED, None)
    assert len(scene.visible(type="cbg", **parameters)) == count


def test_a_query_for_one_data_set_is_not_filtered(scene: DataScene) -> None:
    connect(scene, IMPORTED, None)
    assert scene.visible(uploadId=APP, type="cbg") == [4, 4, 4]
