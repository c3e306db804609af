"""The ports of metrics.

An event takes two steps: from a request into a stream, in one attempt, and from the stream, in batches and at least
once, into the archive and the daily counts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from chalicelib.frozen import frozen


class CountKey(NamedTuple):
    """The key of a count: one event name on one UTC day."""

    day: date
    event_name: str


@frozen
class DailyCount:
    """The number of times that an event was recorded on a UTC day."""

    day: date
    event_name: str
    count: int


@frozen
class StreamRecord:
    """One record as the stream delivers it. Within a shard, later records have larger sequence numbers."""

    shard_id: str
    sequence_number: int
    data: bytes


@frozen
class RejectedRecord:
    """A record that is not an event, for an operator to look at."""

    record: StreamRecord
    reason: str


@frozen
class Ledger:
    """The stored records of a shard: ranges of sequence numbers, both ends included, ascending and disjoint.

    `version` counts the changes; a ledger that was never written has version 0.
    """

    version: int = 0
    ranges: tuple[tuple[int, int], ...] = ()


class EventStream(Protocol):
    """Delivers events to `keep`, each at least once."""

    def put(self, partition_key: str, record: bytes) -> None:
        """Put a record into the stream, in one attempt of at most 300 ms.

        Raises:
            UnavailableError: the stream did not confirm the record in time.
        """
        ...


class EventArchive(Protocol):
    """Stores events in objects, which are only ever overwritten as a whole."""

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """Write the object `name`: these JSON values, one a line, compressed with gzip.

        Raises:
            UnavailableError: it may or may not have been written.
        """
        ...


class EventCounts(Protocol):
    """Stores daily counts, and the ledgers that keep them exact."""

    def ledger(self, shard_id: str) -> Ledger:
        """The ledger of a shard, as of the last write.

        Raises:
            UnavailableError: the store does not answer.
        """
        ...

    def add(self, counts: Mapping[CountKey, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """Add to counts and replace the ledger `before` by `after`: both or neither.

        A day has a limited number of names. Counts of further names are added to `OTHER_EVENTS`.

        Args:
            counts: at most `MAX_COUNTS_AT_ONCE`.

        Raises:
            WriteConflictError: the stored ledger is no longer `before`; nothing was added.
            UnavailableError: the write may or may not have happened; the ledger shows it.
        """
        ...

    def between(self, first: date, last: date, prefix: str, now_ms: int) -> Sequence[DailyCount]:
        """The counts of the days from first to last, both included, of names that start with `prefix`, in any order.

        Raises:
            UnavailableError: the store does not answer.
        """
        ...


class RejectedRecords(Protocol):
    """Takes records that are not events."""

    def put(self, rejected: RejectedRecord) -> None:
        """Hand over a rejected record; the same one may be handed over more than once.

        Raises:
            UnavailableError: it may or may not have been handed over.
        """
        ...


OTHER_EVENTS = "(other)"
"""The name under which events are counted whose own name is too long, or is one too many of its day."""
MAX_COUNTS_AT_ONCE = 99
"""Counts of one addition: with the ledger they are one transaction of at most a hundred writes."""


@frozen
class MetricsPorts:
    """The salt, and the stores of events and counts."""

    salt: Callable[[], str]
    """Returns the secret prefix of hashed subjects. Raises UnavailableError when it cannot be read in time."""
    stream: EventStream
    archive: EventArchive
    counts: EventCounts
    rejected: RejectedRecords
