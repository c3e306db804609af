"""The port of a stream: records that consumers get in order, by shard.

Consumers are called with batches of records (`chalicelib/events`) that have ascending sequence numbers, and again
from the first record that they failed on.
"""

from typing import Protocol


class Stream(Protocol):
    """One stream."""

    def put(self, partition_key: str, record: bytes, *, limit_s: float) -> None:
        """Put a record of up to 1 MB: one call, and no second one. Records with one partition key are in one shard.

        Args:
            limit_s: how long to wait in total.

        Raises:
            UnavailableError: the engine does not confirm within the limit that it has the record.
        """
