"""Every use case while calls of the engine fail: a part by fixed seeds, and proofs that what goes wrong is found.

`make faults` runs all of it (docs/reliability.md).
"""

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest

from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.session import sign_out
from chalicelib.api.routes import sessions
from chalicelib.errors import UnavailableError
from tests.faults.preparation import ANNA, CARA, prepare, session
from tests.faults.scene import SERVER, Scene, scene
from tests.faults.seam import FaultKind
from tests.faults.trials import Trials, random_history, seeded
from tests.faults.use_cases import JOBS, REQUESTS, USE_CASES, Ask

FAULTS_OF_A_USE_CASE = 1
HISTORIES = 10
ON_MOTO = ("add data", "refresh tokens", "post entries", "delete a data source")


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    """Trials on SQLite."""
    with scene() as stage:
        prepare(stage)
        yield Trials(stage, stage.save())


@pytest.fixture(scope="module")
def stage() -> Iterator[Scene]:
    """A prepared stage on SQLite."""
    with scene() as stage:
        prepare(stage)
        yield stage


def some_faults(trials: Trials, name: str, chance: random.Random) -> None:
    """Run a use case with some faults at some of its calls."""
    calls = trials.expected((name,)).calls
    points = [(index, kind) for index, call in enumerate(calls) for kind in trials.kinds(call)]
    for index, kind in chance.sample(points, FAULTS_OF_A_USE_CASE):
        trials.with_fault(name, index, kind)


def test_what_was_answered_is_there_once_whatever_a_call_meets(trials: Trials) -> None:
    for name in USE_CASES:
        some_faults(trials, name, seeded(name))
    assert trials.failures == []


def test_histories_with_several_faults_in_a_row_end_as_without_faults(trials: Trials) -> None:
    met = 0
    for seed in range(HISTORIES):
        chance = seeded(seed)
        trials.with_faults(random_history(chance), chance)
        met += trials.met.total()
    assert trials.failures == []
    assert met > 2 * HISTORIES


def test_what_was_answered_is_there_once_on_dynamodb() -> None:
    with scene("dynamodb") as stage:
        prepare(stage)
        trials = Trials(stage, stage.save())
        for name in USE_CASES:
            some_faults(trials, name, seeded(name))
        assert trials.failures == []


def test_some_use_cases_with_one_fault_end_as_without_faults_on_moto() -> None:
    with scene("dynamodb", "moto") as stage:
        prepare(stage)
        trials = Trials(stage, stage.save())
        for name in ON_MOTO:
            some_faults(trials, name, seeded(name))
        assert trials.failures == []


def test_all_use_cases_succeed_without_faults(trials: Trials) -> None:
    """But for those that are there to be refused."""
    refused = {"add data with a fault": 400, "sign in with a wrong password": 401}
    for name in USE_CASES:
        statuses = [answer.status for answer in trials.expected((name,)).answers]
        assert all(status < 400 for status in statuses) or statuses == [refused[name]], (name, statuses)
        assert trials.expected((name,)).calls, name
    assert REQUESTS.keys().isdisjoint(JOBS)


class TestWhatIsFound:
    """Defects that are planted."""

    def test_an_answer_without_its_effect(self, stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        def sign_out_perhaps(token: str, ports: AccountPorts) -> None:
            with suppress(UnavailableError):
                sign_out(token, ports)

        trials = Trials(stage, stage.save())
        assert trials.expected(("sign out",)).calls
        monkeypatch.setattr(sessions, "sign_out", sign_out_perhaps)
        assert not trials.with_fault("sign out", 0, FaultKind.THROTTLED)

    def test_something_that_is_there_twice(self, stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        body = {"providerType": "oauth", "providerName": "dexcom"}
        without_key = Ask("POST", f"/v1/users/{ANNA}/data_sources", body, SERVER)
        monkeypatch.setitem(USE_CASES, "create a data source", without_key)
        trials = Trials(stage, stage.save())
        last = len(trials.expected(("create a data source",)).calls) - 1
        assert not trials.with_fault("create a data source", last, FaultKind.TIMED_OUT_AFTER)

    def test_a_change_of_another_user(self, stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        def write_twice(scene: Scene) -> None:
            REQUESTS["write a profile"](scene)
            if scene.answers[-1].repeats:
                scene.ask("PUT", f"/metadata/{CARA}/profile", {"fullName": "B"}, **session(CARA))
                scene.answers.pop()

        monkeypatch.setitem(USE_CASES, "write a profile", write_twice)
        trials = Trials(stage, stage.save())
        trials.expected(("write a profile",))
        assert not trials.with_fault("write a profile", 0, FaultKind.THROTTLED)
        assert trials.failures[0].reason == "something of another user changed"

    def test_an_error_that_nobody_expected(self, stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_token: str, _ports: AccountPorts) -> None:
            raise RuntimeError

        trials = Trials(stage, stage.save())
        trials.expected(("sign out",))
        monkeypatch.setattr(sessions, "sign_out", fail)
        assert not trials.with_fault("sign out", 0, FaultKind.LATE)
        assert "500" in trials.failures[0].reason
