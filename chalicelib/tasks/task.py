"""Tasks and their life cycle: pending, claimed, started, ended, and possibly pending again.

All changes are pure functions from a task to the changed task. The store writes the result on condition that no other
writer has changed the task (`revision`). Source: task-api 3, 7 and 8.
"""

from collections.abc import Container, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

from chalicelib.frozen import frozen


class State(StrEnum):
    """The state that clients see, in the order in which errors list the states."""

    PENDING = "pending"
    RUNNING = "running"
    FAILED = "failed"
    COMPLETED = "completed"


class ScheduleState(StrEnum):
    """The place of a task in the schedule. It follows from the task, the registered types and the time of its last
    change. The runner never reads unscheduled tasks."""

    LATER = "later"
    """Pending until `available_time_ms`."""
    READY = "ready"
    """Pending and available: scheduled with its type, by priority."""
    RUNNING = "running"
    """Claimed until `deadline_time_ms`."""
    UNKNOWN = "unknown"
    """Pending, of a type that is not registered."""
    UNSCHEDULED = "nowhere"
    """Ended, or expired before it could run."""


@frozen
class Task:
    """A task. Times are milliseconds since the epoch; members that the API omits are None, 0 or empty."""

    id: str
    type: str
    created_time_ms: int
    name: str | None = None
    priority: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    available_time_ms: int | None = None
    deadline_time_ms: int | None = None
    expiration_time_ms: int | None = None
    state: State = State.PENDING
    errors: tuple[Mapping[str, Any], ...] = ()
    run_time_ms: int | None = None
    """Time at which it was last claimed. It identifies the claim, which a worker needs to end the run."""
    duration_ms: int | None = None
    modified_time_ms: int | None = None
    schedule_state: ScheduleState = ScheduleState.UNSCHEDULED
    is_started: bool = False
    """True if a worker took up the claim; a second delivery of the same message does nothing then."""
    is_data_put: bool = False
    """True if a client put `data` during the run, which then replaces the data of the run."""
    revision: int = 0


@frozen
class Ending:
    """The end of a run. `available_time_ms` is the time when a task that is pending again may run next."""

    state: State
    data: Mapping[str, Any]
    errors: tuple[Mapping[str, Any], ...] = ()
    available_time_ms: int | None = None


@frozen
class TaskChanges:
    """The fields that a client may change; None leaves a field unchanged."""

    priority: int | None = None
    data: Mapping[str, Any] | None = None
    available_time_ms: int | None = None
    expiration_time_ms: int | None = None


def is_eligible(task: Task, now_ms: int) -> bool:
    """Whether the task may be claimed. Source: task-api 8.1."""
    return (
        task.state is State.PENDING
        and (task.available_time_ms is None or task.available_time_ms <= now_ms)
        and not is_expired(task, now_ms)
    )


def is_expired(task: Task, now_ms: int) -> bool:
    """Whether the time until which the task may start has passed."""
    return task.expiration_time_ms is not None and task.expiration_time_ms <= now_ms


def is_stalled(task: Task, now_ms: int) -> bool:
    """Whether the task was claimed and its worker did not end it by the deadline. Source: task-api 8.4."""
    return task.state is State.RUNNING and task.deadline_time_ms is not None and task.deadline_time_ms < now_ms


def is_claimed(task: Task | None, run_time_ms: int) -> bool:
    """Whether the claim made at `run_time_ms` holds."""
    return task is not None and task.state is State.RUNNING and task.run_time_ms == run_time_ms


def with_schedule_state(task: Task, known_types: Container[str], now_ms: int) -> Task:
    """The task with the schedule state that it has now."""
    return replace(task, schedule_state=_schedule_state(task, known_types, now_ms))


def _schedule_state(task: Task, known_types: Container[str], now_ms: int) -> ScheduleState:
    if task.state is State.RUNNING:
        return ScheduleState.RUNNING
    if task.state is not State.PENDING or is_expired(task, now_ms):
        return ScheduleState.UNSCHEDULED
    if task.type not in known_types:
        return ScheduleState.UNKNOWN
    if task.available_time_ms is None or task.available_time_ms <= now_ms:
        return ScheduleState.READY
    return ScheduleState.UNSCHEDULED if is_expired(task, task.available_time_ms) else ScheduleState.LATER


def claimed(task: Task, run_time_ms: int, deadline_time_ms: int) -> Task:
    """The task after a dispatcher claimed it. Source: task-api 7."""
    return replace(
        task,
        state=State.RUNNING,
        schedule_state=ScheduleState.RUNNING,
        available_time_ms=None,
        deadline_time_ms=deadline_time_ms,
        run_time_ms=run_time_ms,
        modified_time_ms=run_time_ms,
        is_started=False,
        is_data_put=False,
    )


def started(task: Task) -> Task:
    """The task after a worker took up the claim; the errors of the last run are removed. Source: task-api 8.5."""
    return replace(task, is_started=True, errors=())


def recovered(task: Task, known_types: Container[str], now_ms: int) -> Task:
    """The stalled task, pending again; nothing else changes that clients see. Source: task-api 8.4."""
    pending = replace(task, state=State.PENDING, deadline_time_ms=None, is_started=False, is_data_put=False)
    return with_schedule_state(pending, known_types, now_ms)


def saved(task: Task, data: Mapping[str, Any]) -> Task:
    """The running task with the progress of the run, unless a client put other data in the meantime."""
    return task if task.is_data_put else replace(task, data=data)


def ended(task: Task, ending: Ending, known_types: Container[str], now_ms: int) -> Task:
    """The running task after its run.

    Changes that a client made during the run count as if they had been made after it: they replace `data` and
    `availableTime` of the run. A run never changes `priority` and `expirationTime`. Source: task-api 7.
    """
    available_time_ms = task.available_time_ms
    if available_time_ms is None and ending.state is State.PENDING:
        available_time_ms = max(ending.available_time_ms or now_ms, now_ms)
    after = replace(
        task,
        state=ending.state,
        data=task.data if task.is_data_put else ending.data,
        errors=ending.errors,
        available_time_ms=available_time_ms,
        deadline_time_ms=None,
        duration_ms=max(now_ms - (task.run_time_ms or now_ms), 0),
        modified_time_ms=now_ms,
        is_started=False,
        is_data_put=False,
    )
    return with_schedule_state(after, known_types, now_ms)


def changed(task: Task, changes: TaskChanges, known_types: Container[str], now_ms: int) -> Task:
    """The task after a PUT, in the same state. Source: task-api 5."""
    after = replace(
        task,
        priority=task.priority if changes.priority is None else changes.priority,
        data=task.data if changes.data is None else changes.data,
        available_time_ms=task.available_time_ms if changes.available_time_ms is None else changes.available_time_ms,
        expiration_time_ms=(
            task.expiration_time_ms if changes.expiration_time_ms is None else changes.expiration_time_ms
        ),
        modified_time_ms=now_ms,
        is_data_put=task.is_data_put or (task.state is State.RUNNING and changes.data is not None),
    )
    return with_schedule_state(after, known_types, now_ms)
