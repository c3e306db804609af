"""Tasks, slots and the queue to the workers, in memory. They pass the same suite as the stores."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.sqlite_queue import TASKS
from chalicelib.errors import TaskNameTakenError
from chalicelib.tasks.ports import RunMessage, Slot, TaskFilter
from chalicelib.tasks.task import ScheduleState, Task
from tests.fakes.engine import clear_queue, queued_messages


class FakeTasks:
    """Tasks in a dictionary, the newest creation last."""

    def __init__(self) -> None:
        self.by_id: dict[str, Task] = {}

    def find(self, task_id: str) -> Task | None:
        """The task, or None."""
        return self.by_id.get(task_id)

    def find_many(self, task_ids: Sequence[str]) -> list[Task]:
        """Those that exist."""
        return [self.by_id[task_id] for task_id in task_ids if task_id in self.by_id]

    def listed(self, task_filter: TaskFilter, skip: int, limit: int) -> list[Task]:
        """Newest first."""
        newest_first = sorted(self.by_id.values(), key=lambda task: (task.created_time_ms, task.id), reverse=True)
        return [task for task in newest_first if task_filter.selects(task)][skip : skip + limit]

    def add(self, task: Task) -> None:
        """Refuses a name that is taken."""
        if task.name is not None and any(other.name == task.name for other in self.by_id.values()):
            raise TaskNameTakenError(task.id)
        self.by_id[task.id] = task

    def replace(self, task: Task) -> Task:
        """Refuses another revision."""
        stored = self.by_id.get(task.id)
        if stored is None or stored.revision != task.revision:
            raise WriteConflictError
        self.by_id[task.id] = replace(task, revision=task.revision + 1)
        return self.by_id[task.id]

    def delete(self, task_id: str) -> None:
        """Unknown ones too."""
        self.by_id.pop(task_id, None)

    def is_anything_due(self, now_ms: int) -> bool:
        """Whether any task is ready or due."""
        return any(task.schedule_state is ScheduleState.READY for task in self.by_id.values()) or bool(
            self.due_ids(now_ms, 1)
        )

    def due_ids(self, now_ms: int, limit: int) -> list[str]:
        """The oldest first."""
        actions = sorted((time_ms, task.id) for task in self.by_id.values() if (time_ms := _next_action_ms(task)))
        return [task_id for time_ms, task_id in actions if time_ms <= now_ms][:limit]

    def ready_ids(self, task_type: str, limit: int) -> list[str]:
        """Highest priority first, then by how long they have waited."""
        line = [
            task
            for task in self.by_id.values()
            if task.schedule_state is ScheduleState.READY and task.type == task_type
        ]
        line.sort(key=lambda task: (-task.priority, task.available_time_ms or task.created_time_ms, task.id))
        return [task.id for task in line][:limit]

    def unknown_ids(self, task_type: str) -> Iterator[str]:
        """Tasks of the type that was not registered."""
        stored = tuple(self.by_id.values())
        yield from (
            task.id for task in stored if task.schedule_state is ScheduleState.UNKNOWN and task.type == task_type
        )


def _next_action_ms(task: Task) -> int | None:
    if task.schedule_state is ScheduleState.LATER:
        return task.available_time_ms
    return task.deadline_time_ms if task.schedule_state is ScheduleState.RUNNING else None


class FakeSlots:
    """Leases in a dictionary."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, int], Slot] = {}

    def take(self, task_type: str, slot_count: int, holder: str, from_ms: int, until_ms: int) -> Slot | None:
        """The first that is free."""
        for number in range(slot_count):
            lease = self.taken.get((task_type, number))
            if lease is None or lease.until_ms < from_ms:
                slot = Slot(task_type, number, holder, from_ms, until_ms)
                self.taken[task_type, number] = slot
                return slot
        return None

    def release(self, task_type: str, number: int, holder: str) -> None:
        """Only the holder's."""
        lease = self.taken.get((task_type, number))
        if lease is not None and lease.holder == holder:
            del self.taken[task_type, number]


class FakeQueue:
    """Run messages, and types to wake, in lists."""

    def __init__(self) -> None:
        self.messages: list[RunMessage] = []
        self.woken: list[str] = []

    def send(self, message: RunMessage) -> None:
        """Appends."""
        self.messages.append(message)

    def wake(self, task_type: str) -> None:
        """Appends."""
        self.woken.append(task_type)


def queued_runs(engine: EmbeddedEngine) -> list[RunMessage]:
    """The run messages that wait for a worker, in the order in which they were sent."""
    return [RunMessage(**message) for message in _messages(engine) if "wake" not in message]


def take_runs(engine: EmbeddedEngine) -> list[RunMessage]:
    """The run messages that waited, all removed from the queue, as are wake-ups."""
    taken = queued_runs(engine)
    clear_queue(engine, TASKS.name)
    return taken


def wake_ups(engine: EmbeddedEngine) -> list[str]:
    """The types whose ready tasks are to start, in the order in which the messages were sent."""
    return [message["wake"] for message in _messages(engine) if "wake" in message]


def _messages(engine: EmbeddedEngine) -> list[dict[str, Any]]:
    return [json.loads(body) for body in queued_messages(engine, TASKS.name)]
