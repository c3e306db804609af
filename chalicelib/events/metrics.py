"""Events of the metrics stream, in batches, each batch of one shard and in order. Source: docs/metrics.md.

Kinesis delivers at least once. What is kept already is passed over, a record that is no event is put aside, and a
passing fault leaves the rest of the batch to be delivered again: the function names the first record that it could not
keep, and fails as a whole when it could keep none.
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


class NotKeptError(Exception):
    """The record has to be delivered again."""


@blueprint.lambda_function(name="on_metrics")
@observed
def on_metrics(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The sequence numbers from which Kinesis has to deliver again, none when all is done.

    Raises:
        FunctionFailedError: nothing could be kept.
    """
    from aws_lambda_powertools.utilities.batch import (  # late: the other functions do without
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    first_not_kept = keep([_record(one) for one in event["Records"]], services().metrics)

    def settle(record: "KinesisStreamRecord") -> None:
        if first_not_kept is not None and int(record.kinesis.sequence_number) >= first_not_kept:
            raise NotKeptError

    logger.info("metrics batch", records=len(event["Records"]), is_kept=first_not_kept is None)
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
    return dict(process_partial_response(event, settle, processor))


def _record(record: dict[str, Any]) -> StreamRecord:
    shard_id, _, _ = record["eventID"].partition(":")
    return StreamRecord(shard_id, int(record["kinesis"]["sequenceNumber"]), b64decode(record["kinesis"]["data"]))
