"""Running one task: take up the claim, run the function of its type, keep what came of it, start the next one.

Orders come at least once and may come late. A claim is taken up once: by the first delivery, in time. What the run
leaves is kept on condition that its claim still holds, so a worker that everybody gave up cannot overwrite anything.
Source: task-api 7, 8.3, 8.4 and 9.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnavailableError
from chalicelib.json_text import encode
from chalicelib.tasks.dispatch import start
from chalicelib.tasks.ports import RunMessage, TaskServices
from chalicelib.tasks.task import Ending, State, Task, ended, is_claimed, saved, started
from chalicelib.tasks.types import ClaimLostError, Job, Registry, Rerun, TaskFailedError, TaskRun, TaskType

ServicesT = TypeVar("ServicesT", bound=TaskServices)


class RunResult(StrEnum):
    """What became of a message."""

    COMPLETED = "completed"
    FAILED = "failed"
    AGAIN = "again"
    """The task is pending again, after a success or a failure."""
    DROPPED = "dropped"
    """The order was late, or another delivery of it came first; or the claim was lost during the run."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What became of a message. `error` is what the function raised, for the log."""

    result: RunResult
    duration_ms: int = 0
    is_long: bool = False
    """Whether it took more than the type's typical time."""
    error: Exception | None = None


class UnfitDataError(TaskFailedError):
    """What the run left in its data cannot be kept: it is too large, or no JSON."""

    def __init__(self) -> None:
        super().__init__(f"data is no JSON of at most {MAX_DATA_BYTES} bytes", code="data-unfit")


DROPPED = RunOutcome(RunResult.DROPPED)
MAX_DATA_BYTES = 350_000
"""As JSON: a task is one item, and an item of DynamoDB takes 400 KB."""


def carry_out(message: RunMessage, services: ServicesT, types: Registry[ServicesT]) -> RunOutcome:
    """Run the task of a message to its end, then start tasks of its type in what has become free."""
    task_type = types.get(message.task_type)
    if task_type is None:
        return DROPPED
    task = _taken_up(message, task_type, services)
    if task is None:
        return DROPPED
    ran = _run(message, task, services, types)
    services.tasks.slots.release(message.task_type, message.slot_number, message.slot_holder)
    start(services, types, task_type)
    return ran


def _taken_up(message: RunMessage, task_type: TaskType[Any], services: TaskServices) -> Task | None:
    """The task with the claim taken up; None when there is nothing to take up, or no time left to do it in."""

    def attempt() -> Task | None:
        task = services.tasks.tasks.find(message.task_id)
        if task is None or not is_claimed(task, message.run_time_ms) or task.is_started:
            return None
        if services.now_ms() >= _time_limit_ms(message, task_type):
            return None
        return services.tasks.tasks.replace(started(task))

    return retry_on_conflict(attempt, max_attempts=None)


def _time_limit_ms(message: RunMessage, task_type: TaskType[Any]) -> int:
    return message.run_time_ms + task_type.time_limit_s * 1000


def _run(message: RunMessage, task: Task, services: ServicesT, types: Registry[ServicesT]) -> RunOutcome:
    task_type = types[message.task_type]
    data = dict(task.data)

    def save() -> None:
        _require_fit(data)
        if _replaced_while_claimed(message, services, lambda current: saved(current, dict(data))) is None:
            raise ClaimLostError

    run = TaskRun(task, data, _time_limit_ms(message, task_type), services.now_ms, save)
    error: Exception | None = None
    try:
        again = task_type.function(run, services)
        _require_fit(data)
    except ClaimLostError:
        return DROPPED
    except Exception as caught:  # noqa: BLE001  whatever a run raises ends on its task, and never stops the runner
        error = caught
        ending = _failure(task, task_type, data if _fits(data) else dict(task.data), caught, services.now_ms())
    else:
        ending = _success(task, task_type, data, again, services.now_ms())
    now_ms = services.now_ms()
    kept = _replaced_while_claimed(message, services, lambda current: ended(current, ending, types, now_ms))
    if kept is None:
        return RunOutcome(RunResult.DROPPED, error=error)
    duration_ms = kept.duration_ms or 0
    return RunOutcome(_RESULTS[kept.state], duration_ms, duration_ms > task_type.typical_s * 1000, error)


def _fits(data: Mapping[str, Any]) -> bool:
    """Whether the data can be kept."""
    try:
        return len(encode(data)) <= MAX_DATA_BYTES
    except TypeError:
        return False


def _require_fit(data: Mapping[str, Any]) -> None:
    if not _fits(data):
        raise UnfitDataError


_RESULTS = {State.COMPLETED: RunResult.COMPLETED, State.FAILED: RunResult.FAILED, State.PENDING: RunResult.AGAIN}


def _replaced_while_claimed(message: RunMessage, services: TaskServices, change: Callable[[Task], Task]) -> Task | None:
    """The task after the change; None when the claim no longer holds."""

    def attempt() -> Task | None:
        task = services.tasks.tasks.find(message.task_id)
        if task is None or not is_claimed(task, message.run_time_ms):
            return None
        return services.tasks.tasks.replace(change(task))

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
    """What makes the task one of the platform's own; one of the same type that somebody created runs once."""
    return task_type.job if task.name == task_type.name else None


RETRY_COUNT = "retryCount"


def _error(error: Exception) -> Mapping[str, Any]:
    """What clients read of an error. A defect's message may quote a value, so only its kind and place are told."""
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
