"""Runs of tasks as the task API shows them. Source: task-api 2, 8 and 9."""

from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.dispatch import tick
from chalicelib.tasks.task import State, Task, claimed, started
from chalicelib.tasks.types import TaskFailedError, TaskRun, TaskType, registry
from chalicelib.tasks.worker import carry_out
from tests.api.tasks.task_requests import ECHO, NEW, Call
from tests.fakes.services import FakeServices
from tests.fakes.tasks import run_due, take_runs, wake_ups


def test_an_update_during_a_run_is_not_lost(call: Call, fakes: FakeServices) -> None:
    task_id = call("POST", body=NEW | {"data": {"message": "first"}}).json()["id"]
    changes = {"priority": 9, "data": {"message": "second"}, "availableTime": "2099-01-01T00:00:00Z"}

    def function(run: TaskRun, _services: Any) -> None:
        assert call("PUT", f"/{task_id}", changes).json()["state"] == "running"
        run.data["echo"] = "first"

    types = registry([TaskType(ECHO, function, typical_s=60)])
    tick(types, fakes.services.tasks)
    [message] = take_runs(fakes.engine)
    carry_out(message, types, fakes.services, fakes.services.tasks)
    task = call("GET", f"/{task_id}").json()
    assert task["state"] == "completed"
    assert {name: task[name] for name in changes} == changes


def test_a_task_shows_its_state_from_creation_to_completion(call: Call, fakes: FakeServices) -> None:
    created = call("POST", body=NEW | {"data": {"message": "hello"}, "availableTime": "2026-01-01T00:00:01Z"}).json()
    path = f"/{created['id']}"
    run_due(fakes.services, fakes.engine)
    assert call("GET", path).json() == created
    fakes.now_ms += 2000
    tick(TASK_TYPES, fakes.services.tasks)
    del created["availableTime"]
    running = created | {
        "state": "running",
        "runTime": "2026-01-01T00:00:02Z",
        "deadlineTime": "2026-01-01T00:01:02Z",
        "modifiedTime": "2026-01-01T00:00:02Z",
    }
    assert call("GET", path).json() == running
    fakes.now_ms += 250
    run_due(fakes.services, fakes.engine)
    del running["deadlineTime"]
    assert call("GET", path).json() == running | {
        "state": "completed",
        "data": {"message": "hello", "echo": "hello"},
        "duration": 0.25,
        "modifiedTime": "2026-01-01T00:00:02.25Z",
    }


def test_a_failed_task_shows_its_error_as_an_object(call: Call, fakes: FakeServices) -> None:
    task_id = call("POST", body=NEW | {"data": {"fail": "because"}}).json()["id"]
    run_due(fakes.services, fakes.engine)
    task = call("GET", f"/{task_id}").json()
    assert (task["state"], task["error"]) == ("failed", {"code": "told-to-fail", "detail": "because"})


def test_several_errors_are_an_array(call: Call, fakes: FakeServices) -> None:
    errors = (TaskFailedError("one").error, TaskFailedError("two").error)
    fakes.tasks.add(Task("t", ECHO, fakes.now_ms, state=State.FAILED, errors=errors))
    assert call("GET", "/t").json()["error"] == [{"detail": "one"}, {"detail": "two"}]


def test_a_task_that_may_run_soon_wakes_a_worker(call: Call, fakes: FakeServices) -> None:
    call("POST", body=NEW)
    assert wake_ups(fakes.engine) == [ECHO]
    for fields in (
        {"type": "unknown"},
        {"availableTime": "2099-01-01T00:00:00Z"},
        {"expirationTime": "2026-01-01T00:00:00Z"},
    ):
        assert call("POST", body=NEW | fields).status == 201
    assert wake_ups(fakes.engine) == [ECHO]


def test_a_task_is_created_even_if_no_worker_can_be_woken(
    call: Call, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_: str) -> None:
        raise UnavailableError

    monkeypatch.setattr(fakes.task_queue, "wake", unavailable)
    created = call("POST", body=NEW)
    assert created.status == 201
    assert call("GET", f"/{created.json()['id']}").status == 200


def test_a_running_task_can_be_deleted(call: Call, fakes: FakeServices) -> None:
    task = started(claimed(Task("t", ECHO, fakes.now_ms), fakes.now_ms, fakes.now_ms + 1))
    fakes.tasks.add(task)
    assert call("DELETE", "/t").status == 200
    assert call("GET", "/t").status == 404
