"""Checking a posted array."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import FieldError, InvalidFieldsError
from chalicelib.model.data import Datum, check_data

_TIME = "2023-06-01T12:34:56Z"
_CBG = {"type": "cbg", "time": _TIME, "units": "mmol/L", "value": 5}
_BOLUS = {"type": "bolus", "subType": "normal", "time": _TIME, "normal": 1.5}
_WIZARD = {"type": "wizard", "time": _TIME, "units": "mg/dL", "bgInput": 119, "bolus": _BOLUS}


def _checked(*items: object) -> list[Datum]:
    ids = (f"id-{number}" for number in itertools.count(1))
    return check_data(items, ids.__next__)


def _errors(*items: object) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidFieldsError) as caught:
        _checked(*items)
    return caught.value.errors


def _found(*items: object) -> list[tuple[str | None, str]]:
    return [(error.pointer, error.code) for error in _errors(*items)]


def test_an_empty_array_stores_nothing() -> None:
    assert _checked() == []
    assert _checked(None, None) == []


def test_a_null_element_is_skipped_and_counts_in_pointers() -> None:
    assert [datum.body["type"] for datum in _checked(None, _CBG)] == ["cbg"]
    assert _found(None, _CBG | {"value": -1}) == [("/1/value", "value-out-of-range")]


@pytest.mark.parametrize(
    ("item", "json_type"),
    [
        (5, "float64"),
        (0.5, "float64"),
        ("x", "string"),
        (True, "bool"),
        ([], "[]interface {}"),
    ],
)
def test_an_element_other_than_an_object_is_refused(item: object, json_type: str) -> None:
    assert _errors(item) == (
        FieldError("type-not-object", "type is not object", f"type is not object, but {json_type}", "/0"),
    )


def test_a_client_may_send_the_id() -> None:
    sent = "0123456789abcdefghijklmnopqrstuv"
    assert _checked(_CBG | {"id": sent})[0].body["id"] == sent
    assert _checked(_CBG, _CBG)[1].body["id"] == "id-2"


def test_unknown_members_are_dropped_at_every_depth() -> None:
    item = _CBG | {"guid": "g", "uploadId": "u", "_active": True, "origin": {"id": "o", "colour": "red"}}
    assert _checked(item)[0].body == {**_CBG, "id": "id-1", "origin": {"id": "o"}}


def test_the_posted_items_are_not_modified() -> None:
    item = _CBG | {"tags": ["b", "a"], "units": "mg/dL", "value": 120, "payload": {"a": None, "b": 1}}
    copy = {**item, "tags": ["b", "a"], "payload": {"a": None, "b": 1}}
    assert _checked(item)[0].body["tags"] == ["a", "b"]
    assert item == copy


def test_an_integer_may_have_a_zero_fraction() -> None:
    stored = _checked(_CBG | {"timezoneOffset": 60.0})[0].body["timezoneOffset"]
    assert stored == 60
    assert isinstance(stored, int)


@pytest.mark.parametrize("value", [2**53 + 1, 2**63 - 1, -(2**63)])
def test_an_integer_of_64_bits_keeps_every_digit(value: int) -> None:
    assert _checked(_CBG | {"conversionOffset": value})[0].body["conversionOffset"] == value


@pytest.mark.parametrize("value", [60.5, "60", True, 2**63, -(2**63) - 1, 1e300])
def test_a_value_other_than_an_integer_is_refused(value: object) -> None:
    assert _found(_CBG | {"conversionOffset": value}) == [("/0/conversionOffset", "type-not-int")]


def test_a_boolean_is_not_a_number() -> None:
    assert _found(_CBG | {"value": True}) == [("/0/value", "type-not-float64")]


def test_an_embedded_datum_follows_the_posted_ones() -> None:
    data = _checked(_WIZARD, _CBG)
    assert [datum.body["type"] for datum in data] == ["wizard", "cbg", "bolus"]
    assert data[0].body["bolus"] == data[2].body["id"]
    assert data[0].body["bgInput"] == 6.60539


def test_an_embedded_automated_bolus_is_stored_without_a_link() -> None:
    wizard, bolus = _checked(_WIZARD | {"bolus": _BOLUS | {"subType": "automated"}})
    assert "bolus" not in wizard.body
    assert bolus.body["subType"] == "automated"


def test_a_datum_that_misses_the_fast_path_keeps_its_position() -> None:
    """The interpreter reads the zero time."""
    status = {"type": "controllerStatus", "time": _TIME, "battery": {"state": "full", "time": "0001-01-01T00:00:00Z"}}
    data = _checked(_WIZARD, status, _WIZARD)
    assert [datum.body["type"] for datum in data] == ["wizard", "controllerStatus", "wizard", "bolus", "bolus"]
    assert data[1].body["battery"] == {"state": "full"}
    assert (data[0].body["bolus"], data[2].body["bolus"]) == (data[3].body["id"], data[4].body["id"])


def test_a_datum_embedded_in_a_refused_one_is_not_stored() -> None:
    assert _found(_WIZARD | {"carbUnits": "stones"}) == [("/0/carbUnits", "value-not-allowed")]
    assert len(_checked(_WIZARD | {"carbUnits": "grams"})) == 2


def test_parsing_errors_hide_validation_errors_of_the_whole_array() -> None:
    found = _found(_CBG | {"value": -1}, _CBG | {"value": "x"}, _CBG | {"time": 5, "deviceId": ""})
    assert found == [("/1/value", "type-not-float64"), ("/2/time", "type-not-time")]


def test_errors_are_ordered_by_element_and_name_its_type() -> None:
    errors = _errors(_CBG | {"value": -1}, _BOLUS | {"normal": 101, "deviceId": ""})
    assert [(error.pointer, error.meta) for error in errors] == [
        ("/0/value", {"type": "cbg"}),
        ("/1/deviceId", {"type": "bolus", "subType": "normal"}),
        ("/1/normal", {"type": "bolus", "subType": "normal"}),
    ]


def test_an_embedded_error_names_the_outer_datum() -> None:
    (error,) = _errors(_WIZARD | {"bolus": _BOLUS | {"normal": 101}})
    assert (error.pointer, error.meta) == ("/0/bolus/normal", {"type": "wizard"})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, [("/0/type", "value-not-exists")]),
        ({"type": None}, [("/0/type", "value-not-exists")]),
        ({"type": 5}, [("/0/type", "type-not-string"), ("/0/type", "value-not-exists")]),
        ({"type": ["cbg"]}, [("/0/type", "type-not-string"), ("/0/type", "value-not-exists")]),
        ({"type": "upload"}, [("/0/type", "value-not-allowed")]),
        ({"type": "bolus"}, [("/0/subType", "value-not-exists")]),
        ({"type": "bolus", "subType": []}, [("/0/subType", "type-not-string"), ("/0/subType", "value-not-exists")]),
        ({"type": "basal", "deliveryType": "slow"}, [("/0/deliveryType", "value-not-allowed")]),
    ],
)
def test_a_datum_of_unknown_type_is_not_read_further(item: Any, expected: list[tuple[str, str]]) -> None:
    errors = _errors(item | {"time": 5})
    assert [(error.pointer, error.code) for error in errors] == expected
    assert {error.meta is None for error in errors} == {True}


def test_a_name_in_a_pointer_is_escaped() -> None:
    settings = {"type": "pumpSettings", "time": _TIME, "activeSchedule": "a", "carbRatios": {"a/b~c": None}}
    assert _found(settings) == [("/0/carbRatios/a~1b~0c", "value-not-exists")]


def test_lengths_count_code_points() -> None:
    assert len(_checked(_CBG | {"tags": ["🩸" * 100]})) == 1
    assert _found(_CBG | {"tags": ["🩸" * 101]}) == [("/0/tags/0", "length-out-of-range")]


@pytest.mark.parametrize(
    ("starts", "faults"),
    [
        ([], []),
        ([0], []),
        ([0, 1, 86_400_000], []),
        ([1], ["value 1 is not equal to 0"]),
        ([0, 0], ["value 0 is not between 1 and 86400000"]),
        ([0, 10, 5, 5], ["value 5 is not between 11 and 86400000", "value 5 is not between 6 and 86400000"]),
        ([-1, 0], ["value -1 is not equal to 0", "value 0 is not between 1 and 86400000"]),
        ([21_600_000, 0], ["value 21600000 is not equal to 0", "value 0 is not between 1 and 86400000"]),
        ([21_600_000, 3_600_000], ["value 21600000 is not equal to 0"]),
        ([0, 10, None, 5], ["value does not exist", "value 5 is not between 11 and 86400000"]),
    ],
)
def test_a_schedule_starts_at_midnight_and_ascends(starts: list[int | None], faults: list[str]) -> None:
    schedule = [{"rate": 1, "start": start} for start in starts]
    settings = {"type": "pumpSettings", "time": _TIME, "activeSchedule": "a", "basalSchedule": schedule}
    if faults:
        assert [error.detail for error in _errors(settings)] == faults
    else:
        assert _checked(settings)[0].body["basalSchedule"] == schedule


def test_nesting_too_deep_is_refused_at_its_outermost_object() -> None:
    payload: dict[str, Any] = {}
    food: dict[str, Any] = {"type": "food", "time": _TIME}
    ingredient: dict[str, Any] = {"name": "flour"}
    for _ in range(500):
        payload = {"k": payload}
        ingredient = {"ingredients": [ingredient]}
    assert _found(_CBG | {"payload": payload}) == [("/0/payload", "value-not-valid")]
    assert _found(food | {"ingredients": [ingredient]}) == [("/0/ingredients/0/ingredients/0", "value-not-valid")]


def test_nesting_within_the_limit_is_stored() -> None:
    ingredient: dict[str, Any] = {"name": "flour"}
    for _ in range(49):
        ingredient = {"ingredients": [ingredient]}
    food = {"type": "food", "time": _TIME, "ingredients": [ingredient]}
    assert _checked(food)[0].body["ingredients"] == [ingredient]
    assert [code for _, code in _found(food | {"code": ""})] == ["value-empty"]


_TEXTS = st.sampled_from(["", "x", "/~", "cbg", "bolus", "status", "normal", "mg/dL", _TIME, "2023-02-30T00:00:00Z"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS
)
_NAMES = st.sampled_from(
    [
        *("type", "subType", "deliveryType", "time", "units", "value", "normal", "duration", "rate", "bolus"),
        *("suppressed", "payload", "origin", "tags", "notes", "annotations", "bgTarget", "battery", "location"),
    ]
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS | _NAMES, inner, max_size=3),
    max_leaves=5,
)


@given(
    base=st.sampled_from([_CBG, _BOLUS, _WIZARD, {"type": "basal", "deliveryType": "temp", "time": _TIME}]),
    changes=st.dictionaries(_NAMES, _JSON, max_size=4),
)
def test_any_json_is_stored_or_refused(base: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        stored = [datum.body["type"] for datum in _checked(base | changes)][:1]
        faulty = []
    except InvalidFieldsError as error:
        stored, faulty = [], [fault.pointer for fault in error.errors]
    assert stored == [(base | changes)["type"]] or faulty
    assert all(str(pointer).startswith("/0") for pointer in faulty)
