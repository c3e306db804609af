"""Tests that the collector of cyclic garbage is off while Lambda's one request runs, and nowhere else."""

import gc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app import app
from chalicelib.api import application
from chalicelib.observability import logger

pytestmark = pytest.mark.usefixtures("api")

INVOCATION = SimpleNamespace(function_name="a-function", aws_request_id="00000000-0000-0000-0000-000000000000")
EVENT: dict[str, Any] = {"requestContext": {"httpMethod": "GET"}, "path": "/nowhere", "headers": {}}


@pytest.fixture(autouse=True)
def _without_an_invocation() -> Iterator[None]:
    """Leave no name of an invocation to the log of other tests."""
    yield
    logger.remove_keys(["function_name", "function_request_id"])


@pytest.fixture
def was_on(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the collector was on, in each request."""
    seen: list[bool] = []
    reply = application._reply_to_unknown_route

    def observed(*arguments: Any) -> Any:
        seen.append(gc.isenabled())
        return reply(*arguments)

    monkeypatch.setattr(application, "_reply_to_unknown_route", observed)
    return seen


def test_the_collector_is_off_during_a_request_on_lambda(was_on: list[bool]) -> None:
    assert app(dict(EVENT), INVOCATION)["statusCode"] == 404
    assert was_on == [False]
    assert gc.isenabled()


def test_the_collector_is_on_again_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        assert not gc.isenabled()
        raise ZeroDivisionError

    monkeypatch.setattr(application, "_reply_to_unknown_route", fail)
    with pytest.raises(ZeroDivisionError):
        app(dict(EVENT), INVOCATION)
    assert gc.isenabled()


def test_the_collector_stays_on_where_threads_share_the_process(was_on: list[bool]) -> None:
    assert app(dict(EVENT), None)["statusCode"] == 404
    assert was_on == [True]
