"""The functions of the task runner: a dispatcher each minute, and a worker for each task that is started.

The first tick of a process adds the platform's jobs that are missing, so they exist after a deployment.
Source: task-api 8 and 9.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint

from chalicelib.access.call import platform_call
from chalicelib.config import Settings
from chalicelib.errors import MailServerError
from chalicelib.jobs import TASK_TYPES
from chalicelib.json_text import decode
from chalicelib.mail.message import order_from_message
from chalicelib.mail_orders import carry_out_order
from chalicelib.observability import logger, observed, stack_frames
from chalicelib.services import Services, services
from chalicelib.tasks.dispatch import seed_jobs, start, tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.worker import RunOutcome, RunResult, carry_out

if TYPE_CHECKING:
    from chalice.app import CloudWatchEvent, SQSEvent

MAX_CONCURRENCY = 2 + sum(task_type.max_concurrency for task_type in TASK_TYPES.values())
"""Concurrent workers: one for each slot, so that no claimed task waits for a worker, and two for wake-ups."""

blueprint = Blueprint(__name__)

_seeded: Services | None = None


@blueprint.schedule("rate(1 minute)", name="dispatch_tasks")
@observed
def dispatch_tasks(_event: "CloudWatchEvent") -> None:
    """Recover stalled tasks, and start due ones."""
    global _seeded
    current = services()
    summary = tick(TASK_TYPES, current.tasks)
    if summary.recovered or summary.started or summary.waiting:
        logger.info("tick", recovered=summary.recovered, started=summary.started, waiting=summary.waiting)
    if summary.recovered:
        current.count("RecoveredTasks", summary.recovered)
    if _seeded is not current:
        added = seed_jobs(TASK_TYPES, current.tasks)
        if added:
            logger.info("jobs seeded", made=added)
        _seeded = current


@blueprint.on_sqs_message(
    queue=Settings().tasks_queue, name="run_task", batch_size=1, maximum_concurrency=MAX_CONCURRENCY
)
@observed
def run_task(event: "SQSEvent") -> None:
    """Run the task of a message to its end, start the ready tasks of a type, or send a mail."""
    for record in event:
        message = decode(record.body.encode())
        if "mail" in message:
            _mail(message["mail"])
        elif "wake" in message:
            _wake(message["wake"])
        else:
            _run(RunMessage(**message))


def _mail(values: dict[str, str]) -> None:
    current, order = services(), order_from_message(values)
    call = platform_call(current.now_ms(), current.new_id)
    try:
        is_sent = carry_out_order(call, order, current)
    except MailServerError as error:
        logger.error("mail", kind=order.kind.value, problem=str(error))
        raise
    logger.info("mail", kind=order.kind.value, is_sent=is_sent)


def _wake(type_name: str) -> None:
    task_type = TASK_TYPES.get(type_name)
    if task_type is not None:
        start(task_type, TASK_TYPES, services().tasks)


def _run(message: RunMessage) -> None:
    with _hard_limit(message):
        current = services()
        outcome = carry_out(message, TASK_TYPES, current, current.tasks)
    _log_outcome(message, outcome)


@contextmanager
def _hard_limit(message: RunMessage) -> Iterator[None]:
    """End the run at its hard limit, and the process with it, shortly before a dispatcher recovers the task as stalled.

    A call that hangs cannot be asked to stop, and no task may run twice at the same time.
    """
    task_type = TASK_TYPES.get(message.task_type)
    if task_type is None:
        yield
        return
    left_s = message.run_time_ms / 1000 + task_type.hard_limit_s - services().now_ms() / 1000
    timer = threading.Timer(max(left_s, 0), _end_run, [message.task_type])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_run(task_type: str) -> None:
    logger.error("task ended at its hard limit", task_type=task_type)
    logger.registered_handler.flush()
    services().end_process()


def _log_outcome(message: RunMessage, outcome: RunOutcome) -> None:
    fields: dict[str, Any] = {
        "task_type": message.task_type,
        "result": outcome.result.value,
        "duration_ms": outcome.duration_ms,
    }
    if outcome.error is not None:
        fields |= {"error": type(outcome.error).__name__, "at": stack_frames(outcome.error)}
    if outcome.result is RunResult.FAILED or outcome.error is not None or outcome.is_long:
        logger.warning("task run", is_long=outcome.is_long, **fields)
    else:
        logger.info("task run", **fields)
    if outcome.error is not None:
        services().count("FailedTaskRuns", 1)
