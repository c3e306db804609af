"""Queues on SQS."""

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.engine.aws.errors import engine_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@cache
def queue(region: str, name: str) -> tuple["SQSClient", str]:
    """A client, and the address of the queue of this name, which is asked for once."""
    import boto3  # late: it is a third of a second at cold start
    from botocore.config import Config

    config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})
    sqs = boto3.client("sqs", region_name=region, config=config)
    with engine_errors():
        return sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"]


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    queue.cache_clear()


class SqsQueue:
    """The port `Queue` on SQS."""

    def __init__(self, region: str, name: str) -> None:
        self._region = region
        self._name = name

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """See `Queue.send`. The call before the first asks for the address of the queue."""
        client, url = queue(self._region, self._name)
        with engine_errors():
            client.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
