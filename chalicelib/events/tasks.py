"""The runner of tasks: a dispatcher each minute, and a worker for each task that is started.

The first tick of a process makes sure that the platform's own jobs are there, so they are after a deployment.
Source: task-api 8 and 9.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint

from chalicelib.config import Settings
from chalicelib.jobs import TASK_TYPES
from chalicelib.json_text import decode
from chalicelib.observability import count, logger, observed, stack_frames
from chalicelib.services import Services, services
from chalicelib.tasks.dispatch import seed_jobs, start, tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.worker import RunOutcome, RunResult, carry_out

if TYPE_CHECKING:
    from chalice.app import CloudWatchEvent, SQSEvent

MAX_CONCURRENCY = 2 + sum(task_type.max_concurrency for task_type in TASK_TYPES.values())
"""Workers: one for each slot there is, so that no claimed task waits for one, and two to be woken."""

blueprint = Blueprint(__name__)

_seeded: Services | None = None


@blueprint.schedule("rate(1 minute)", name="dispatch_tasks")
@observed
def dispatch_tasks(_event: "CloudWatchEvent") -> None:
    """Recovers stalled tasks and starts those that are due."""
    global _seeded
    ours = services()
    ticked = tick(ours, TASK_TYPES)
    if ticked.recovered or ticked.started or ticked.waiting:
        logger.info("tick", recovered=ticked.recovered, started=ticked.started, waiting=ticked.waiting)
    if ticked.recovered:
        count("RecoveredTasks", ticked.recovered)
    if _seeded is not ours:
        made = seed_jobs(ours, TASK_TYPES)
        if made:
            logger.info("jobs seeded", made=made)
        _seeded = ours


@blueprint.on_sqs_message(
    queue=Settings().tasks_queue, name="run_task", batch_size=1, maximum_concurrency=MAX_CONCURRENCY
)
@observed
def run_task(event: "SQSEvent") -> None:
    """Runs the task of a message, to its end; or starts what is in the line of a type."""
    for record in event:
        message = decode(record.body.encode())
        if "wake" in message:
            _wake(message["wake"])
        else:
            _run(RunMessage(**message))


def _wake(type_name: str) -> None:
    task_type = TASK_TYPES.get(type_name)
    if task_type is not None:
        start(services(), TASK_TYPES, task_type)


def _run(message: RunMessage) -> None:
    with _ended_at_hard_limit(message):
        ran = carry_out(message, services(), TASK_TYPES)
    _tell(message, ran)


@contextmanager
def _ended_at_hard_limit(message: RunMessage) -> Iterator[None]:
    """Ends the process when the run takes so long that others will soon take the task for stalled.

    Only so no task is ever run twice at once: what hangs in a call cannot be asked to stop.
    """
    task_type = TASK_TYPES.get(message.task_type)
    if task_type is None:
        yield
        return
    left_s = message.run_time_ms / 1000 + task_type.hard_limit_s - services().now_ms() / 1000
    timer = threading.Timer(max(left_s, 0), _end_process, [message.task_type])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_process(task_type: str) -> None:
    logger.error("task ended at its hard limit", task_type=task_type)
    logger.registered_handler.flush()
    os._exit(1)


def _tell(message: RunMessage, ran: RunOutcome) -> None:
    told: dict[str, Any] = {"task_type": message.task_type, "result": ran.result.value, "duration_ms": ran.duration_ms}
    if ran.error is not None:
        told |= {"error": type(ran.error).__name__, "at": stack_frames(ran.error)}
    if ran.result is RunResult.FAILED or ran.error is not None or ran.is_long:
        logger.warning("task run", is_long=ran.is_long, **told)
    else:
        logger.info("task run", **told)
    if ran.error is not None:
        count("FailedTaskRuns")
