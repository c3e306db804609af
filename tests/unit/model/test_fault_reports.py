"""Test the report of faults: their order, and what is not checked because something else is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import FieldError, InvalidFieldsError
from chalicelib.model.data import check_data

_TIME = "2024-01-01T00:00:00Z"
_CBG = {"type": "cbg", "time": _TIME, "units": "mg/dL", "value": 100}


def _errors(item: dict[str, Any]) -> list[FieldError]:
    with pytest.raises(InvalidFieldsError) as caught:
        check_data([item], lambda: "0" * 32)
    return list(caught.value.errors)


def _found(item: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(error.pointer, error.code) for error in _errors(item)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"type": "wizard", "bolus": {"type": "bolus", "subType": "normal"}, "carbInput": -1},
            ["/0/time", "/0/bolus/time", "/0/bolus/normal", "/0/carbInput", "/0/units"],
        ),
        (
            {"type": "wizard", "bolus": {"type": "bolus", "subType": "normal", "normal": ""}, "units": 5},
            ["/0/units", "/0/bolus/normal"],
        ),
        (
            {"type": "cgmSettings", "time": _TIME, "units": "mg/dL", "lowAlerts": {"level": 1, "snooze": 1}},
            ["/0/lowAlerts/enabled", "/0/lowAlerts/snooze", "/0/lowAlerts/level"],
        ),
        (
            {"type": "cgmSettings", "time": _TIME, "units": "mg/dL", "highAlerts": {"enabled": True}},
            ["/0/highAlerts/level", "/0/highAlerts/snooze"],
        ),
        (
            {"type": "wizard", "time": _TIME, "units": "mg/dL", "bgTarget": {"target": "", "high": "", "low": ""}},
            ["/0/bgTarget/high", "/0/bgTarget/low", "/0/bgTarget/target"],
        ),
    ],
)
def test_faults_are_reported_in_the_order_of_the_reference(item: dict[str, Any], expected: list[str]) -> None:
    assert [error.pointer for error in _errors(item)] == expected


@pytest.mark.parametrize(
    ("association", "expected"),
    [
        ({"id": "short", "url": "no"}, [("type", "value-not-exists")]),
        ({"id": "short", "url": "no", "type": "other"}, [("type", "value-not-allowed")]),
        ({"id": "short", "url": "no", "type": "blob"}, [("id", "value-not-valid"), ("url", "value-exists")]),
        ({"id": "short", "url": "no", "type": "url"}, [("id", "value-exists"), ("url", "value-not-valid")]),
    ],
)
def test_the_type_of_an_association_decides_how_it_is_checked(
    association: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    found = [(f"/0/associations/0/{name}", code) for name, code in expected]
    assert _found(_CBG | {"associations": [association]}) == found


def test_a_url_is_measured_in_bytes_after_its_form() -> None:
    def found(url: str) -> list[tuple[str | None, str]]:
        return _found(_CBG | {"associations": [{"type": "url", "url": url}]})

    longest = "http://example.test/" + "é" * 1013 + "x"
    check_data([_CBG | {"associations": [{"type": "url", "url": longest}]}], lambda: "0" * 32)
    assert found(longest + "x") == [("/0/associations/0/url", "length-out-of-range")]
    assert found("x" * 2048) == [("/0/associations/0/url", "value-not-valid")]
