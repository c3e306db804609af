"""The costs of Nightscout apps: what they repeat, times of today, prices, and the table in the documentation."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.costs.nightscout_apps import APPS, App, Cost, RepeatedRequest, as_rows, at, request_of, usd_of
from bench.costs.prices import read_prices
from bench.costs.stage import read_stage
from bench.costs.usage import Work
from tools.project import ROOT

DOCUMENT = Path(ROOT) / "docs" / "apps.md"
DOLLARS_A_REQUEST = (3.7e-6, 30e-6)
"""Least and largest price: of gateway and Lambda for a request alone, and far more than any request costs."""


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.sample)
def test_each_request_is_a_step_of_the_sample(app: App) -> None:
    assert [request_of(app.sample, repeated.step)["step"] for repeated in app.requests] == [
        repeated.step for repeated in app.requests
    ]


def test_the_requests_of_a_day_are_those_of_all_steps() -> None:
    assert App("a", "", "a", [RepeatedRequest("x", 288), RepeatedRequest("y", 4)]).requests_a_day == 292


def test_times_are_as_long_ago_as_in_the_sample() -> None:
    text = (
        '{"a": "2024-03-01T12:00:54.500Z", "b": "2024-02-29", "c": 1709294454000, "d": "2024-03-01T11:00:54.109+0000"}'
    )
    assert at(datetime(2026, 5, 2, 6, 0, 54, tzinfo=UTC), text) == {
        "a": "2026-05-02T06:00:54.500Z",
        "b": "2026-04-30",
        "c": int(datetime(2026, 5, 2, 6, 0, 54, tzinfo=UTC).timestamp() * 1000),
        "d": "2026-05-02T05:00:54.109Z",
    }


def test_a_request_costs_at_least_what_the_gateway_and_lambda_take() -> None:
    stage, prices = read_stage(), read_prices()
    alone = usd_of(Work(requests=1e6), stage, prices)
    assert alone > 3.70
    reads = usd_of(Work(requests=1e6, read_units=1e6), stage, prices)
    assert reads - alone == pytest.approx(prices["dynamodb_read_request_unit"].of(1e6))


def test_the_documentation_shows_what_the_tool_prints() -> None:
    shown = re.findall(r"^\| (.+) \| (.+) \| ([\d,]+) \| ([\d.]+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert [row[:3] for row in shown] == [(app.name, app.habit, f"{app.requests_a_day:,}") for app in APPS]
    for app, (*_, usd) in zip(APPS, shown, strict=True):
        least, most = (price * app.requests_a_day * 365 for price in DOLLARS_A_REQUEST)
        assert least < float(usd) < most
    assert as_rows([Cost(APPS[0], 1)]) == f"| LoopFollow | {APPS[0].habit} | {APPS[0].requests_a_day:,} | 1.00 |"
