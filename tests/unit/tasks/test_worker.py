"""The worker on in-memory services: what becomes of a message and of its task. Source: task-api 8 and 9."""

import json

import pytest

from chalicelib.engine.definitions import TASKS
from chalicelib.errors import UnavailableError
from chalicelib.jobs import TASK_TYPES, JobServices
from chalicelib.tasks.dispatch import TickSummary
from chalicelib.tasks.task import State, TaskChanges, changed
from chalicelib.tasks.types import (
    Job,
    Retry,
    TaskFailedError,
    TaskRun,
    TaskType,
    TimeLimitError,
    registry,
)
from chalicelib.tasks.worker import MAX_DATA_BYTES, RunOutcome, RunResult
from tests.unit.tasks.runner_scene import ECHO, Scene


def test_echo_copies_its_message() -> None:
    scene = Scene()
    scene.add("t", ECHO, data={"message": "hello"})
    assert scene.tick() == TickSummary(started=1)
    assert scene.task("t").state is State.RUNNING
    [ran] = scene.work()
    assert ran.result is RunResult.COMPLETED
    assert scene.task("t").data == {"message": "hello", "echo": "hello"}
    assert scene.fakes.items(TASKS, partition="SLOT#") == []


@pytest.mark.parametrize(("fail", "detail"), [(True, "told to fail"), ("because", "because")])
def test_echo_fails_when_told_to(fail: object, detail: str) -> None:
    scene = Scene()
    scene.add("t", ECHO, data={"fail": fail, "message": "hello"})
    scene.tick()
    assert scene.work()[0].result is RunResult.FAILED
    assert scene.task("t").state is State.FAILED
    assert scene.task("t").errors == ({"code": "told-to-fail", "detail": detail},)
    assert scene.task("t").data == {"fail": fail, "message": "hello"}


def test_a_message_that_is_delivered_twice_runs_once() -> None:
    runs: list[str] = []
    scene = Scene(lambda run, services: runs.append(run.task.id))
    scene.add("t")
    scene.tick()
    [message] = scene.messages()
    assert scene.carry_out(message).result is RunResult.COMPLETED
    assert scene.carry_out(message).result is RunResult.DROPPED
    assert runs == ["t"]


def test_a_message_that_is_delivered_again_during_the_run_is_dropped() -> None:
    results: list[RunResult] = []

    def function(run: TaskRun, services: JobServices) -> None:
        results.append(scene.carry_out(message).result)

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    [message] = scene.messages()
    assert scene.carry_out(message).result is RunResult.COMPLETED
    assert results == [RunResult.DROPPED]


@pytest.mark.parametrize(("late_s", "result"), [(119.9, RunResult.COMPLETED), (120, RunResult.DROPPED)])
def test_a_message_that_arrives_after_the_time_limit_is_dropped(late_s: float, result: RunResult) -> None:
    scene = Scene()
    scene.add("t")
    scene.tick()
    scene.after(late_s)
    assert scene.work()[0].result is result


def test_a_message_of_an_unknown_type_is_dropped() -> None:
    scene = Scene()
    scene.add("t")
    scene.tick()
    scene.types = TASK_TYPES
    assert scene.work()[0].result is RunResult.DROPPED


def test_a_stale_worker_overwrites_nothing() -> None:
    stale: list[RunOutcome] = []

    def function(run: TaskRun, services: JobServices) -> None:
        if run.task.data.get("run") is None:
            run.data["run"] = "stale"
            scene.after(181)
            scene.tick()
            [second] = scene.messages()
            scene.services.tasks.tasks.replace(
                changed(scene.task("t"), TaskChanges(data={"run": "next"}), scene.types, 0)
            )
            stale.append(scene.carry_out(second))

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    assert scene.work()[0].result is RunResult.DROPPED
    assert stale[0].result is RunResult.COMPLETED
    assert scene.task("t").data == {"run": "next"}


