"""Events in S3, and records that are none in SQS."""

import base64
import gzip
from collections.abc import Sequence

import orjson

from chalicelib.config import Settings
from chalicelib.engine import s3, sqs
from chalicelib.engine.errors import refusals
from chalicelib.metrics.ports import RejectedRecord

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
        client, url = sqs.queue(self._settings.region, self._settings.metrics_failure_queue)
        with refusals():
            client.send_message(QueueUrl=url, MessageBody=orjson.dumps(message).decode())
