"""The dispatcher on in-memory services: which tasks start, and when. Source: task-api 8 and 9."""

from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.dispatch import TickSummary, seed_jobs
from chalicelib.tasks.task import ScheduleState, State, TaskChanges, changed
from chalicelib.tasks.types import (
    TaskType,
    registry,
)
from chalicelib.tasks.worker import RunResult
from tests.unit.tasks.runner_scene import ECHO, Scene

ADOPT = "strandline.tasks.adopt"


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
    assert sum(task.state is State.RUNNING for task in scene.fakes.all_tasks()) == 4


def test_a_worker_starts_the_next_task_without_a_tick() -> None:
    scene = Scene(max_concurrency=2)
    for number in range(20):
        scene.add(str(number))
    scene.tick()
    rounds = 0
    while scene.work():
        rounds += 1
    assert rounds == 10
    assert {task.state for task in scene.fakes.all_tasks()} == {State.COMPLETED}


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
    assert [task.schedule_state for task in scene.fakes.all_tasks()].count(ScheduleState.READY) == 2
    assert scene.services.tasks.tasks.due_ids(scene.fakes.now_ms, 10) == []


def test_an_expired_task_never_runs_and_stays_pending() -> None:
    scene = Scene()
    now_ms = scene.fakes.now_ms
    scene.add("waited in vain", expiration_time_ms=now_ms + 10)
    scene.add("never had a chance", available_time_ms=now_ms + 20, expiration_time_ms=now_ms + 10)
    scene.add("was late", available_time_ms=now_ms + 5, expiration_time_ms=now_ms + 10)
    scene.after(1)
    assert scene.tick() == TickSummary()
    assert {task.state for task in scene.fakes.all_tasks()} == {State.PENDING}
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
    [job] = [task for task in scene.fakes.all_tasks() if task.type == ADOPT]
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
