"""The ports of tasks and their runner: a store, the slots of each type, and a queue to the workers.

All methods raise UnavailableError when the store throttles or does not answer; a retry is safe.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from chalicelib.frozen import frozen
from chalicelib.tasks.task import State, Task


@frozen
class TaskFilter:
    """The tasks to list; None does not filter."""

    name: str | None = None
    type: str | None = None
    state: State | None = None

    def selects(self, task: Task) -> bool:
        """Whether the task is in the list."""
        return (
            (self.name is None or task.name == self.name)
            and (self.type is None or task.type == self.type)
            and (self.state is None or task.state is self.state)
        )


@frozen
class ListedTask:
    """A task as the list of all tasks has it."""

    id: str
    state: State


class TaskStore(Protocol):
    """Stores tasks. Reads of a task see the last write. Lists, and the ids by schedule state, may lag behind for a
    moment, so a caller reads a task before acting on it."""

    def find(self, task_id: str) -> Task | None:
        """The task, or None."""
        ...

    def find_many(self, task_ids: Sequence[str]) -> list[Task]:
        """The tasks that exist, in the order of the ids."""
        ...

    def listed(self, task_filter: TaskFilter, skip: int, limit: int) -> list[Task]:
        """The tasks that the filter selects, created last first, without the first `skip`, at most `limit`."""
        ...

    def newest(self, limit: int) -> Iterator[ListedTask]:
        """All tasks, at most `limit`, created last first."""
        ...

    def add(self, task: Task) -> None:
        """Store a new task.

        Raises:
            TaskExistsError: there is a task with this id.
            TaskNameTakenError: another task has this name.
        """
        ...

    def replace(self, task: Task) -> Task:
        """Store a changed task, and return it with its new revision.

        Raises:
            WriteConflictError: the stored task has another revision, or is gone; nothing was written.
        """
        ...

    def delete(self, task_id: str) -> None:
        """Remove a task and free its name; an absent task is not an error."""
        ...

    def is_anything_due(self, now_ms: int) -> bool:
        """Whether a task is ready, or due for its next action. The cost does not depend on the number of tasks."""
        ...

    def due_ids(self, now_ms: int, limit: int) -> list[str]:
        """Tasks that are due for their next action (available time, or deadline when running), the oldest first."""
        ...

    def ready_ids(self, task_type: str, limit: int) -> list[str]:
        """The first ready tasks of a type: highest priority first, then those that have been available longest."""
        ...

    def unknown_ids(self, task_type: str) -> Iterator[str]:
        """Tasks whose type was not registered when they were last changed, in any order."""
        ...


@frozen
class Slot:
    """The right to run one task of a type: a lease from `from_ms` to `until_ms`."""

    task_type: str
    number: int
    holder: str
    from_ms: int
    until_ms: int


class TaskSlots(Protocol):
    """As many slots for each type as tasks of it may run at once."""

    def take(self, task_type: str, slot_count: int, holder: str, from_ms: int, until_ms: int) -> Slot | None:
        """A lease of one of the slots 0 to `slot_count` - 1: of a free one, or one whose lease ended before `from_ms`.

        None when all are taken.
        """
        ...

    def release(self, task_type: str, number: int, holder: str) -> None:
        """End the lease, if it is still the holder's."""
        ...


@frozen
class RunMessage:
    """Asks a worker to run a task: which one, by which claim, in which slot."""

    task_id: str
    task_type: str
    run_time_ms: int
    slot_number: int
    slot_holder: str


class TaskQueue(Protocol):
    """Delivers messages to workers: each at least once, in any order, perhaps late."""

    def send(self, message: RunMessage) -> None:
        """Ask a worker to run a task."""
        ...

    def wake(self, task_type: str) -> None:
        """Ask a worker to start the tasks in the line of a type, some seconds from now. The next tick would start them
        too."""
        ...


@frozen
class TaskPorts:
    """The store of tasks, the slots of each type, the queue to the workers, and what tells them the time."""

    tasks: TaskStore
    slots: TaskSlots
    queue: TaskQueue
    now_ms: Callable[[], int]
    """The clock: a run goes on for minutes, so one time for all of it does not do."""
    new_id: Callable[[], str]
