"""Messages to the workers of tasks, in SQS."""

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.refusals import refusals
from chalicelib.config import Settings
from chalicelib.contract.json_text import encode
from chalicelib.domain.ports_tasks import RunOrder

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


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
        sqs, url = _queue(self._settings.region, self._settings.tasks_queue)
        with refusals():
            sqs.send_message(QueueUrl=url, MessageBody=encode(message).decode(), DelaySeconds=delay_s)


@cache
def _queue(region: str, name: str) -> tuple["SQSClient", str]:
    import boto3  # late: it is a third of a second at cold start
    from botocore.config import Config

    config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})
    sqs = boto3.client("sqs", region_name=region, config=config)
    with refusals():
        return sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"]


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    _queue.cache_clear()
