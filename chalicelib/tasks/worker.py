"""Runs one task: takes up the claim, runs the function of its type, stores the outcome, and starts the next task.

Messages arrive at least once and may arrive late. A claim is taken up once: by the first delivery, in time. The outcome
is stored on condition that the claim still holds, so a worker that lost its claim cannot overwrite anything.
Source: task-api 7, 8.3, 8.4 and 9.
"""

import traceback
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnavailableError
from chalicelib.frozen import frozen
from chalicelib.json_text import encode
from chalicelib.tasks.dispatch import start
from chalicelib.tasks.ports import RunMessage, TaskPorts
from chalicelib.tasks.task import Ending, State, Task, ended, is_claimed, saved, started
from chalicelib.tasks.types import ClaimLostError, Job, Registry, Rerun, TaskFailedError, TaskRun, TaskType

ServicesT = TypeVar("ServicesT")


class RunResult(StrEnum):
    """The result of a message."""

    COMPLETED = "completed"
    FAILED = "failed"
    AGAIN = "again"
    """The task is pending again, after a success or a failure."""
    DROPPED = "dropped"
    """The message was late, or another delivery came first, or the claim was lost during the run."""


@frozen
class RunOutcome:
    """The outcome of a message. `error` is what the function raised, for the log."""

    result: RunResult
    duration_ms: int = 0
    is_long: bool = False
    """True if the run took longer than the type's typical time."""
    error: Exception | None = None


class UnfitDataError(TaskFailedError):
    """The data that the run left cannot be stored: it is too large, or not JSON."""

    def __init__(self) -> None:
        super().__init__(f"data is not JSON of at most {MAX_DATA_BYTES} bytes", code="data-unfit")


DROPPED = RunOutcome(RunResult.DROPPED)
MAX_DATA_BYTES = 350_000
"""As JSON: a task is one item, and an item of DynamoDB takes 400 KB."""


def carry_out(message: RunMessage, types: Registry[ServicesT], services: ServicesT, ports: TaskPorts) -> RunOutcome:
    """Run the task of a message to its end, then start tasks of its type in the released slot.

    Args:
        services: the services that the functions of tasks take.
    """
    task_type = types.get(message.task_type)
    if task_type is None:
        return DROPPED
    task = _take_up(message, task_type, ports)
    if task is None:
        return DROPPED
    outcome = _run(message, task, types, services, ports)
    ports.slots.release(message.task_type, message.slot_number, message.slot_holder)
    start(task_type, types, ports)
    return outcome


def _take_up(message: RunMessage, task_type: TaskType[Any], ports: TaskPorts) -> Task | None:
    """Take up the claim, and return the task; None if the claim is lost, already taken up, or has no time left."""

    def attempt() -> Task | None:
        task = ports.tasks.find(message.task_id)
        if task is None or not is_claimed(task, message.run_time_ms) or task.is_started:
            return None
        if ports.now_ms() >= _time_limit_ms(message, task_type):
            return None
        return ports.tasks.replace(started(task))

    return retry_on_conflict(attempt, max_attempts=None)


def _time_limit_ms(message: RunMessage, task_type: TaskType[Any]) -> int:
    return message.run_time_ms + task_type.time_limit_s * 1000


def _run(
    message: RunMessage, task: Task, types: Registry[ServicesT], services: ServicesT, ports: TaskPorts
) -> RunOutcome:
    task_type = types[message.task_type]
    data = dict(task.data)

    def save() -> None:
        _require_storable(data)
        if _replace_while_claimed(message, ports, lambda current: saved(current, dict(data))) is None:
            raise ClaimLostError

    run = TaskRun(task, data, _time_limit_ms(message, task_type), ports.now_ms, save)
    error: Exception | None = None
    try:
        again = task_type.function(run, services)
        _require_storable(data)
    except ClaimLostError:
        return DROPPED
    except Exception as caught:  # noqa: BLE001  any error of a run becomes the error of its task, and does not stop the runner
        error = caught
        ending = _failure(task, task_type, data if _is_storable(data) else dict(task.data), caught, ports.now_ms())
    else:
        ending = _success(task, task_type, data, again, ports.now_ms())
    now_ms = ports.now_ms()
    stored = _replace_while_claimed(message, ports, lambda current: ended(current, ending, types, now_ms))
    if stored is None:
        return RunOutcome(RunResult.DROPPED, error=error)
    duration_ms = stored.duration_ms or 0
    return RunOutcome(_RESULTS[stored.state], duration_ms, duration_ms > task_type.typical_s * 1000, error)


def _is_storable(data: Mapping[str, Any]) -> bool:
    """Whether the data can be stored."""
    try:
        return len(encode(data)) <= MAX_DATA_BYTES
    except TypeError:
        return False


def _require_storable(data: Mapping[str, Any]) -> None:
    """Raise unless the data can be stored."""
    if not _is_storable(data):
        raise UnfitDataError


_RESULTS = {State.COMPLETED: RunResult.COMPLETED, State.FAILED: RunResult.FAILED, State.PENDING: RunResult.AGAIN}


def _replace_while_claimed(message: RunMessage, ports: TaskPorts, change: Callable[[Task], Task]) -> Task | None:
    """Replace the task by its change, and return it; None if the claim no longer holds."""

    def attempt() -> Task | None:
        task = ports.tasks.find(message.task_id)
        if task is None or not is_claimed(task, message.run_time_ms):
            return None
        return ports.tasks.replace(change(task))

    return retry_on_conflict(attempt, max_attempts=None)


def _success(task: Task, task_type: TaskType[Any], data: dict[str, Any], again: Rerun | None, now_ms: int) -> Ending:
    if task_type.retry is not None:
        data.pop(RETRY_COUNT, None)
    if again is not None:
        return Ending(State.PENDING, data, available_time_ms=now_ms + round(again.delay_s * 1000))
    if (job := _job(task, task_type)) is not None:
        return Ending(State.PENDING, data, available_time_ms=now_ms + job.every_s * 1000)
    return Ending(State.COMPLETED, data)


def _failure(task: Task, task_type: TaskType[Any], data: dict[str, Any], error: Exception, now_ms: int) -> Ending:
    errors = (_error(error),)
    if (job := _job(task, task_type)) is not None:
        return Ending(State.PENDING, data, errors, now_ms + job.every_s * 1000)
    if task_type.retry is not None and not (isinstance(error, TaskFailedError) and error.is_final):
        before = data.get(RETRY_COUNT)
        count = (before if isinstance(before, int) else 0) + 1
        if count <= task_type.retry.max_retries:
            data[RETRY_COUNT] = count
            return Ending(State.PENDING, data, errors, now_ms + round(task_type.retry.delay_s(count) * 1000))
    return Ending(State.FAILED, data, errors)


def _job(task: Task, task_type: TaskType[Any]) -> Job | None:
    """The job of the type if the task is the platform's own; a task that a client created with this type runs once."""
    return task_type.job if task.name == task_type.name else None


RETRY_COUNT = "retryCount"


def _error(error: Exception) -> Mapping[str, Any]:
    """The error as clients see it. The message of a defect may quote a value, so only its type and place are shown."""
    match error:
        case TaskFailedError():
            return error.error
        case UnavailableError():
            title = "service is unavailable for the moment"
            return {"code": "service-unavailable", "title": title, "detail": title}
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = place.filename.rpartition("/")[2]
    caller = {"package": "chalicelib", "function": place.name, "file": file, "line": place.lineno}
    return {"detail": "unhandled panic", "meta": {"error": type(error).__name__}, "caller": caller}
