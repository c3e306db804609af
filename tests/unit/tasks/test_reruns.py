"""Tasks that run more than once: reruns, retries and jobs. Source: task-api 8 and 9."""

import pytest

from chalicelib.jobs import JobServices
from chalicelib.tasks.dispatch import TickSummary, seed_jobs
from chalicelib.tasks.task import ScheduleState, State
from chalicelib.tasks.types import (
    Job,
    Rerun,
    Retry,
    TaskFailedError,
    TaskRun,
)
from chalicelib.tasks.worker import RunResult
from tests.unit.tasks.runner_scene import Scene


def test_a_function_can_ask_to_be_run_again() -> None:
    def function(run: TaskRun, services: JobServices) -> Rerun:
        run.data["runs"] = run.data.get("runs", 0) + 1
        return Rerun(delay_s=30)

    scene = Scene(function)
    scene.add("t")
    scene.tick()
    assert scene.work()[0].result is RunResult.AGAIN
    assert scene.task("t").available_time_ms == scene.fakes.now_ms + 30_000
    assert scene.tick() == TickSummary()
    scene.after(30)
    scene.tick()
    scene.work()
    assert scene.task("t").data == {"runs": 2}


def test_delays_between_retries_grow_and_retries_end() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        raise TaskFailedError("the other side is down")

    scene = Scene(function, retry=Retry(max_retries=3, first_delay_s=60, factor=2))
    scene.add("t")
    delays_s = []
    scene.tick()
    while scene.work()[0].result is RunResult.AGAIN:
        assert scene.task("t").errors == ({"detail": "the other side is down"},)
        available_time_ms = scene.task("t").available_time_ms
        assert available_time_ms is not None
        delays_s.append((available_time_ms - scene.fakes.now_ms) / 1000)
        scene.fakes.now_ms = available_time_ms
        scene.tick()
    assert delays_s == [60, 120, 240]
    assert (scene.task("t").state, scene.task("t").data) == (State.FAILED, {"retryCount": 3})


def test_a_success_forgets_the_retries_and_a_final_failure_needs_none() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        if run.data.get("is_final"):
            raise TaskFailedError("this will never work", is_final=True)
        if not run.data.get("retryCount"):
            raise TaskFailedError("once")

    scene = Scene(function, retry=Retry())
    scene.add("recovers")
    scene.tick()
    scene.work()
    scene.after(60)
    scene.tick()
    scene.work()
    assert (scene.task("recovers").state, scene.task("recovers").data) == (State.COMPLETED, {})
    scene.add("is final", data={"is_final": True})
    scene.tick()
    scene.work()
    assert scene.task("is final").state is State.FAILED


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_runs_again_after_success_and_failure_and_keeps_its_error(fails: bool) -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        if fails:
            raise TaskFailedError("not today")

    scene = Scene(function, job=Job(every_s=3600))
    seed_jobs(scene.types, scene.services.tasks)
    [job] = [task for task in scene.fakes.all_tasks() if task.type == "tested"]
    assert (job.name, job.priority) == ("tested", 5)
    assert scene.tick() == TickSummary()
    scene.after(300)
    scene.tick()
    scene.work()
    after = scene.task(job.id)
    assert (after.state, after.schedule_state) == (State.PENDING, ScheduleState.LATER)
    assert after.available_time_ms == scene.fakes.now_ms + 3_600_000
    assert bool(after.errors) is fails


@pytest.mark.parametrize(("fails", "state"), [(False, State.COMPLETED), (True, State.FAILED)])
def test_a_task_that_a_client_creates_with_the_type_of_a_job_runs_once(fails: bool, state: State) -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        if fails:
            raise TaskFailedError("not today")

    scene = Scene(function, job=Job(every_s=3600))
    scene.add("by hand")
    scene.tick()
    scene.work()
    assert scene.task("by hand").state is state


def test_jobs_are_seeded_once() -> None:
    scene = Scene(job=Job(every_s=3600))
    jobs = [kind.name for kind in scene.types.values() if kind.job]
    assert seed_jobs(scene.types, scene.services.tasks) == len(jobs)
    assert seed_jobs(scene.types, scene.services.tasks) == 0
    assert sorted(task.name or "" for task in scene.fakes.all_tasks()) == sorted(jobs)
