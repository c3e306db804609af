"""Tests which readings and which zone a profile has."""

from typing import Any

import pytest

from chalicelib.summaries.profile_query import ProfileQuery
from tests.fakes.data_scene import cbg
from tests.fakes.glucose_scene import GlucoseScene


def at(time: str, **members: Any) -> dict[str, Any]:
    """A reading."""
    return cbg(5, time=f"{time}Z", **members)


@pytest.fixture(params=[False, True], ids=["from the log", "from tiles"])
def scene(request: pytest.FixtureRequest) -> GlucoseScene:
    """Two days with readings, and one that is still to come."""
    scene = GlucoseScene()
    data_set_id = scene.open("dataset.delete.origin")
    scene.add(
        data_set_id,
        at("2025-12-30T23:57:00", timezone="Asia/Tokyo"),
        at("2025-12-31T23:57:00", timezone="Europe/Berlin", origin="newest"),
        at("2026-01-03T00:00:00", timezone="UTC"),
    )
    if request.param:
        scene.compact()
    return scene


def test_the_window_ends_with_the_newest_reading_that_counts(scene: GlucoseScene) -> None:
    body = scene.profile(ProfileQuery(days=1))
    assert body is not None
    assert (body["from"], body["to"], body["records"]) == ("2025-12-31T00:02:00Z", "2026-01-01T00:02:00Z", 1)
    assert body["timeZone"] == "Europe/Berlin"


def test_a_window_of_the_past_has_the_zone_of_its_newest_reading(scene: GlucoseScene) -> None:
    body = scene.profile(ProfileQuery(days=1, end_ms=1_767_139_200_000))  # 2025-12-31
    assert body is not None
    assert (body["lastReading"], body["timeZone"]) == ("2025-12-30T23:57:00Z", "Asia/Tokyo")


def test_the_end_does_not_belong_to_the_window(scene: GlucoseScene) -> None:
    newest_ms = 1_767_225_420_000  # 2025-12-31T23:57:00Z
    body = scene.profile(ProfileQuery(days=1, end_ms=newest_ms))
    assert body is not None
    assert body["lastReading"] == body["firstReading"] == "2025-12-30T23:57:00Z"


def test_a_deleted_reading_does_not_count(scene: GlucoseScene) -> None:
    (data_set,) = scene.listed()
    scene.delete_data(data_set["uploadId"], {"origin": {"id": "newest"}})
    body = scene.profile()
    assert body is not None
    assert body["to"] == "2025-12-31T00:02:00Z"


def test_each_day_shows_its_readings_in_both_units(scene: GlucoseScene) -> None:
    body = scene.profile(ProfileQuery(time_zone="UTC"))
    assert body is not None
    assert [(day["date"], day["readings"]) for day in body["days"]] == [
        ("2025-12-30", [[23 * 60 + 57, 90, 5.0]]),
        ("2025-12-31", [[23 * 60 + 57, 90, 5.0]]),
    ]
    assert body["profileMmol"] == [[23 * 60 + 45, 2, 5.0, 5.0, 5.0, 5.0, 5.0]]


def test_a_window_without_readings_has_no_profile(scene: GlucoseScene) -> None:
    assert scene.profile(ProfileQuery(days=1, end_ms=0)) is None
