"""Tests that a summary decodes no more than it needs: entries of the tail once, and readings of the hours that a border
cuts."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.log import entry, joined_entries
from chalicelib.summaries import view
from tests.fakes.data_scene import cbg
from tests.fakes.glucose_scene import GlucoseScene

NEWEST, OLDEST_DAY = "2026-01-01T12:30:00Z", "2025-11-02"


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.calls = 0
        self._function = function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The result of the function."""
        self.calls += 1
        return self._function(*arguments, **named)


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Counted:
    """Count the calls of a function of a module from now on."""
    found = Counted(getattr(module, name))
    monkeypatch.setattr(module, name, found)
    return found


@pytest.mark.parametrize(("summary_type", "decoded"), [("cgm", 5), ("bgm", 0), ("con", 5)])
def test_an_entry_of_the_tail_is_decoded_once(monkeypatch: pytest.MonkeyPatch, summary_type: str, decoded: int) -> None:
    """Those of another type are not decoded at all."""
    scene = GlucoseScene()
    ids = [scene.open("dataset.delete.origin"), scene.open("dataset.delete.origin.older")]
    scene.add(ids[0], cbg(5, time=NEWEST, origin="0"))
    scene.compact()
    for number in range(1, 6):
        scene.add(ids[number % 2], cbg(5, time=NEWEST.replace("30", f"3{number}"), origin=str(number)))
    bodies: list[bytes] = []
    inflate = entry.columns_of_bodies

    def noted(of_entries: list[bytes]) -> list[bytes]:
        bodies.extend(of_entries)
        return inflate(of_entries)

    for module in (entry, joined_entries):
        monkeypatch.setattr(module, "columns_of_bodies", noted)
    scene.summary(summary_type)
    assert len(bodies) == len(set(bodies)) == decoded


def test_of_the_oldest_day_the_readings_of_the_hour_that_the_border_cuts_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = GlucoseScene()
    times = [f"{OLDEST_DAY}T{hour:02d}:{minute:02d}:00Z" for hour in range(24) for minute in (10, 25, 40)]
    scene.add(scene.open("none"), cbg(5, time=NEWEST), *(cbg(5, time=time) for time in times))
    scene.compact()
    readings = counted(monkeypatch, view, "reading_of")
    body = scene.body("cgm")
    assert body is not None
    assert body["dates"]["firstData"] == f"{OLDEST_DAY}T12:40:00Z"
    assert 0 < readings.calls <= 2 * 3  # once for the newest reading, and once for the hours


def test_of_a_day_that_the_tail_adds_to_only_the_readings_of_changed_hours_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = GlucoseScene()
    data_set = scene.open("dataset.delete.origin")
    times = [f"2026-01-01T{hour:02d}:{minute:02d}:00Z" for hour in range(12) for minute in (10, 25, 40)]
    scene.add(data_set, *(cbg(5, time=time, origin=time) for time in times))
    scene.compact()
    for number in range(3):
        scene.add(data_set, cbg(9, time=f"2026-01-01T11:{45 + 5 * number}:00Z", origin=f"{number}"))
    readings = counted(monkeypatch, view, "reading_of")
    body = scene.body("cgm")
    assert body is not None
    assert body["periods"]["1d"]["total"]["records"] == len(times) + 3
    assert readings.calls == 3 + 3
