"""Queues on SQS."""

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.engine.aws.clients import new_client
from chalicelib.engine.aws.errors import engine_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 5
MAX_ATTEMPTS = 4


@cache
def queue(region: str, name: str) -> tuple["SQSClient", str]:
    """A client, and the address of the queue of this name, which is asked for once."""
    sqs: SQSClient = new_client(
        "sqs", region, max_attempts=MAX_ATTEMPTS, connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S
    )
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
