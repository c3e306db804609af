"""Starting tasks: what a tick does, and what a worker does when it has become free.

Any number of dispatchers may be at it at the same time. Each change of a task is one write on condition that the task
is still what was read, so of two dispatchers one wins and the other goes on to the next task. A dispatcher may die at
any point: a claim that no worker ever hears of is recovered at its deadline, and so is the slot.
Source: task-api 8 and 9.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import TaskNameTakenError
from chalicelib.tasks.ports import RunMessage, Slot, TaskFilter, TaskServices
from chalicelib.tasks.task import (
    ScheduleState,
    State,
    Task,
    claimed,
    is_eligible,
    is_stalled,
    recovered,
    with_schedule_state,
)
from chalicelib.tasks.types import Registry, TaskType, seed

MAX_DUE_TASKS = 1000
"""How many tasks whose time has come one tick looks at; the next tick goes on with the rest."""
LINE_PAGE_SIZE = 10


@dataclass(frozen=True, slots=True)
class TickSummary:
    """What one tick did, in numbers of tasks."""

    recovered: int = 0
    started: int = 0
    waiting: int = 0
    """Their time came, and there was no slot for them."""


def tick(services: TaskServices, types: Registry[Any]) -> TickSummary:
    """Recover what stalled, and start what may be started, highest priority first. One query when nothing is due."""
    now_ms = services.now_ms()
    if not services.tasks.tasks.is_anything_due(now_ms):
        return TickSummary()
    due = services.tasks.tasks.find_many(services.tasks.tasks.due_ids(now_ms, MAX_DUE_TASKS))
    stalled = [task for task in due if is_stalled(task, now_ms)]
    back = [task for task in (_replaced(services, recovered(one, types, now_ms)) for one in stalled) if task]
    waiting = _whose_time_came(services, types, due, now_ms)
    messages: list[RunMessage] = []
    for task_type in types.values():
        own = [task for task in (*back, *waiting) if task.type == task_type.name]
        messages += start(services, types, task_type, own)
    taken = {message.task_id for message in messages}
    left = [task for task in waiting if task.id not in taken]
    for task in left:
        _replaced(services, with_schedule_state(task, types, now_ms))
    return TickSummary(recovered=len(back), started=len(messages), waiting=len(left))


def start(
    services: TaskServices, types: Registry[Any], task_type: TaskType[Any], also: Sequence[Task] = ()
) -> list[RunMessage]:
    """Claim tasks of a type and send them to workers, as long as there are tasks and slots.

    `also` are eligible tasks that are not (or not yet to be seen) in the line of the type.
    """
    in_line = _line(services, types, task_type.name, {task.id for task in also})
    messages: list[RunMessage] = []
    slot: Slot | None = None
    for task in heapq.merge(sorted(also, key=_rank), in_line, key=_rank):
        slot = slot or _slot(services, task_type)
        if slot is None:
            break
        message = _claimed(services, task, slot)
        if message is not None:
            services.tasks.queue.send(message)
            messages.append(message)
            slot = None
    if slot is not None:
        services.tasks.slots.release(slot.task_type, slot.number, slot.holder)
    return messages


def seed_jobs(services: TaskServices, types: Registry[Any]) -> int:
    """How many of the platform's own jobs were missing; they are there now. Source: task-api 8.5."""
    now_ms = services.now_ms()
    made = 0
    for task_type in types.values():
        if task_type.job is not None and not services.tasks.tasks.listed(TaskFilter(name=task_type.name), 0, 1):
            task = with_schedule_state(seed(task_type.job, task_type, services.new_id(), now_ms), types, now_ms)
            try:
                services.tasks.tasks.add(task)
                made += 1
            except TaskNameTakenError:
                continue  # another first tick was at it too
    return made


def _whose_time_came(services: TaskServices, types: Registry[Any], due: Iterable[Task], now_ms: int) -> list[Task]:
    """Those that are ready now. The others expired, or nothing runs their type any more: they leave the schedule."""
    ready = []
    for task in due:
        if task.state is not State.PENDING or task.schedule_state is not ScheduleState.LATER:
            continue
        settled = with_schedule_state(task, types, now_ms)
        if settled.schedule_state is ScheduleState.READY:
            ready.append(task)
        elif settled.schedule_state is not task.schedule_state:
            _replaced(services, settled)
    return ready


def _line(services: TaskServices, types: Registry[Any], type_name: str, seen: set[str]) -> Iterator[Task]:
    """Eligible tasks of a type's line, page after page; those that expired in it leave it."""
    while True:
        ids = services.tasks.tasks.ready_ids(type_name, len(seen) + LINE_PAGE_SIZE)
        new = [task_id for task_id in ids if task_id not in seen]
        if not new:
            return
        seen.update(new)
        now_ms = services.now_ms()
        for task in services.tasks.tasks.find_many(new):
            if is_eligible(task, now_ms):
                yield task
            elif task.schedule_state is ScheduleState.READY:
                _replaced(services, with_schedule_state(task, types, now_ms))


def _rank(task: Task) -> tuple[int, int]:
    """The order in which tasks are started: by priority, then by who has waited longest."""
    return -task.priority, task.created_time_ms if task.available_time_ms is None else task.available_time_ms


def _slot(services: TaskServices, task_type: TaskType[Any]) -> Slot | None:
    now_ms = services.now_ms()
    until_ms = now_ms + task_type.deadline_s * 1000
    return services.tasks.slots.take(task_type.name, task_type.max_concurrency, services.new_id(), now_ms, until_ms)


def _claimed(services: TaskServices, task: Task, slot: Slot) -> RunMessage | None:
    if not is_eligible(task, services.now_ms()):
        return None
    if _replaced(services, claimed(task, slot.from_ms, slot.until_ms)) is None:
        return None
    return RunMessage(task.id, task.type, slot.from_ms, slot.number, slot.holder)


def _replaced(services: TaskServices, task: Task) -> Task | None:
    """The task as it is kept now; None when somebody else was first."""
    try:
        return services.tasks.tasks.replace(task)
    except WriteConflictError:
        return None
