"""What servers do with tasks: create, list, read, change, delete. Source: task-api 1 to 6."""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Caller
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import TaskNotFoundError, UnauthorizedError, UnavailableError
from chalicelib.model.times import format_time
from chalicelib.tasks.bodies import read_changes, read_list, read_new_task
from chalicelib.tasks.ports import TaskQueue, TaskStore
from chalicelib.tasks.task import ScheduleState, Task, TaskChanges, changed


def create(
    caller: Caller,
    read_body: Callable[[], Any],
    *,
    tasks: TaskStore,
    queue: TaskQueue,
    known_types: Container[str],
    now_ms: int,
    new_id: Callable[[], str],
) -> dict[str, Any]:
    """Keeps a new task and says what it is, its times as they were sent. One that may run soon does not wait for the
    next tick.

    Args:
        read_body: the JSON value of the body; called only for a caller who may.

    Raises:
        UnauthorizedError: the caller is no server.
        MalformedJsonError, InvalidFieldsError: the body is no description of a task.
        TaskNameTakenError: another task has this name.

    Source: task-api 4.
    """
    _require_server(caller)
    new = read_new_task(read_body(), now_ms)
    bare = Task(id=new_id(), type=new.type, created_time_ms=now_ms, name=new.name)
    task = _as_created(bare, new.changes, known_types, now_ms)
    tasks.add(task)
    if task.schedule_state is ScheduleState.READY:
        with suppress(UnavailableError):  # the task is kept, and the next tick will find it
            queue.wake(task.type)
    return as_task(task) | dict(new.sent_times)


def list_tasks(caller: Caller, parameters: Mapping[str, Sequence[str]], *, tasks: TaskStore) -> list[dict[str, Any]]:
    """The tasks that the parameters select, newest first.

    Raises:
        UnauthorizedError: the caller is no server.
        InvalidFieldsError: a parameter breaks a rule.

    Source: task-api 2.
    """
    _require_server(caller)
    wanted = read_list(parameters)
    return [as_task(task) for task in tasks.listed(wanted.task_filter, wanted.page * wanted.size, wanted.size)]


def get(caller: Caller, task_id: str, *, tasks: TaskStore) -> dict[str, Any]:
    """One task.

    Raises:
        UnauthorizedError: the caller is no server.
        TaskNotFoundError: there is none with this id.

    Source: task-api 3.
    """
    _require_server(caller)
    return as_task(_found(task_id, tasks))


def update(
    caller: Caller,
    task_id: str,
    read_body: Callable[[], Any],
    *,
    tasks: TaskStore,
    known_types: Container[str],
    now_ms: int,
) -> dict[str, Any]:
    """Changes a task in whatever state it is, and says what it is now.

    What is changed during a run is not lost when the run ends.

    Raises:
        UnauthorizedError: the caller is no server.
        MalformedJsonError, InvalidFieldsError: the body describes no change.
        TaskNotFoundError: there is none with this id.

    Source: task-api 5.
    """
    _require_server(caller)
    changes = read_changes(read_body(), now_ms)
    return as_task(
        retry_on_conflict(lambda: tasks.replace(changed(_found(task_id, tasks), changes, known_types, now_ms)))
    )


def delete(caller: Caller, task_id: str, *, tasks: TaskStore) -> None:
    """Removes a task in whatever state it is; a run goes on and its result is dropped. An unknown id is no error.

    Raises:
        UnauthorizedError: the caller is no server.

    Source: task-api 6.
    """
    _require_server(caller)
    tasks.delete(task_id)


def as_task(task: Task) -> dict[str, Any]:
    """The task as the API shows it: what has no value is left out. Source: task-api 3."""
    shown: dict[str, Any] = {
        "id": task.id,
        "name": task.name,
        "type": task.type,
        "priority": task.priority or None,
        "data": dict(task.data) or None,
        "availableTime": _time(task.available_time_ms),
        "deadlineTime": _time(task.deadline_time_ms),
        "expirationTime": _time(task.expiration_time_ms),
        "state": str(task.state),
        "error": _error(task.errors),
        "runTime": _time(task.run_time_ms),
        "duration": None if task.duration_ms is None else task.duration_ms / 1000,
        "createdTime": _time(task.created_time_ms),
        "modifiedTime": _time(task.modified_time_ms),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _require_server(caller: Caller) -> None:
    if not caller.is_server:
        raise UnauthorizedError


def _as_created(task: Task, changes: TaskChanges, known_types: Container[str], now_ms: int) -> Task:
    """A change of a task that nobody has seen yet, hence no modification."""
    return replace(changed(task, changes, known_types, now_ms), modified_time_ms=None)


def _found(task_id: str, tasks: TaskStore) -> Task:
    task = tasks.find(task_id)
    if task is None:
        raise TaskNotFoundError(task_id)
    return task


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else format_time(time_ms)


def _error(errors: Sequence[Mapping[str, Any]]) -> Any:
    """One error is an object, several are an array. Source: task-api 3."""
    if len(errors) > 1:
        return [dict(error) for error in errors]
    return dict(errors[0]) if errors else None
