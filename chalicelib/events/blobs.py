"""The consumer of the bucket's notifications of created objects, which arrive through a queue.

The queue delivers at least once and in any order. A notification that cannot be processed is delivered again, and after
some deliveries moves to the dead-letter queue; the rest of its batch is not affected.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
from chalice.app import Blueprint

from chalicelib.access.call import platform_call
from chalicelib.blobs.content import UploadOutcome, confirm_upload
from chalicelib.config import Settings
from chalicelib.observability import logger, observed, stack_frames
from chalicelib.services import services

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from chalice.app import SQSEvent

BATCH_SIZE = 10
MAX_CONCURRENCY = 4
"""Concurrent instances of the function: enough for 200 uploads in half a minute, and few beside those of the API."""

METRICS = {
    UploadOutcome.AVAILABLE: "UploadedBlobs",
    UploadOutcome.STRAY: "StrayContents",
    UploadOutcome.OTHER: "OtherContents",
}
"""The metrics of outcomes; the bucket's lifecycle removes stray and other contents."""

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(
    queue=Settings().blob_events_queue,
    name="on_object_created",
    batch_size=BATCH_SIZE,
    maximum_concurrency=MAX_CONCURRENCY,
)
@observed
def on_object_created(event: "SQSEvent") -> dict[str, Any]:
    """Confirm the uploads of a batch, and return the messages that the queue must deliver again."""
    from aws_lambda_powertools.utilities.batch import (  # imported late: only this function needs it
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    failures = process_partial_response(event.to_dict(), confirm_all, processor)
    for error in filter(None, (information[1] for information in processor.exceptions)):
        logger.warning("to be delivered again", error=type(error).__name__, at=stack_frames(error))
    return dict(failures)


def confirm_all(record: "SQSRecord") -> None:
    """Make the blobs available whose contents a message reports. A test message reports none."""
    current = services()
    for key in object_keys(record.body):
        outcome = confirm_upload(platform_call(current.now_ms(), current.new_id), key, current.blobs)
        logger.info("content came", found=outcome.value)
        if outcome in METRICS:
            current.count(METRICS[outcome], 1)


def object_keys(body: str) -> list[str]:
    """The keys of the created objects in a message of the bucket; none in a test message."""
    records = orjson.loads(body).get("Records", ())
    return [
        unquote_plus(record["s3"]["object"]["key"])
        for record in records
        if record["eventName"].startswith("ObjectCreated:")
    ]
