"""Figures: whether they meet their target, and how they are shown."""

import pytest

from bench.figures import Figure, as_json, as_table


@pytest.mark.parametrize(
    ("value", "target", "is_met"), [(3, 3, True), (2.9, 3, True), (3.01, 3, False), (3, None, None)]
)
def test_a_target_is_the_highest_allowed_value(value: float, target: float | None, is_met: bool | None) -> None:
    assert Figure("calls", value, "calls", target).is_met is is_met


def test_the_table_has_a_column_for_each_number() -> None:
    figures = [
        Figure("add", 5.678, "F", target=6, floor_ms=6.5),
        Figure("read 90 days", 12345.6, "ms", p95=20),
        Figure("zip", 11, "MB", target=10),
    ]
    assert as_table(figures).splitlines() == [
        "what           value  p95  unit  target           F, ms",
        "add             5.68       F          6  met        6.5",
        "read 90 days  12,346   20  ms",
        "zip               11       MB        10  not met",
    ]


def test_json_has_the_figures_of_the_table() -> None:
    assert as_json([Figure("add", 5.5, "F", target=6, floor_ms=6.5)]) == [
        {
            "name": "add",
            "value": 5.5,
            "unit": "F",
            "target": 6,
            "floor_ms": 6.5,
            "p95": None,
            "minimum": None,
            "cpu_ms": None,
            "is_met": True,
        }
    ]
