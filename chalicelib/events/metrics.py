"""The consumer of the metrics stream: batches of one shard, in order. Source: docs/metrics.md.

Kinesis delivers at least once. Stored records are skipped, and records that are not events are rejected. After a
transient fault the rest of the batch is delivered again: the function returns the first record that it could not store,
and fails as a whole when it could store none.
"""

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint

from chalicelib.metrics.keep import keep
from chalicelib.metrics.ports import StreamRecord
from chalicelib.observability import logger, observed
from chalicelib.services import services

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

blueprint = Blueprint(__name__)


class NotStoredError(Exception):
    """The record must be delivered again."""


@blueprint.lambda_function(name="on_metrics")
@observed
def on_metrics(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Store a batch, and return the sequence number from which Kinesis must deliver again; none if all are done.

    Raises:
        FunctionFailedError: no record could be stored.
    """
    from aws_lambda_powertools.utilities.batch import (  # imported late: only this function needs it
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    first_not_stored = keep([_stream_record(record) for record in event["Records"]], services().metrics)

    def settle(record: "KinesisStreamRecord") -> None:
        if first_not_stored is not None and int(record.kinesis.sequence_number) >= first_not_stored:
            raise NotStoredError

    logger.info("metrics batch", records=len(event["Records"]), is_kept=first_not_stored is None)
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
    return dict(process_partial_response(event, settle, processor))


def _stream_record(record: dict[str, Any]) -> StreamRecord:
    shard_id, _, _ = record["eventID"].partition(":")
    return StreamRecord(shard_id, int(record["kinesis"]["sequenceNumber"]), b64decode(record["kinesis"]["data"]))
