"""Messages to the workers of tasks."""

from dataclasses import asdict
from typing import Any

from chalicelib.engine.queue import Queue
from chalicelib.json_text import encode
from chalicelib.tasks.ports import RunMessage

WAKE_AFTER_S = 10
"""The delay of a wake-up: a client that creates several tasks is done by then, and the most urgent one starts first."""


class QueuedTaskMessages:
    """The port `TaskQueue` on a queue: a message is the run message as a JSON object, or `{"wake": <type>}`."""

    def __init__(self, messages: Queue) -> None:
        self._messages = messages

    def send(self, message: RunMessage) -> None:
        """One call; one more before the first."""
        self._send(asdict(message))

    def wake(self, task_type: str) -> None:
        """One call; one more before the first."""
        self._send({"wake": task_type}, WAKE_AFTER_S)

    def _send(self, message: dict[str, Any], delay_s: int = 0) -> None:
        self._messages.send(encode(message).decode(), delay_s=delay_s)
