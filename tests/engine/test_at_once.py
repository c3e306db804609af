"""Tests of calls that wait at the same time, on both engines."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

import pytest

from chalicelib.engine.engine import Engine

WAIT_S = 10.0
name: ContextVar[str] = ContextVar("name", default="")


def test_each_call_has_its_result(engine: Engine) -> None:
    with engine.at_once() as start:
        results = [start(partial(pow, number, 2)) for number in range(20)]
    assert [result() for result in results] == [number * number for number in range(20)]


def test_a_result_is_there_within_the_block(engine: Engine) -> None:
    with engine.at_once() as start:
        first = start(lambda: 1)
        second = start(lambda: 2)
        assert (second(), first()) == (2, 1)


def test_a_call_has_the_context_of_the_block(engine: Engine) -> None:
    token = name.set("anna")
    with engine.at_once() as start:
        assert start(name.get)() == "anna"
    name.reset(token)


def test_the_error_of_a_call_is_raised(engine: Engine) -> None:
    def fail() -> int:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"), engine.at_once() as start:
        start(fail)()


def test_all_calls_have_ended_when_the_block_has(engine: Engine) -> None:
    ended: list[str] = []

    def end_late() -> None:
        threading.Event().wait(0.05)
        ended.append("late")

    def stop(start: Callable[[Callable[[], None]], object]) -> None:
        start(end_late)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"), engine.at_once() as start:
        stop(start)
    assert ended == ["late"]


def test_calls_of_aws_wait_at_the_same_time(moto_engine: Engine) -> None:
    all_wait = threading.Barrier(3, timeout=WAIT_S)
    with moto_engine.at_once() as start:
        results = [start(all_wait.wait) for _ in range(2)]
        all_wait.wait()
    assert len({result() for result in results}) == 2
