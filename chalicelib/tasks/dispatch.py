"""Starts tasks: in each tick of the dispatcher, and in a worker that has finished a run.

Any number of dispatchers may work at the same time. Each change of a task is one write on condition that the task is
unchanged, so of two dispatchers one wins and the other moves on to the next task. A dispatcher may die at any point: a
claim whose message never reaches a worker is recovered at its deadline, and so is the slot.
Source: task-api 8 and 9.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import TaskNameTakenError
from chalicelib.frozen import frozen
from chalicelib.tasks.ports import RunMessage, Slot, TaskFilter, TaskPorts
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
"""The number of due tasks that one tick reads; the next tick continues with the rest."""
READY_PAGE_SIZE = 10


@frozen
class TickSummary:
    """The numbers of tasks that one tick recovered, started and left waiting."""

    recovered: int = 0
    started: int = 0
    waiting: int = 0
    """Due tasks for which there was no slot."""


def tick(types: Registry[Any], ports: TaskPorts) -> TickSummary:
    """Recover stalled tasks, and start due ones, highest priority first: one query when nothing is due."""
    now_ms = ports.now_ms()
    if not ports.tasks.is_anything_due(now_ms):
        return TickSummary()
    due = ports.tasks.find_many(ports.tasks.due_ids(now_ms, MAX_DUE_TASKS))
    stalled = [task for task in due if is_stalled(task, now_ms)]
    recovered_tasks = [
        stored for task in stalled if (stored := _try_replace(recovered(task, types, now_ms), ports)) is not None
    ]
    waiting = _now_due(due, types, now_ms, ports)
    messages: list[RunMessage] = []
    for task_type in types.values():
        of_type = [task for task in (*recovered_tasks, *waiting) if task.type == task_type.name]
        messages += start(task_type, types, ports, of_type)
    started_ids = {message.task_id for message in messages}
    left = [task for task in waiting if task.id not in started_ids]
    for task in left:
        _try_replace(with_schedule_state(task, types, now_ms), ports)
    return TickSummary(recovered=len(recovered_tasks), started=len(messages), waiting=len(left))


def start(
    task_type: TaskType[Any], types: Registry[Any], ports: TaskPorts, also: Sequence[Task] = ()
) -> list[RunMessage]:
    """Claim tasks of a type and send them to workers, as long as there are tasks and slots.

    Args:
        also: eligible tasks that are not scheduled as ready, or that the index does not show as ready yet.
    """
    ready = _ready_tasks(task_type.name, {task.id for task in also}, types, ports)
    messages: list[RunMessage] = []
    slot: Slot | None = None
    for task in heapq.merge(sorted(also, key=_start_order), ready, key=_start_order):
        slot = slot or _take_slot(task_type, ports)
        if slot is None:
            break
        message = _claim(task, slot, ports)
        if message is not None:
            ports.queue.send(message)
            messages.append(message)
            slot = None
    if slot is not None:
        ports.slots.release(slot.task_type, slot.number, slot.holder)
    return messages


def seed_jobs(types: Registry[Any], ports: TaskPorts) -> int:
    """Add the platform's missing jobs, and return their number. Source: task-api 8.5."""
    now_ms = ports.now_ms()
    added = 0
    for task_type in types.values():
        if task_type.job is not None and not ports.tasks.listed(TaskFilter(name=task_type.name), 0, 1):
            task = with_schedule_state(seed(task_type.job, task_type, ports.new_id(), now_ms), types, now_ms)
            try:
                ports.tasks.add(task)
                added += 1
            except TaskNameTakenError:
                continue  # another dispatcher added it at the same time
    return added


def _now_due(due: Iterable[Task], types: Registry[Any], now_ms: int, ports: TaskPorts) -> list[Task]:
    """The tasks that are ready now. Tasks that expired or have an unknown type are unscheduled."""
    ready = []
    for task in due:
        if task.state is not State.PENDING or task.schedule_state is not ScheduleState.LATER:
            continue
        current = with_schedule_state(task, types, now_ms)
        if current.schedule_state is ScheduleState.READY:
            ready.append(task)
        elif current.schedule_state is not task.schedule_state:
            _try_replace(current, ports)
    return ready


def _ready_tasks(type_name: str, seen_ids: set[str], types: Registry[Any], ports: TaskPorts) -> Iterator[Task]:
    """The ready tasks of a type that are eligible, page after page. Tasks that expired while ready are unscheduled."""
    while True:
        ids = ports.tasks.ready_ids(type_name, len(seen_ids) + READY_PAGE_SIZE)
        new_ids = [task_id for task_id in ids if task_id not in seen_ids]
        if not new_ids:
            return
        seen_ids.update(new_ids)
        now_ms = ports.now_ms()
        for task in ports.tasks.find_many(new_ids):
            if is_eligible(task, now_ms):
                yield task
            elif task.schedule_state is ScheduleState.READY:
                _try_replace(with_schedule_state(task, types, now_ms), ports)


def _start_order(task: Task) -> tuple[int, int]:
    """The key by which tasks are started in order: by priority, then by how long they have waited."""
    return -task.priority, task.created_time_ms if task.available_time_ms is None else task.available_time_ms


def _take_slot(task_type: TaskType[Any], ports: TaskPorts) -> Slot | None:
    now_ms = ports.now_ms()
    until_ms = now_ms + task_type.deadline_s * 1000
    return ports.slots.take(task_type.name, task_type.max_concurrency, ports.new_id(), now_ms, until_ms)


def _claim(task: Task, slot: Slot, ports: TaskPorts) -> RunMessage | None:
    """Claim the task, and return its run message; None if it may not start, or another dispatcher won it."""
    if not is_eligible(task, ports.now_ms()):
        return None
    if _try_replace(claimed(task, slot.from_ms, slot.until_ms), ports) is None:
        return None
    return RunMessage(task.id, task.type, slot.from_ms, slot.number, slot.holder)


def _try_replace(task: Task, ports: TaskPorts) -> Task | None:
    """Replace the task, and return it as it is stored now; None if another writer changed it first."""
    try:
        return ports.tasks.replace(task)
    except WriteConflictError:
        return None
