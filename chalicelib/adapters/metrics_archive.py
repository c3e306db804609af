"""Events in S3, and records that are none in SQS."""

import base64
import gzip
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import orjson

from chalicelib.adapters import s3
from chalicelib.adapters.refusals import refusals
from chalicelib.config import Settings
from chalicelib.domain.ports_metrics import RejectedRecord

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PREFIX = "metrics/"
"""Under which the bucket keeps events; its lifecycle removes them."""
LONGEST_DATA_BYTES = 150_000
"""How much of a rejected record is shown: a message of SQS takes 256 KiB, and base64 makes four bytes of three."""


class S3EventArchive:
    """The events' part of the stage's bucket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """Nothing, once the object is there. The same lines make the same bytes."""
        body = gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)
        with s3.refusals():
            s3.client(self._settings).put_object(
                Bucket=self._settings.bucket, Key=PREFIX + name, Body=body, ContentType="application/gzip"
            )


class SqsRejectedRecords:
    """The stage's queue of records that are no events."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def put(self, rejected: RejectedRecord) -> None:
        """Nothing, once the queue has it. The message says where in the stream the record is, and why it is here."""
        record = rejected.record
        message = {
            "reason": rejected.reason,
            "shardId": record.shard_id,
            # Longer than a JSON number may be.
            "sequenceNumber": str(record.sequence_number),
            "sizeBytes": len(record.data),
            "dataBase64": base64.b64encode(record.data[:LONGEST_DATA_BYTES]).decode(),
        }
        sqs, url = _queue(self._settings.region, self._settings.metrics_failure_queue)
        with refusals():
            sqs.send_message(QueueUrl=url, MessageBody=orjson.dumps(message).decode())


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
