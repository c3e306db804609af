"""The messages to the workers of tasks, in the queue of an engine in memory, and the runs that they ask for."""

import json
from typing import Any

from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.sqlite_queue import TASKS
from chalicelib.jobs import TASK_TYPES
from chalicelib.services import Services
from chalicelib.tasks.dispatch import tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.worker import carry_out
from tests.fakes.engine import clear_queue, queued_messages


def run_due(services: Services, engine: EmbeddedEngine) -> None:
    """Tick, and let workers carry out what it started."""
    tick(TASK_TYPES, services.tasks)
    while messages := take_runs(engine):
        for message in messages:
            carry_out(message, TASK_TYPES, services, services.tasks)


def take_runs(engine: EmbeddedEngine) -> list[RunMessage]:
    """The run messages that waited, in the order in which they were sent. The queue is emptied, of wake-ups, too."""
    messages = _messages(engine)
    if messages:
        clear_queue(engine, TASKS.name)
    return [RunMessage(**message) for message in messages if "wake" not in message]


def wake_ups(engine: EmbeddedEngine) -> list[str]:
    """The types whose ready tasks are to start, in the order in which the messages were sent."""
    return [message["wake"] for message in _messages(engine) if "wake" in message]


def _messages(engine: EmbeddedEngine) -> list[dict[str, Any]]:
    return [json.loads(body) for body in queued_messages(engine, TASKS.name)]
