"""The records of queues, stream and schedule, as Lambda gives them to the functions of the platform."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.engine.embedded.sqlite_queue import Message
from chalicelib.engine.embedded.sqlite_stream import SHARD_ID, StreamRecord

SCHEDULED: Mapping[str, Any] = {
    "version": "0",
    "id": "",
    "account": "",
    "region": "",
    "source": "aws.events",
    "time": "",
    "resources": [],
    "detail-type": "Scheduled Event",
    "detail": {},
}
"""The event of the schedule."""


def sqs_event(messages: Iterable[Message]) -> dict[str, Any]:
    """The event of a batch of messages."""
    return {
        "Records": [
            {
                "messageId": str(message.id),
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": str(message.receive_count),
                    "SentTimestamp": str(message.sent_ms),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for message in messages
        ]
    }


def kinesis_event(records: Iterable[StreamRecord]) -> dict[str, Any]:
    """The event of a batch of records of the stream."""
    return {
        "Records": [
            {
                "eventID": f"{SHARD_ID}:{record.sequence_number}",
                "eventName": "aws:kinesis:record",
                "eventSource": "aws:kinesis",
                "kinesis": {
                    "partitionKey": record.partition_key,
                    "sequenceNumber": str(record.sequence_number),
                    "data": base64.b64encode(record.data).decode(),
                    "approximateArrivalTimestamp": record.arrived_ms / 1000,
                },
            }
            for record in records
        ]
    }


def failed_ids(result: Mapping[str, Any] | None) -> list[str]:
    """The ids in the partial failure that a function returned."""
    return [str(failure["itemIdentifier"]) for failure in (result or {}).get("batchItemFailures", ())]
