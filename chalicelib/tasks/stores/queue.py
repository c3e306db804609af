"""Messages to the workers of tasks, in SQS."""

from dataclasses import asdict
from typing import Any

from chalicelib.config import Settings
from chalicelib.engine import sqs
from chalicelib.engine.errors import refusals
from chalicelib.json_text import encode
from chalicelib.tasks.ports import RunOrder

WAKE_AFTER_S = 10
"""Those who create several tasks are done by then, and of all that they created the most urgent one is the first."""


class SqsTaskQueue:
    """The port `TaskQueue` on SQS: a message is the order as a JSON object, or `{"wake": <type>}`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, order: RunOrder) -> None:
        """One call; one more before the first."""
        self._send(asdict(order), 0)

    def wake(self, task_type: str) -> None:
        """One call; one more before the first."""
        self._send({"wake": task_type}, WAKE_AFTER_S)

    def _send(self, message: dict[str, Any], delay_s: int) -> None:
        client, url = sqs.queue(self._settings.region, self._settings.tasks_queue)
        with refusals():
            client.send_message(QueueUrl=url, MessageBody=encode(message).decode(), DelaySeconds=delay_s)