def test_a_deleted_task_keeps_no_result() -> None:
    scene = Scene(lambda run, services: services.tasks.tasks.delete("t"))
    scene.add("t")
    scene.tick()
    assert scene.work()[0].result is RunResult.DROPPED
    assert scene.fakes.all_tasks() == []
    assert scene.fakes.items(TASKS, partition="SLOT#") == []


def test_progress_can_be_seen_during_the_run_and_stops_when_the_claim_is_lost() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        run.data["done"] = 1
        run.save()
        assert scene.task("t").data == {"done": 1}
        assert scene.task("t").state is State.RUNNING
        services.tasks.tasks.delete("t")
        run.save()
        pytest.fail("a run whose claim is lost goes on")

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    assert scene.work()[0].result is RunResult.DROPPED


def test_a_put_between_claim_and_start_does_not_lose_the_start() -> None:
    scene = Scene()
    scene.add("t", data={"a": 1})
    scene.tick()
    scene.services.tasks.tasks.replace(changed(scene.task("t"), TaskChanges(data={"a": 2}), scene.types, 0))
    assert scene.work()[0].result is RunResult.COMPLETED
    assert scene.task("t").data == {"a": 2}


def test_an_unhandled_error_fails_the_task_and_tells_its_place_but_no_value() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        raise KeyError("a-health-value-of-somebody")

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    [ran] = scene.work()
    assert (ran.result, type(ran.error)) == (RunResult.FAILED, KeyError)
    [error] = scene.task("t").errors
    assert error["detail"] == "unhandled panic"
    assert error["meta"] == {"error": "KeyError"}
    assert (error["caller"]["function"], error["caller"]["file"]) == ("function", "test_worker.py")
    assert "a-health-value-of-somebody" not in json.dumps(error)


def test_an_unavailable_store_is_named_in_the_error_of_the_task() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        raise UnavailableError

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    scene.work()
    assert scene.task("t").errors[0]["code"] == "service-unavailable"


def test_a_run_ends_at_its_time_limit() -> None:
    left: list[float] = []

    def function(run: TaskRun, services: JobServices) -> None:
        run.check_time()
        left.append(run.time_left_s)
        scene.after(110)
        run.check_time()

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    scene.after(10)
    [ran] = scene.work()
    assert left == [110]
    assert (ran.result, type(ran.error), ran.is_long) == (RunResult.FAILED, TimeLimitError, True)
    assert scene.task("t").errors[0]["code"] == "time-limit-exceeded"
    assert scene.task("t").duration_ms == 120_000


def test_a_type_must_fit_into_a_worker_and_have_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="no worker can run"):
        TaskType("too.long", lambda run, services: None, typical_s=361)
    with pytest.raises(ValueError, match="runs again anyway"):
        TaskType("both", lambda run, services: None, typical_s=60, job=Job(every_s=1), retry=Retry())
    with pytest.raises(ValueError, match="registered twice"):
        registry([TASK_TYPES[ECHO], TASK_TYPES[ECHO]])


def test_names_of_types_have_three_parts() -> None:
    for name, kind in TASK_TYPES.items():
        assert name == kind.name
        assert name.split(".")[0] == "strandline"
        assert len(name.split(".")) == 3


@pytest.mark.parametrize("unfit", ["x" * MAX_DATA_BYTES, {"a set"}])
@pytest.mark.parametrize("how", ["leaves", "saves", "raises"])
def test_data_that_cannot_be_stored_fails_the_task_and_does_not_change_its_data(unfit: object, how: str) -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        run.data["unfit"] = unfit
        if how == "saves":
            run.save()
        if how == "raises":
            raise KeyError

    scene = Scene(function)
    scene.add("t", data={"a": 1})
    scene.tick()
    assert scene.work()[0].result is RunResult.FAILED
    assert scene.task("t").data == {"a": 1}
    assert scene.task("t").errors[0]["detail"].startswith("unhandled" if how == "raises" else "data is not JSON")


def test_a_failed_run_keeps_its_data() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        run.data["done"] = 3
        raise TaskFailedError("no further")

    scene = Scene(function)
    scene.add("t", data={"a": 1})
    scene.tick()
    scene.work()
    assert scene.task("t").data == {"a": 1, "done": 3}
