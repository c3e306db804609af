"""What tasks and their runner need of the outside: a store, the slots of each type, and a queue to the workers.

Any method may raise UnavailableError: the store throttles or does not answer, and a retry is safe.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.tasks.task import State, Task


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks to list; None lets everything through."""

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


class TaskStore(Protocol):
    """Keeps tasks. Tasks themselves are read as of the last write; which ones are found at a place, or in a list, may
    lag behind for a moment, so whoever acts on one looks at the task first."""

    def find(self, task_id: str) -> Task | None:
        """The task, or None."""
        ...

    def find_many(self, task_ids: Sequence[str]) -> list[Task]:
        """Those tasks that exist, in the order of the ids."""
        ...

    def listed(self, task_filter: TaskFilter, skip: int, limit: int) -> list[Task]:
        """Tasks that the filter selects, newest creation first, `skip` left out, at most `limit`."""
        ...

    def add(self, task: Task) -> None:
        """Keeps a new task.

        Raises:
            TaskNameTakenError: another task has this name.
        """
        ...

    def replace(self, task: Task) -> Task:
        """Keeps the task in the place of its former self, and returns it with its new revision.

        Raises:
            WriteConflictError: the stored task has another revision, or is gone; nothing was written.
        """
        ...

    def delete(self, task_id: str) -> None:
        """Removes the task and frees its name; one that is not there is no error."""
        ...

    def is_anything_due(self, now_ms: int) -> bool:
        """Whether a task is ready, or the time of another's next action has come. It costs the same however many
        tasks there are."""
        ...

    def due_ids(self, now_ms: int, limit: int) -> list[str]:
        """Tasks whose time of next action (available time, or deadline when running) has come, the oldest first."""
        ...

    def ready_ids(self, task_type: str, limit: int) -> list[str]:
        """The head of the line of a type: highest priority first, then those that have been available longest."""
        ...

    def unknown_ids(self, task_type: str) -> Iterator[str]:
        """Tasks of a type that was not registered when they were last changed, in any order."""
        ...


@dataclass(frozen=True, slots=True)
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
        """One of the slots 0 to `slot_count` - 1 that is free, or whose lease is over at `from_ms`; None if none is."""
        ...

    def release(self, task_type: str, number: int, holder: str) -> None:
        """Ends the lease, if it is still the holder's."""
        ...


@dataclass(frozen=True, slots=True)
class RunMessage:
    """What a worker is told: which task, by which claim, in which slot."""

    task_id: str
    task_type: str
    run_time_ms: int
    slot_number: int
    slot_holder: str


class TaskQueue(Protocol):
    """Brings messages to workers: each at least once, in any order, perhaps late."""

    def send(self, message: RunMessage) -> None:
        """Has a worker carry out a message."""
        ...

    def wake(self, task_type: str) -> None:
        """Has a worker start what is in the line of a type, some seconds from now. The next tick would do it too."""
        ...


@dataclass(frozen=True, slots=True)
class TaskPorts:
    """The store of tasks, the slots of each type, and the queue to the workers."""

    tasks: TaskStore
    slots: TaskSlots
    queue: TaskQueue


class TaskServices(Protocol):
    """The services that the runner itself uses."""

    @property
    def now_ms(self) -> Callable[[], int]: ...

    @property
    def new_id(self) -> Callable[[], str]: ...

    @property
    def tasks(self) -> TaskPorts: ...
