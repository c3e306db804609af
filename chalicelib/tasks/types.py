"""Task types: a function, its time limits, and its repetition. Functions of tasks are written with this module.

A function takes a `TaskRun` and the services. It returns when its work is done, raises `TaskFailedError` when the work
cannot be done, and returns `Rerun` to be run again later. Its `run.data` is stored afterwards. It must be safe to
run again from the start at any point, since a worker may die. Source: task-api 8.3 and 8.5.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Generic, TypeVar

from chalicelib.frozen import frozen
from chalicelib.tasks.task import Task

MAX_RUN_S = 15 * 60
"""The maximum of a Lambda function, which a worker is."""


class TaskFailedError(Exception):
    """The work cannot be done. Clients read `error` as the task's `error`; it must not hold health data.

    A type that retries does not retry failures that are final.
    """

    def __init__(self, detail: str, *, code: str = "", title: str = "", is_final: bool = False) -> None:
        super().__init__(detail)
        members = {"code": code, "title": title, "detail": detail}
        self.error: Mapping[str, Any] = {name: value for name, value in members.items() if value or name == "detail"}
        self.is_final = is_final


class TimeLimitError(TaskFailedError):
    """The run has reached its time limit."""

    def __init__(self) -> None:
        super().__init__("time limit exceeded", code="time-limit-exceeded", title="time limit exceeded")


class ClaimLostError(Exception):
    """The task was deleted, or recovered by a dispatcher: no result of the run can be stored."""


@frozen
class Rerun:
    """Returned by a function to run again, after `delay_s` or later."""

    delay_s: float


@frozen
class TaskRun:
    """One run of a task. `data` is the run's own copy, which is stored at the end and by `save`."""

    task: Task
    data: dict[str, Any]
    time_limit_ms: int
    now_ms: Callable[[], int]
    save: Callable[[], None]
    """Stores the current `data`, so that clients see the progress. Raises ClaimLostError."""

    @property
    def time_left_s(self) -> float:
        """The time until the limit of the run; negative after it."""
        return (self.time_limit_ms - self.now_ms()) / 1000

    def check_time(self) -> None:
        """Raise unless there is time left; loops call it once a round.

        Raises:
            TimeLimitError: the run has reached its time limit.
        """
        if self.time_left_s <= 0:
            raise TimeLimitError


@frozen
class Retry:
    """The retries of a failed task, each after a delay `factor` times as long; `data.retryCount` counts them."""

    max_retries: int = 4
    first_delay_s: float = 60
    factor: float = 2

    def delay_s(self, count: int) -> float:
        """The delay before the retry with this number, counted from 1."""
        return self.first_delay_s * self.factor ** (count - 1)


@frozen
class Job:
    """Makes a type a job of the platform: one task with the type's name exists from the deployment on."""

    every_s: int
    """The time from the end of a run, successful or not, to the next one."""
    priority: int = 5
    data: Mapping[str, Any] = field(default_factory=dict)


ServicesT = TypeVar("ServicesT", contravariant=True)
"""The services that a function takes. A function that takes few can be run with many."""


@frozen
class TaskType(Generic[ServicesT]):
    """A kind of task that the runner can run."""

    name: str
    """`strandline.<area>.<verb>`."""
    function: Callable[[TaskRun, ServicesT], Rerun | None]
    typical_s: int
    """M, the time that a run normally takes at most. The limits below derive from it."""
    max_concurrency: int = 1
    """Number of tasks of the type that run at the same time."""
    retry: Retry | None = None
    job: Job | None = None

    def __post_init__(self) -> None:
        if self.hard_limit_s > MAX_RUN_S:
            raise ValueError(f"{self.name}: no worker can run {self.hard_limit_s} s")
        if self.job and self.retry:
            raise ValueError(f"{self.name}: a job runs again anyway")

    @property
    def time_limit_s(self) -> int:
        """2 M, when `check_time` stops the run."""
        return 2 * self.typical_s

    @property
    def hard_limit_s(self) -> float:
        """2.5 M, when the worker's process ends itself, so that it is certain to be gone at the deadline."""
        return 2.5 * self.typical_s

    @property
    def deadline_s(self) -> int:
        """3 M, when dispatchers recover the task as stalled."""
        return 3 * self.typical_s


FIRST_RUN_AFTER_MS = 5 * 60 * 1000
"""The delay before the first run of a new job, so that tasks of the deployer run first."""

Registry = Mapping[str, TaskType[ServicesT]]


def registry(types: Iterable[TaskType[ServicesT]]) -> Registry[ServicesT]:
    """Task types by name.

    Raises:
        ValueError: two types have the same name.
    """
    by_name: dict[str, TaskType[ServicesT]] = {}
    for task_type in types:
        if task_type.name in by_name:
            raise ValueError(f"{task_type.name} is registered twice")
        by_name[task_type.name] = task_type
    return by_name


def seed(job: Job, task_type: TaskType[Any], task_id: str, now_ms: int) -> Task:
    """The task of a platform job."""
    return Task(
        id=task_id,
        type=task_type.name,
        created_time_ms=now_ms,
        name=task_type.name,
        priority=job.priority,
        data=job.data,
        available_time_ms=now_ms + FIRST_RUN_AFTER_MS,
    )
