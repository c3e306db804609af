"""Events as objects, and rejected records as messages."""

import base64
import gzip
from collections.abc import Sequence

import orjson

from chalicelib.engine.objects import Objects
from chalicelib.engine.queue import Queue
from chalicelib.metrics.ports import RejectedRecord

PREFIX = "metrics/"
"""The prefix of events among the stage's objects; the bucket's lifecycle removes them."""
MAX_DATA_BYTES = 150_000
"""The bytes of a rejected record that a message holds: SQS takes 256 KiB, and base64 makes four bytes of three."""


class StoredEventArchive:
    """The port `EventArchive` on objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """See `EventArchive.write`: one request. The same lines make the same bytes."""
        body = gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)
        self._objects.put(PREFIX + name, body, "application/gzip")


class QueuedRejectedRecords:
    """The port `RejectedRecords` on a queue."""

    def __init__(self, failures: Queue) -> None:
        self._failures = failures

    def put(self, rejected: RejectedRecord) -> None:
        """See `RejectedRecords.put`: one call. The message names the record's place in the stream, and the reason."""
        record = rejected.record
        message = {
            "reason": rejected.reason,
            "shardId": record.shard_id,
            # Longer than a JSON number may be.
            "sequenceNumber": str(record.sequence_number),
            "sizeBytes": len(record.data),
            "dataBase64": base64.b64encode(record.data[:MAX_DATA_BYTES]).decode(),
        }
        self._failures.send(orjson.dumps(message).decode())
