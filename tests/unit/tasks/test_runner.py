"""The dispatcher and the worker on in-memory services. Source: task-api 8 and 9."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.jobs import TASK_TYPES, JobServices
from chalicelib.tasks.dispatch import TickSummary, seed_jobs, tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.task import ScheduleState, State, Task, TaskChanges, changed, with_schedule_state
from chalicelib.tasks.types import (
    Job,
    Registry,
    Rerun,
    Retry,
    TaskFailedError,
    TaskRun,
    TaskType,
    TimeLimitError,
    registry,
)
from chalicelib.tasks.worker import MAX_DATA_BYTES, RunOutcome, RunResult, carry_out
from tests.fakes.services import FakeServices

ECHO = "strandline.diagnostics.echo"
ADOPT = "strandline.tasks.adopt"


class Scene:
    """Services, a registry with one type under test, and words for what happens."""

    def __init__(self, function: Callable[[TaskRun, JobServices], Rerun | None] | None = None, **kind: Any) -> None:
        self.fakes = FakeServices()
        self.services = self.fakes.services
        tested = TaskType("tested", function or (lambda run, services: None), typical_s=60, **kind)
        self.types: Registry[JobServices] = registry((*TASK_TYPES.values(), tested))

    def add(self, task_id: str, task_type: str = "tested", **fields: Any) -> Task:
        """A stored task."""
        task = Task(task_id, task_type, self.fakes.now_ms, **fields)
        self.services.tasks.tasks.add(with_schedule_state(task, self.types, self.fakes.now_ms))
        return self.task(task_id)

    def task(self, task_id: str) -> Task:
        """A stored task as it is now."""
        return self.fakes.tasks.by_id[task_id]

    def tick(self) -> TickSummary:
        """What the dispatcher does once a minute."""
        return tick(self.types, self.services.tasks)

    def messages(self) -> list[RunMessage]:
        """The messages that no worker has had yet; they are taken out of the queue."""
        messages, self.fakes.task_queue.messages = self.fakes.task_queue.messages, []
        return messages

    def work(self) -> list[RunOutcome]:
        """What comes of all messages that are waiting now."""
        return [self.carry_out(message) for message in self.messages()]

    def carry_out(self, message: RunMessage) -> RunOutcome:
        """The outcome of one message."""
        return carry_out(message, self.types, self.services, self.services.tasks)

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.fakes.now_ms += round(seconds * 1000)


def test_echo_copies_its_message() -> None:
    scene = Scene()
    scene.add("t", ECHO, data={"message": "hello"})
    assert scene.tick() == TickSummary(started=1)
    assert scene.task("t").state is State.RUNNING
    [ran] = scene.work()
    assert ran.result is RunResult.COMPLETED
    assert scene.task("t").data == {"message": "hello", "echo": "hello"}
    assert scene.fakes.task_slots.taken == {}


@pytest.mark.parametrize(("fail", "detail"), [(True, "told to fail"), ("because", "because")])
def test_echo_fails_when_told_to(fail: object, detail: str) -> None:
    scene = Scene()
    scene.add("t", ECHO, data={"fail": fail, "message": "hello"})
    scene.tick()
    assert scene.work()[0].result is RunResult.FAILED
    assert scene.task("t").state is State.FAILED
    assert scene.task("t").errors == ({"code": "told-to-fail", "detail": detail},)
    assert scene.task("t").data == {"fail": fail, "message": "hello"}


def test_the_claim_names_its_times() -> None:
    scene = Scene()
    scene.add("t", available_time_ms=scene.fakes.now_ms - 5)
    scene.tick()
    task = scene.task("t")
    assert task.run_time_ms == scene.fakes.now_ms
    assert task.deadline_time_ms == scene.fakes.now_ms + 180_000
    assert task.available_time_ms is None


def test_the_highest_priority_comes_first_and_zero_is_zero() -> None:
    order: list[str] = []
    scene = Scene(lambda run, services: order.append(run.task.id))
    for task_id, priority in [("low", -3), ("zero", 0), ("high", 9), ("middle", 4)]:
        scene.add(task_id, priority=priority)
    later = scene.fakes.now_ms + 1000
    scene.add("later, highest", priority=10, available_time_ms=later)
    scene.add("later, lowest", priority=-10, available_time_ms=later)
    scene.after(1)
    scene.tick()
    while scene.work():
        pass
    assert order == ["later, highest", "high", "middle", "zero", "low", "later, lowest"]


def test_of_equal_priority_the_longest_waiting_comes_first() -> None:
    scene = Scene()
    scene.add("second")
    scene.add("first", available_time_ms=scene.fakes.now_ms - 1)
    scene.tick()
    assert [message.task_id for message in scene.messages()] == ["first"]


def test_no_more_run_at_once_than_the_type_allows() -> None:
    scene = Scene(max_concurrency=3)
    for number in range(5):
        scene.add(str(number))
    scene.add("other type", ECHO)
    assert scene.tick() == TickSummary(started=4)
    assert scene.tick() == TickSummary()
    assert sum(task.state is State.RUNNING for task in scene.fakes.tasks.by_id.values()) == 4


def test_a_worker_starts_the_next_task_without_a_tick() -> None:
    scene = Scene(max_concurrency=2)
    for number in range(20):
        scene.add(str(number))
    scene.tick()
    rounds = 0
    while scene.work():
        rounds += 1
    assert rounds == 10
    assert {task.state for task in scene.fakes.tasks.by_id.values()} == {State.COMPLETED}


def test_a_future_task_waits_for_its_time() -> None:
    scene = Scene()
    scene.add("t", available_time_ms=scene.fakes.now_ms + 60_000)
    assert scene.tick() == TickSummary()
    scene.after(60)
    assert scene.tick() == TickSummary(started=1)


def test_tasks_without_a_slot_wait_in_the_line_of_their_type() -> None:
    scene = Scene()
    for number in range(3):
        scene.add(str(number), available_time_ms=scene.fakes.now_ms + 1)
    scene.after(1)
    assert scene.tick() == TickSummary(started=1, waiting=2)
    assert [task.schedule_state for task in scene.fakes.tasks.by_id.values()].count(ScheduleState.READY) == 2
    assert scene.services.tasks.tasks.due_ids(scene.fakes.now_ms, 10) == []


def test_an_expired_task_never_runs_and_stays_pending() -> None:
    scene = Scene()
    now_ms = scene.fakes.now_ms
    scene.add("waited in vain", expiration_time_ms=now_ms + 10)
    scene.add("never had a chance", available_time_ms=now_ms + 20, expiration_time_ms=now_ms + 10)
    scene.add("was late", available_time_ms=now_ms + 5, expiration_time_ms=now_ms + 10)
    scene.after(1)
    assert scene.tick() == TickSummary()
    assert {task.state for task in scene.fakes.tasks.by_id.values()} == {State.PENDING}
    assert not scene.services.tasks.tasks.is_anything_due(scene.fakes.now_ms + 10**9)


def test_a_task_of_unknown_type_stays_pending_until_its_type_is_known() -> None:
    scene = Scene()
    scene.add("t", "not.yet.known")
    assert scene.tick() == TickSummary()
    assert not scene.services.tasks.tasks.is_anything_due(scene.fakes.now_ms)
    scene.types = registry((*scene.types.values(), TaskType("not.yet.known", lambda run, services: None, 60)))
    # A PUT puts it into its place, and so does the platform's job (see below).
    scene.services.tasks.tasks.replace(changed(scene.task("t"), TaskChanges(), scene.types, scene.fakes.now_ms))
    assert scene.tick() == TickSummary(started=1)


def test_the_platform_adopts_tasks_of_types_that_became_known() -> None:
    scene = Scene()
    scene.types = registry([TASK_TYPES[ADOPT]])
    for number in range(3):
        scene.add(str(number), ECHO, data={"message": number})
    scene.add("still unknown", "nobody.knows")
    scene.types = registry([TASK_TYPES[ADOPT], TASK_TYPES[ECHO]])
    seed_jobs(scene.types, scene.services.tasks)
    scene.after(300)
    scene.tick()
    [ran] = scene.work()
    assert ran.result is RunResult.AGAIN
    [job] = [task for task in scene.fakes.tasks.by_id.values() if task.type == ADOPT]
    assert job.data == {"adopted": 3}
    assert scene.task("still unknown").schedule_state is ScheduleState.UNKNOWN
    assert scene.tick() == TickSummary(started=3)


def test_a_type_that_is_no_longer_known_leaves_the_schedule() -> None:
    scene = Scene()
    scene.add("t", available_time_ms=scene.fakes.now_ms + 1)
    scene.types = TASK_TYPES
    scene.after(1)
    assert scene.tick() == TickSummary()
    assert (scene.task("t").state, scene.task("t").schedule_state) == (State.PENDING, ScheduleState.UNKNOWN)
    assert not scene.services.tasks.tasks.is_anything_due(scene.fakes.now_ms)


def test_a_dead_worker_is_recovered_after_its_deadline_and_not_before() -> None:
    scene = Scene()
    scene.add("t")
    scene.tick()
    scene.messages()  # the worker dies with its message
    scene.after(180)
    assert scene.tick() == TickSummary()
    scene.after(0.001)
    assert scene.tick() == TickSummary(recovered=1, started=1)
    assert scene.work()[0].result is RunResult.COMPLETED


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
    assert scene.fakes.tasks.by_id == {}
    assert scene.fakes.task_slots.taken == {}


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
    assert (error["caller"]["function"], error["caller"]["file"]) == ("function", "test_runner.py")
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
    [job] = [task for task in scene.fakes.tasks.by_id.values() if task.type == "tested"]
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
    assert sorted(task.name or "" for task in scene.fakes.tasks.by_id.values()) == sorted(jobs)


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
    assert scene.task("t").errors[0]["detail"].startswith("unhandled" if how == "raises" else "data is no JSON")


def test_a_failed_run_keeps_its_data() -> None:
    def function(run: TaskRun, services: JobServices) -> None:
        run.data["done"] = 3
        raise TaskFailedError("no further")

    scene = Scene(function)
    scene.add("t", data={"a": 1})
    scene.tick()
    scene.work()
    assert scene.task("t").data == {"a": 1, "done": 3}
