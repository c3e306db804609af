"""Tests that a run ends with all that was found, whatever happens to its clients, its server, or its terminal."""

import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tools.project import ToolError
from tools.soak import run as run_module
from tools.soak.calls import Calls
from tools.soak.ledger import LOST, UNEXPECTED, Finding
from tools.soak.memory import Sample
from tools.soak.run import Plan, Soak
from tools.soak.server_work import CountedLosses
from tools.soak.targets import Target

LONG_S = 600.0


class StandIn(Target):
    """A server that does nothing, with restarts."""

    name, base_url, server_secret, restart_name = "home", "http://127.0.0.1:1", None, "a restart"

    def __init__(self) -> None:
        self.restarts = 0
        self.examined = False

    def restart(self) -> None:
        self.restarts += 1

    @property
    def process_id(self) -> int | None:
        return None

    def examine(self) -> list[str]:
        self.examined = True
        return []


class StandInPerson:
    """A person whose steps are a function of the test, and of whom one record is lost."""

    step_of: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, _base_url: str, _secret: str | None, calls: Calls, name: str) -> None:
        self.name, self.steps, self._calls = name, 0, calls

    def step(self) -> None:
        self.steps += 1
        self._calls.add("step", 1.0)
        type(self).step_of()
        time.sleep(0.001)

    def take_findings(self) -> list[Finding]:
        return []

    def verify_to_the_last(self, _restarts_s: list[float], _losses: CountedLosses) -> None:
        raise KeyError("a record")

    def sizes(self) -> dict[str, int]:
        return {"records": 1}

    def close(self) -> None:
        pass


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> type[StandInPerson]:
    """The class of the people of a run, for steps of one's own."""

    class ThePerson(StandInPerson):
        pass

    monkeypatch.setattr(run_module, "Person", ThePerson)
    monkeypatch.setattr(run_module, "TICK_S", 0.001)
    return ThePerson


def ended(plan: Plan, target: Target | None = None) -> Soak:
    """A run that has ended."""
    run = Soak(target or StandIn(), plan, say=lambda _: None)
    run.run()
    return run


def details(run: Soak) -> set[str]:
    """The findings without those who found them."""
    assert {finding.kind for finding in run.findings.all()} <= {UNEXPECTED, LOST}
    return {finding.detail for finding in run.findings.all()}


def test_an_error_of_a_client_is_found_and_the_client_goes_on(person: type[StandInPerson]) -> None:
    failures = iter([ValueError("no JSON")])

    def fail_once() -> None:
        for error in failures:
            raise error

    person.step_of = staticmethod(fail_once)
    run = ended(Plan(0.01, 1, "a seed", min_requests=3))
    assert "ValueError: no JSON" in details(run)
    assert run.calls.total() >= 3


def test_an_error_of_a_comparison_is_found(person: type[StandInPerson]) -> None:
    target = StandIn()
    assert details(ended(Plan(0.01, 2, "a seed", min_requests=2), target)) == {"KeyError: 'a record'"}
    assert target.examined


def test_a_run_ends_when_all_clients_have_failed_too_often(
    monkeypatch: pytest.MonkeyPatch, person: type[StandInPerson]
) -> None:
    monkeypatch.setattr(run_module, "MAX_FAILURES", 3)

    def fail() -> None:
        raise KeyError("a key")

    person.step_of = staticmethod(fail)
    run = ended(Plan(LONG_S, 2, "a seed"))
    assert "KeyError: 'a key'" in details(run)
    assert run.calls.total() == 6


def test_a_server_that_does_not_start_again_ends_the_run_with_a_finding(person: type[StandInPerson]) -> None:
    class Ending(StandIn):
        def restart(self) -> None:
            raise ToolError("the port is in use")

    run = ended(Plan(LONG_S / 600, 1, "a seed", min_requests=10**9), Ending())
    assert details(run) == {"the port is in use"}
    assert run.restart_error is not None


@pytest.mark.parametrize("number", run_module.STOPPED_BY)
def test_a_signal_ends_the_traffic_and_everything_is_compared(
    capsys: pytest.CaptureFixture[str], person: type[StandInPerson], number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    signals = iter([number])

    def send() -> None:
        for number in signals:
            os.kill(os.getpid(), number)

    person.step_of = staticmethod(send)
    target = StandIn()
    run = ended(Plan(LONG_S, 1, "a seed"), target)
    assert run.was_interrupted
    assert run.ended_s - run.began_s < LONG_S / 2
    assert details(run) == {"KeyError: 'a record'"}
    assert target.examined
    assert "everything is compared first, unless Ctrl-C comes again" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_a_second_signal_ends_the_run(monkeypatch: pytest.MonkeyPatch, person: type[StandInPerson]) -> None:
    class Slow(StandIn):
        def restart(self) -> None:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        ended(Plan(0.5, 1, "a seed", min_requests=10**9), Slow())


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (Plan(0, 8, "s"), "needs some time"),
        (Plan(-1, 8, "s"), "needs some time"),
        (Plan(float("nan"), 8, "s"), "needs some time"),
        (Plan(float("inf"), 8, "s"), "needs some time"),
        (Plan(60, 0, "s"), "needs a client"),
    ],
)
def test_a_plan_without_time_or_clients_is_refused(plan: Plan, problem: str) -> None:
    with pytest.raises(ToolError, match=problem):
        plan.require_possible()


def test_memory_that_has_grown_is_compared_with_that_after_a_start(
    monkeypatch: pytest.MonkeyPatch, person: type[StandInPerson]
) -> None:
    monkeypatch.setattr(run_module, "START_SAMPLED_EVERY_S", 0.0)
    flat = SimpleNamespace(is_flat=True, life_s=600.0)
    growing = SimpleNamespace(is_flat=False, life_s=600.0)
    starting = SimpleNamespace(is_flat=False, life_s=60.0)

    class Running(StandIn):
        process_id = 7

    def compared(*figures: Any) -> tuple[bool, int]:
        target = Running()
        monkeypatch.setattr(run_module, "memory_figures", lambda _: list(figures))
        monkeypatch.setattr(run_module, "samples_of", lambda _: [Sample("server", 7, 0, 1), Sample("child", 8, 0, 1)])
        run = Soak(target, Plan(0.01, 1, "a seed"), say=lambda _: None)
        run._restart_times_s = list  # type: ignore[method-assign]
        run.run()
        assert {s.label for s in (*run.memory_before_start, *run.memory_after_start)} <= {"server"}
        return bool(run.memory_before_start and run.memory_after_start), target.restarts

    assert compared(flat, starting) == (False, 0)
    assert compared(flat, growing) == (True, 1)
