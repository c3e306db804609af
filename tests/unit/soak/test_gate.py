"""Tests that clients wait while the server restarts, and that only a restart explains a broken connection."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.soak import gate
from tools.soak.gate import Gate


def test_a_step_waits_until_the_gate_is_open() -> None:
    closed = Gate()
    closed.close(waits=False)

    def enter() -> int:
        with closed.step() as generation:
            return generation

    with ThreadPoolExecutor(1) as threads:
        entered = threads.submit(enter)
        assert not entered.done()
        closed.open()
        assert entered.result(timeout=20) == 1


def test_closing_waits_for_the_steps_that_are_under_way() -> None:
    opened = Gate()
    with ThreadPoolExecutor(1) as threads:
        with opened.step():
            closing = threads.submit(opened.close, waits=True)
            assert not closing.done()
        closing.result(timeout=20)


def test_a_connection_that_breaks_while_the_server_runs_is_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LOST_WITHIN_S", 0.0)
    opened = Gate()
    assert not opened.explains(opened.generation)
    opened.close(waits=False)
    assert opened.explains(opened.generation)
    opened.open()
    assert opened.explains(opened.generation - 1)
    assert not opened.explains(opened.generation)
