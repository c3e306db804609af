"""Tests that the comparison with recorded exchanges finds differences."""

from typing import Any

import pytest

from tests.golden.http_exchanges import Masks

A, B = "a" * 32, "b" * 32


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"id": "<ID:1>", "link": "<ID:1>", "other": "<ID:2>"}, {"id": A, "link": A, "other": B}),
        ({"at": "<NOW>"}, {"at": "1970-01-01T00:00:01.25Z"}),
        ({"id": "<UUID>"}, {"id": "0f0e0d0c-0b0a-0908-0706-050403020100"}),
        ({"detail": "<TEXT>"}, {"detail": "why"}),
        ({"detail": 'data set "<DATASET>" is closed'}, {"detail": 'data set "d" is closed'}),
        ([1, 2.0, None, True], [1.0, 2, None, True]),
    ],
)
def test_an_answer_as_recorded_has_no_difference(wanted: Any, got: Any) -> None:
    assert Masks({"<DATASET>": "d"}, [1_250]).differences(wanted, got) == []


@pytest.mark.parametrize(
    ("wanted", "got", "difference"),
    [
        ({"id": "<ID:1>", "link": "<ID:1>"}, {"id": A, "link": B}, f"/link is {B!r}, which is not <ID:1>"),
        ({"id": "<ID:1>", "other": "<ID:2>"}, {"id": A, "other": A}, f"/other is {A!r}, which is not <ID:2>"),
        ({"id": "<ID:1>"}, {"id": "x"}, "/id is 'x', which is not <ID:1>"),
        ({"id": "<ID:1>"}, {"id": 5}, "/id is 5, not '<ID:1>'"),
        ({"at": "<NOW>"}, {"at": "1970-01-01T00:00:01Z"}, "/at is '1970-01-01T00:00:01Z', which is not <NOW>"),
        ({"detail": "<TEXT>"}, {"detail": ""}, "/detail is '', which is not <TEXT>"),
        ({"a": 1}, {}, "/a is missing"),
        ({}, {"a": 1}, "/a is there: 1"),
        ([1], [1, 2], " has 2 elements, not 1: [1, 2]"),
        ({"a": 1}, {"a": True}, "/a is True, not 1"),
        ({"a": []}, {"a": {}}, "/a is {}, not []"),
    ],
)
def test_each_difference_is_found(wanted: Any, got: Any, difference: str) -> None:
    assert Masks(times_ms=[1_250]).differences(wanted, got) == [difference]
