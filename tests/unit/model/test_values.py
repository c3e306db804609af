"""Single values: glucose, numbers and strings in errors, URLs, sizes, pointers, text formats."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from chalicelib.model import text_formats
from chalicelib.model.compiled.fast_checks import free_form
from chalicelib.model.datum import FastPathMiss
from chalicelib.model.free_form import MAX_DEPTH, is_too_deep, size_bytes
from chalicelib.model.glucose import to_mmol_l
from chalicelib.model.glucose_target import target_faults
from chalicelib.model.json_values import member
from chalicelib.model.rendering import render, render_list
from chalicelib.model.urls import is_absolute_url


@pytest.mark.parametrize(
    ("value_mg_dl", "value_mmol_l"),
    [
        (32, 1.77624),
        (39, 2.16479),
        (40, 2.2203),
        (55, 3.05291),
        (70, 3.88552),
        (100, 5.55075),
        (-2.2, -0.12212),
        (-3, -0.16652),
        (119, 6.60539),
        (120, 6.6609),
        (140, 7.77105),
        (180, 9.99135),
        (250, 13.87687),
        (400, 22.20299),
        (600, 33.30449),
        (1000, 55.50748),
        (0, 0.0),
    ],
)
def test_glucose_is_rounded_to_five_decimals(value_mg_dl: float, value_mmol_l: float) -> None:
    assert to_mmol_l(value_mg_dl) == value_mmol_l


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (120, "120"),
        (120.0, "120"),
        (0.0, "0"),
        (-0.0, "-0"),
        (-1e-05, "-0.00001"),
        (1000.1, "1000.1"),
        (7.699999999999999, "7.699999999999999"),
        (1e15, "1000000000000000"),
        (1e300, "1" + "0" * 300),
        (1.5e-7, "0.00000015"),
        (12345678901234567890.0, "12345678901234567000"),
        ('a "quoted" \\ text', r'"a \"quoted\" \\ text"'),
        ("tab\tline\n\a\v", r'"tab\tline\n\a\v"'),
        ("\x00\x7f\u200b\U000e0001", r'"\x00\x7f\u200b\U000e0001"'),
        ("éclair 糖 🩸", '"éclair 糖 🩸"'),
    ],
)
def test_a_value_in_an_error_is_plain(value: str | float, text: str) -> None:
    assert render(value) == text


def test_a_list_in_an_error_is_in_brackets() -> None:
    assert render_list(["a", 2, 0.5]) == '["a", 2, 0.5]'


@pytest.mark.parametrize(
    ("text", "is_url"),
    [
        ("http://example.test/a", True),
        ("https://user:pass@example.test:8080/a?b=c#d", True),
        ("ftp://example.test", True),
        ("http://example.test:99999/", True),
        ("http://[::1]:80/", True),
        ("http://[fe80::1%25en0]/", True),
        ("http://example.test/#\x07", True),
        ("http://exämple.test/", True),
        ("http://example.test/?q=%zz", True),
        ("", False),
        ("http://", False),
        ("http:///path", False),
        ("example.test/a", False),
        ("/relative", False),
        ("//example.test/a", False),
        ("mailto:a@b.test", False),
        ("urn:isbn:1", False),
        ("1http://example.test", False),
        ("http://exa mple.test/", False),
        ("http://example.test/%zz", False),
        ("http://example.test/#%z", False),
        ("http://example.test:port/", False),
        ("http://us er@example.test/", False),
        ("http://[::1/", False),
        ("http://[::1]x/", False),
        ("http://[example.test]/", False),
        ("http://[127.0.0.1]/", False),
        ("http://[]/", False),
        ("http://[fe80::1%25]/", False),
        ("http://[fe80::1%25a b]/", False),
        ("http://[fe80::1%en0]/", False),
        ("http://a[::1]/", False),
        ("http://example.test/\x7f", False),
    ],
)
def test_the_url_of_an_association_is_absolute(text: str, *, is_url: bool) -> None:
    assert is_absolute_url(text) is is_url


@pytest.mark.parametrize(
    ("value", "bytes_of_reference"),
    [
        ({}, len("{}")),
        ({"k": "x"}, len('{"k":"x"}')),
        ({"k": "<>&"}, len(r'{"k":"\u003c\u003e\u0026"}')),
        ({"k": "\u2028é"}, len(r'{"k":"\u2028é"}'.encode())),
        ({"a": [1, 2.5, "x", None, True], "b": {}}, len('{"a":[1,2.5,"x",null,true],"b":{}}')),
        ({"k": [1.0, 1e20, 1e21, 1e-7, 1.5e-10]}, len('{"k":[1,100000000000000000000,1e+21,1e-7,1.5e-10]}')),
        ({"k": 12345678901234567890}, len('{"k":12345678901234567000}')),
        ([], len("[]")),
    ],
)
def test_the_size_of_a_free_form_object_is_that_of_the_reference(value: Any, bytes_of_reference: int) -> None:
    assert size_bytes(value) == bytes_of_reference


def test_the_size_limit_counts_escaped_bytes() -> None:
    largest = {"k": "x" * (4096 - len('{"k":""}'))}
    assert free_form(largest, 4096) == largest
    for too_large in ({"k": f"{largest['k']}x"}, {"k": "<" * 700}):
        with pytest.raises(FastPathMiss):
            free_form(too_large, 4096)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_is_limited() -> None:
    assert not is_too_deep({"k": _nested(MAX_DEPTH - 1)})
    assert is_too_deep({"k": _nested(MAX_DEPTH)})
    assert not is_too_deep("text")
    assert not is_too_deep({"k": [1] * 10_000})


def test_a_pointer_escapes_names() -> None:
    assert member(member("/0", "a/b~c"), 3) == "/0/a~1b~0c/3"
    assert member("", "") == "/"


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("UTC", True),
        ("US/Pacific", True),
        ("Etc/GMT+8", True),
        ("America/Argentina/Buenos_Aires", True),
        ("america/los_angeles", False),
        ("UTC+2", False),
        ("Local", False),
        ("posix/UTC", False),
        (" UTC", False),
    ],
)
def test_a_time_zone_is_in_the_database(name: str, *, is_known: bool) -> None:
    assert text_formats.TIME_ZONE.accepts(name) is is_known


@pytest.mark.parametrize(
    ("values", "units", "faults"),
    [
        ({"target": 100, "range": 20}, "mg/dL", []),
        ({"target": 100, "high": 120}, "mg/dl", []),
        ({"target": 5.5}, "mmol/L", []),
        ({"low": 4, "high": 8}, "mmol/l", []),
        ({"target": 5000, "range": 9000}, None, []),
        ({"target": 1000.1, "range": 20}, "mg/dL", [("target", "value 1000.1 is not between 0 and 1000")]),
        ({"target": 990, "range": 20}, "mg/dL", [("range", "value 20 is not between 0 and 10")]),
        ({"target": 100, "high": 99}, "mg/dL", [("high", "value 99 is not between 100 and 1000")]),
        ({"low": 8, "high": 4}, "mmol/L", [("high", "value 4 is not between 8 and 55")]),
        ({"low": 8}, "mmol/L", [("high", "value does not exist")]),
        ({"range": 8}, "mmol/L", [("target", "value does not exist")]),
        ({}, None, [("target", "value does not exist")]),
        (
            {"target": 100, "range": 20, "low": 1, "high": 2},
            "mg/dL",
            [("high", "value exists"), ("low", "value exists")],
        ),
        ({"low": 80, "high": 120, "range": 1}, "mg/dL", [("range", "value exists")]),
    ],
)
def test_a_glucose_target_has_one_shape(
    values: dict[str, float], units: str | None, faults: list[tuple[str, str]]
) -> None:
    assert [(part, fault.detail) for fault, part in target_faults(values, units)] == faults


def test_importing_the_model_builds_no_table() -> None:
    """The table of a type is built when the first datum of the type comes."""
    code = "import sys, chalicelib.model.data; print(*(name for name in sys.modules if 'model.tables.' in name))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["chalicelib.model.tables.registry"]
