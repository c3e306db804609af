"""Tests that no task is lost or runs twice at once, with many dispatchers and workers that may die or hang."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import pytest

from chalicelib.engine.definitions import TASKS
from chalicelib.tasks.dispatch import tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.task import State, Task, with_schedule_state
from chalicelib.tasks.types import TaskRun, TaskType, registry
from chalicelib.tasks.worker import carry_out
from tests.property.tasks_simulation import World

DUE_TASKS = 500
DISPATCHERS = 8
LONGEST_MS = 2 * 60 * 60 * 1000
"""A time by which all tasks have ended."""
AT_ONCE = {"one": 1, "four": 4, "nine": 9}


class Books:
    """The runs, as recorded by the functions of all types."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.running: Counter[str] = Counter()
        self.running_ids: set[str] = set()
        self.begun: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.violations: list[str] = []
        """An assertion in a function would only fail its task."""

    def function(self, run: TaskRun, services: object) -> None:
        """The function of all types: a few steps, and a note in the books."""
        task = run.task
        if task.id in self.running_ids:
            self.violations.append("a task runs twice at once")
        self.running_ids.add(task.id)
        self.running[task.type] += 1
        if self.running[task.type] > AT_ONCE[task.type]:
            self.violations.append("more at once than the type allows")
        self.begun[task.id] += 1
        try:
            for _ in range(self.world.random.randint(1, 4)):
                run.save()
            run.data["effect"] = "done"
            self.finished[task.id] += 1
        finally:
            self.running_ids.discard(task.id)
            self.running[task.type] -= 1


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_and_nothing_runs_twice_at_once(seed: int) -> None:
    world = World(seed)
    books = Books(world)
    fakes, services = world.fakes, world.fakes.services
    types = registry(TaskType(name, books.function, 10, max_concurrency=count) for name, count in AT_ONCE.items())
    now_ms = fakes.now_ms
    never = {
        "unknown": Task("unknown", "unknown", now_ms),
        "expired": Task("expired", "one", now_ms, priority=99, expiration_time_ms=now_ms),
        "future": Task("future", "one", now_ms, priority=99, available_time_ms=now_ms + 10**10),
    }
    due = [
        Task(
            str(number),
            world.random.choice(list(AT_ONCE)),
            now_ms,
            priority=world.random.randint(-2, 2),
            available_time_ms=world.random.choice([None, now_ms - 1000, now_ms + 30_000]),
        )
        for number in range(DUE_TASKS)
    ]
    for task in (*never.values(), *due):
        services.tasks.tasks.add(with_schedule_state(task, types, now_ms))

    _run_world(
        world,
        books.finished,
        lambda: tick(types, services.tasks),
        lambda message: carry_out(message, types, services, services.tasks),
    )

    assert books.violations == []
    tasks = {task.id: task for task in fakes.all_tasks()}
    assert {task_id: tasks[task_id].state for task_id in never} == dict.fromkeys(never, State.PENDING)
    assert not books.begun.keys() & never.keys()
    for task in due:
        assert (tasks[task.id].state, tasks[task.id].data) == (State.COMPLETED, {"effect": "done"})
        # Run again only when a worker died with it: once for each death, and once for good.
        assert 1 <= books.finished[task.id] <= books.begun[task.id]
    extra = sum(books.begun.values()) - DUE_TASKS
    assert 0 < extra <= world.killed
    slots = {f"SLOT#{name}#{number}" for name, count in AT_ONCE.items() for number in range(count)}
    assert {item["pk"] for item in fakes.items(TASKS, partition="SLOT#")} <= slots


def _run_world(
    world: World, finished: Mapping[str, int], dispatch: Callable[[], object], work: Callable[[RunMessage], object]
) -> None:
    """Tick once a minute with all dispatchers, and deliver messages, until every due task has run and all is quiet."""
    fakes = world.fakes
    next_tick_ms = fakes.now_ms
    end_ms = fakes.now_ms + LONGEST_MS

    def is_done() -> bool:
        if world.actors or len(finished) < DUE_TASKS:
            return False
        return sum(task.state is State.COMPLETED for task in fakes.all_tasks()) == DUE_TASKS

    while not is_done():
        assert fakes.now_ms < end_ms, "tasks are lost"
        if fakes.now_ms >= next_tick_ms:
            next_tick_ms = fakes.now_ms + 60_000
            for _ in range(DISPATCHERS):
                world.add(dispatch)
        for message in world.deliveries():
            worker = world.add(partial(work, message), dies_at_ms=message.run_time_ms + 25_000)
            worker.hangs = world.random.random() < 0.03
        if world.actors and world.random.random() < 0.003:
            world.kill(world.random.choice(world.actors))
        world.turn()
