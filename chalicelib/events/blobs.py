"""Notices of the bucket that a content has come, by way of a queue.

The queue delivers at least once and in any order. A notice that cannot be acted on now is delivered again, and after a
few times goes to the dead-letter queue; the others of its batch are done with.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
from chalice.app import Blueprint

from chalicelib.access.call import platform_call
from chalicelib.blobs.content import UploadOutcome, confirm_upload
from chalicelib.config import Settings
from chalicelib.observability import count, logger, observed, stack_frames
from chalicelib.services import services

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from chalice.app import SQSEvent

BATCH_SIZE = 10
MAX_CONCURRENCY = 4
"""Instances of the function: enough for 200 uploads in half a minute, and few beside those that answer requests."""

METRICS = {
    UploadOutcome.AVAILABLE: "UploadedBlobs",
    UploadOutcome.STRAY: "StrayContents",
    UploadOutcome.OTHER: "OtherContents",
}
"""What is counted; contents that are strays or others go away by the bucket's lifecycle."""

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(
    queue=Settings().blob_events_queue,
    name="on_object_created",
    batch_size=BATCH_SIZE,
    maximum_concurrency=MAX_CONCURRENCY,
)
@observed
def on_object_created(event: "SQSEvent") -> dict[str, Any]:
    """The messages that have to be delivered again."""
    from aws_lambda_powertools.utilities.batch import (  # late: the other functions do without
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    again = process_partial_response(event.to_dict(), confirm_all, processor)
    for error in filter(None, (information[1] for information in processor.exceptions)):
        logger.warning("to be delivered again", error=type(error).__name__, at=stack_frames(error))
    return dict(again)


def confirm_all(record: "SQSRecord") -> None:
    """Makes blobs available whose contents one message tells of; one of another kind tells of none."""
    ours = services()
    for key in object_keys(record.body):
        found = confirm_upload(platform_call(ours.now_ms(), ours.new_id), key, ours.blobs)
        logger.info("content came", found=found.value)
        if found in METRICS:
            count(METRICS[found])


def object_keys(body: str) -> list[str]:
    """The keys of the objects that a message of the bucket says were created; a test message has none."""
    records = orjson.loads(body).get("Records", ())
    return [
        unquote_plus(record["s3"]["object"]["key"])
        for record in records
        if record["eventName"].startswith("ObjectCreated:")
    ]
