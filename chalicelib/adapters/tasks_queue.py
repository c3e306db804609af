"""Orders to the workers of tasks, in SQS."""

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.adapters.refusals import refusals
from chalicelib.config import Settings
from chalicelib.contract.json_text import encode
from chalicelib.domain.ports_tasks import RunOrder

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsTaskQueue:
    """The port `TaskQueue` on SQS: the message is the order as a JSON object."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, order: RunOrder) -> None:
        """One call; one more before the first."""
        sqs, url = _queue(self._settings.region, self._settings.tasks_queue)
        with refusals():
            sqs.send_message(QueueUrl=url, MessageBody=encode(asdict(order)).decode())


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
