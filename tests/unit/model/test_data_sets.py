"""Checking the bodies of data sets, their deduplicators, and the queries for lists of them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import FieldError, InvalidFieldsError, MalformedJsonError
from chalicelib.model import deduplicators
from chalicelib.model.checks.bodies import check_data_set, check_data_set_update
from chalicelib.model.query import PAGING, BooleanField, QueryField, TextField, check_query


def _creation_errors(body: object) -> list[tuple[str | None, str]]:
    with pytest.raises(InvalidFieldsError) as caught:
        check_data_set(body)
    return [(error.pointer, error.code) for error in caught.value.errors]


def test_every_field_is_optional_and_null_is_an_empty_body() -> None:
    assert check_data_set({}) == {}
    assert check_data_set(None) == {}


@pytest.mark.parametrize("body", [[], "x", 5, True])
def test_a_body_is_an_object(body: object) -> None:
    with pytest.raises(MalformedJsonError):
        check_data_set(body)
    with pytest.raises(InvalidFieldsError) as caught:
        check_data_set_update(lambda: body)
    assert [error.code for error in caught.value.errors] == ["json-malformed"]


def test_fields_are_stored_in_canonical_form() -> None:
    body = {
        "type": "anything",
        "client": {"name": "org.example", "version": "1", "platform": "dropped", "private": {"a": 1, "b": None}},
        "dataSetType": "continuous",
        "deduplicator": {"name": "org.tidepool.continuous.origin", "version": "ignored", "hash": "ignored"},
        "deviceTags": ["insulin-pump", "cgm"],
        "deviceManufacturers": ["Zeta", "Acme"],
        "time": "2024-01-01T02:00:00.120+02:00",
        "timezoneOffset": 60.0,
        "byUser": "somebody",
        "createdTime": "not looked at",
    }
    assert check_data_set(body) == {
        "client": {"name": "org.example", "version": "1", "private": {"a": 1, "b": None}},
        "dataSetType": "continuous",
        "deduplicator": {"name": "org.tidepool.continuous.origin"},
        "deviceTags": ["cgm", "insulin-pump"],
        "deviceManufacturers": ["Acme", "Zeta"],
        "time": "2024-01-01T00:00:00.12Z",
        "timezoneOffset": 60,
    }


def test_unknown_members_are_reported_last_and_sorted() -> None:
    found = _creation_errors({"zoo": 1, "deviceId": 5, "a/b": None})
    assert found == [("/deviceId", "type-not-string"), ("/a~1b", "not-parsed"), ("/zoo", "not-parsed")]


def test_parse_errors_follow_the_order_of_the_fields() -> None:
    body = {"type": 5, "version": 5, "client": {"private": 5, "version": 5, "name": 5}, "annotations": 5}
    assert _creation_errors(body) == [
        ("/annotations", "type-not-array"),
        ("/client/name", "type-not-string"),
        ("/client/version", "type-not-string"),
        ("/client/private", "type-not-object"),
        ("/version", "type-not-string"),
        ("/type", "type-not-string"),
    ]


def test_what_a_client_keeps_for_itself_may_hold_nulls_but_is_not_empty() -> None:
    kept = {"client": {"private": {"a": None}}}
    assert check_data_set(kept) == kept
    assert _creation_errors({"client": {"private": {}}}) == [("/client/private", "value-empty")]


def test_validation_errors_follow_the_order_of_the_fields() -> None:
    body = {
        "type": "upload",
        "version": "1.0",
        "deviceTags": ["cgm", "cgm", "spaceship"],
        "client": {"name": ""},
        "deviceSerialNumber": "",
        "uploadId": "not an id",
    }
    assert _creation_errors(body) == [
        ("/client/name", "value-empty"),
        ("/deviceSerialNumber", "value-empty"),
        ("/deviceTags/2", "value-not-allowed"),
        ("/deviceTags/1", "value-duplicate"),
        ("/uploadId", "value-not-valid"),
        ("/version", "length-out-of-range"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "value-empty"), ("nothing", "value-not-valid"), ("org.example.nothing", "value-not-allowed")],
)
def test_an_unknown_deduplicator_is_refused(name: str, code: str) -> None:
    assert _creation_errors({"deduplicator": {"name": name}}) == [("/deduplicator/name", code)]


def test_the_error_lists_the_names_and_aliases() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        check_data_set({"deduplicator": {"name": "org.example.nothing"}})
    assert all(f'"{name}"' in caught.value.errors[0].detail for name in deduplicators.NAMES)


def test_an_update_accepts_its_fields() -> None:
    body = {
        "deviceId": "D-2",
        "deviceModel": "M2",
        "deviceSerialNumber": "S2",
        "state": "closed",
        "time": "2024-02-01T00:00:00.000Z",
        "timezone": "Europe/Berlin",
        "timezoneOffset": 840,
    }
    assert check_data_set_update(lambda: body) == body | {"time": "2024-02-01T00:00:00Z"}
    assert check_data_set_update(dict) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"state": "ajar", "time": 5}, [("/time", "type-not-time")]),
        ({"state": "ajar"}, [("/state", "value-not-allowed")]),
        ({"dataState": "closed"}, [("/dataState", "not-parsed")]),
        ({"deviceModel": "M"}, [("/deviceModel", "length-out-of-range")]),
        ({"timezoneOffset": 841}, [("/timezoneOffset", "value-out-of-range")]),
        ({"timezoneOffset": -721}, [("/timezoneOffset", "value-out-of-range")]),
        ({"time": "0001-01-01T00:00:00Z"}, [("/time", "value-empty")]),
    ],
)
def test_an_update_refuses_other_fields(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        check_data_set_update(lambda: body)
    assert [(error.pointer, error.code) for error in caught.value.errors] == expected


@pytest.mark.parametrize(
    ("name", "data_set_type", "device_id", "manufacturers", "model", "expected"),
    [
        (deduplicators.DATASET_DROP_HASH, "normal", None, None, None, (deduplicators.DATASET_DROP_HASH, "1.0.0")),
        ("org.tidepool.truncate", None, None, None, None, (deduplicators.DEVICE_TRUNCATE_DATASET, "1.1.0")),
        ("org.tidepool.continuous", "continuous", None, None, None, (deduplicators.NONE, "1.0.0")),
        (None, "continuous", "d", ["Animas"], None, (deduplicators.DATASET_DELETE_ORIGIN, "1.0.0")),
        (None, "normal", "d", ["Medtronic"], "523K", (deduplicators.DEVICE_DEACTIVATE_HASH, "1.1.0")),
        (None, None, "d", ["Animas", "Abbott"], "FreeStyle Libre", (deduplicators.DEVICE_DEACTIVATE_HASH, "1.1.0")),
        (None, None, "d", ["Animas"], "Vibe", (deduplicators.DEVICE_TRUNCATE_DATASET, "1.1.0")),
        (None, None, "d", ["medtronic"], "523K", (deduplicators.NONE, "1.0.0")),
        (None, None, "d", ["Medtronic"], "Verio", (deduplicators.NONE, "1.0.0")),
        (None, None, "d", None, None, (deduplicators.NONE, "1.0.0")),
        (None, None, None, ["Animas"], None, (deduplicators.NONE, "1.0.0")),
    ],
)
def test_the_name_or_the_device_chooses_the_deduplicator(
    name: str | None,
    data_set_type: str | None,
    device_id: str | None,
    manufacturers: list[str] | None,
    model: str | None,
    expected: tuple[str, str],
) -> None:
    assert deduplicators.choose(name, data_set_type, device_id, manufacturers, model) == expected


_FIELDS: dict[str, QueryField] = {
    **PAGING,
    "deleted": BooleanField(),
    "client.name": TextField(),
    "providerName": TextField(max_length=3),
    "state": TextField(allowed=("connected", "error"), is_list=True),
}


def test_a_query_has_defaults() -> None:
    assert check_query({}, _FIELDS) == {"page": 0, "size": 100}


def test_query_parameters_are_parsed_by_type() -> None:
    parameters = {
        "page": ["2"],
        "size": ["1000"],
        "deleted": ["T"],
        "client.name": ["a,b"],
        "state": ["connected,error", "error"],
    }
    assert check_query(parameters, _FIELDS) == {
        "page": 2,
        "size": 1000,
        "deleted": True,
        "client.name": "a,b",
        "state": ("connected", "error", "error"),
    }


@pytest.mark.parametrize(
    ("parameters", "code", "detail"),
    [
        ({"size": ["0"]}, "value-out-of-range", "value 0 is not between 1 and 1000"),
        ({"size": ["1001"]}, "value-out-of-range", "value 1001 is not between 1 and 1000"),
        ({"page": ["-1"]}, "value-out-of-range", "value -1 is not greater than or equal to 0"),
        ({"page": ["abc"]}, "type-not-int", "type is not int, but string"),
        ({"page": ["1.0"]}, "type-not-int", "type is not int, but string"),
        ({"page": [""]}, "type-not-int", "type is not int, but string"),
        ({"page": ["9" * 30]}, "type-not-int", "type is not int, but string"),
        ({"deleted": ["yes"]}, "type-not-bool", "type is not bool, but string"),
        ({"client.name": [""]}, "value-empty", "value is empty"),
        ({"providerName": ["four"]}, "length-out-of-range", "length 4 is not less than or equal to 3"),
        ({"state": ["error", "odd"]}, "value-not-allowed", 'value "odd" is not one of ["connected", "error"]'),
        ({"colour": ["red"]}, "not-parsed", "not parsed"),
        ({"page": ["1", "2"]}, "not-parsed", "not parsed"),
    ],
)
def test_a_fault_of_a_query_names_its_parameter(parameters: dict[str, list[str]], code: str, detail: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        check_query(parameters, _FIELDS)
    (error,) = caught.value.errors
    (name,) = parameters
    assert (error.code, error.detail, error.parameter, error.pointer) == (code, detail, name, None)


def test_parsing_errors_hide_other_errors_of_a_query() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        check_query({"size": ["0"], "page": ["x"], "zoo": [""], "ant": ["1"]}, _FIELDS)
    assert [error.parameter for error in caught.value.errors] == ["page", "ant", "zoo"]
    assert all(isinstance(error, FieldError) for error in caught.value.errors)
