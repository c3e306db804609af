"""The rules of the task API: create, list, read, change and delete. Source: task-api 1 to 6."""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import TaskExistsError, TaskNotFoundError, UnavailableError
from chalicelib.model.times import format_time
from chalicelib.tasks.bodies import read_changes, read_list, read_new_task
from chalicelib.tasks.ports import TaskPorts
from chalicelib.tasks.task import ScheduleState, Task, TaskChanges, changed


def create(call: Call, read_body: Callable[[], Any], known_types: Container[str], ports: TaskPorts) -> dict[str, Any]:
    """Store a new task and return it, its times as they were sent. A task that is ready starts before the next tick.

    Args:
        read_body: returns the JSON value of the body; called only for a caller who may create tasks.

    Raises:
        UnauthorizedError: the caller may not create tasks.
        MalformedJsonError, InvalidFieldsError: the body does not describe a task.
        TaskNameTakenError: another task has this name.
        TaskExistsError: an earlier request with the same idempotency key made another task.

    Source: task-api 4.
    """
    call.require()
    new = read_new_task(read_body(), call.now_ms)
    bare = Task(id=call.new_id(), type=new.type, created_time_ms=call.now_ms, name=new.name)
    task = _added(_as_created(bare, new.changes, known_types, call.now_ms), ports)
    if task.schedule_state is ScheduleState.READY:
        with suppress(UnavailableError):  # the task is stored, and the next tick finds it
            ports.queue.wake(task.type)
    return as_task(task) | dict(new.sent_times)


def list_tasks(call: Call, parameters: Mapping[str, Sequence[str]], ports: TaskPorts) -> list[dict[str, Any]]:
    """The tasks that the parameters select, newest first.

    Raises:
        UnauthorizedError: the caller may not list tasks.
        InvalidFieldsError: a parameter breaks a rule.

    Source: task-api 2.
    """
    call.require()
    wanted = read_list(parameters)
    return [as_task(task) for task in ports.tasks.listed(wanted.task_filter, wanted.page * wanted.size, wanted.size)]


def get(call: Call, task_id: str, ports: TaskPorts) -> dict[str, Any]:
    """One task.

    Raises:
        UnauthorizedError: the caller may not read tasks.
        TaskNotFoundError: there is none with this id.

    Source: task-api 3.
    """
    call.require()
    return as_task(_find_or_refuse(task_id, ports))


def update(
    call: Call, task_id: str, read_body: Callable[[], Any], known_types: Container[str], ports: TaskPorts
) -> dict[str, Any]:
    """Change a task in any state, and return it. A change during a run is not lost when the run ends.

    Raises:
        UnauthorizedError: the caller may not change tasks.
        MalformedJsonError, InvalidFieldsError: the body does not describe a change.
        TaskNotFoundError: there is none with this id.

    Source: task-api 5.
    """
    call.require()
    changes = read_changes(read_body(), call.now_ms)

    def attempt() -> Task:
        return ports.tasks.replace(changed(_find_or_refuse(task_id, ports), changes, known_types, call.now_ms))

    return as_task(retry_on_conflict(attempt))


def delete(call: Call, task_id: str, ports: TaskPorts) -> None:
    """Remove a task in any state; a run goes on, and its result is dropped. An unknown id is not an error.

    Raises:
        UnauthorizedError: the caller may not delete tasks.

    Source: task-api 6.
    """
    call.require()
    ports.tasks.delete(task_id)


def as_task(task: Task) -> dict[str, Any]:
    """The task as the API shows it, without the members that have no value. Source: task-api 3."""
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


def _as_created(task: Task, changes: TaskChanges, known_types: Container[str], now_ms: int) -> Task:
    """The new task with what the client asked for. It counts as unmodified."""
    return replace(changed(task, changes, known_types, now_ms), modified_time_ms=None)


def _added(task: Task, ports: TaskPorts) -> Task:
    """The task once it is stored: the new one, or the one of an earlier request for the same.

    A task that was run or changed since has other members, so only its name and type are compared.
    """
    try:
        ports.tasks.add(task)
    except TaskExistsError:
        earlier = ports.tasks.find(task.id)
        if earlier is None or (earlier.name, earlier.type) != (task.name, task.type):
            raise
        as_new = replace(earlier, created_time_ms=task.created_time_ms, schedule_state=task.schedule_state)
        if earlier.revision == task.revision and as_new != task:
            raise
        return earlier
    return task


def _find_or_refuse(task_id: str, ports: TaskPorts) -> Task:
    task = ports.tasks.find(task_id)
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
