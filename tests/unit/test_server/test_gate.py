"""Tests that a closed gate waits for those inside, and lets nobody in."""

from threading import Event, Thread

import pytest

from strandline.test_server.gate import BusyError, Gate


def test_many_pass_at_a_time() -> None:
    gate = Gate()
    with gate.passing(), gate.passing():
        gate.enter()
    gate.leave()
    with gate.closed(0):
        pass


def test_closing_waits_for_those_inside() -> None:
    gate, is_closed = Gate(), Event()

    def close() -> None:
        with gate.closed(60):
            is_closed.set()

    gate.enter()
    closing = Thread(target=close)
    closing.start()
    assert not is_closed.wait(0.05)
    gate.leave()
    closing.join()
    assert is_closed.is_set()


def test_nobody_passes_a_closed_gate_until_it_opens() -> None:
    gate, has_passed = Gate(), Event()

    def enter() -> None:
        with gate.passing():
            has_passed.set()

    with gate.closed(0):
        entering = Thread(target=enter)
        entering.start()
        assert not has_passed.wait(0.05)
    entering.join()
    assert has_passed.is_set()


def test_closing_gives_up_in_time_and_leaves_the_gate_open() -> None:
    gate = Gate()
    with gate.passing():
        with pytest.raises(BusyError), gate.closed(0.01):
            pass
        with gate.passing():
            pass


def test_only_one_closes_at_a_time() -> None:
    gate = Gate()
    with gate.closed(0), pytest.raises(BusyError), gate.closed(0.01):
        pass
