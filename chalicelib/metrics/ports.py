"""What metrics need of the world outside, as the domain sees it.

An event goes two ways at two times: from a request into a stream (fire and forget), and from the stream, in batches
and at least once, into the archive and the daily counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol


class CountKey(NamedTuple):
    """What is counted: one event name on one UTC day."""

    day: date
    event_name: str


@dataclass(frozen=True, slots=True)
class DailyCount:
    """How often an event was recorded on a UTC day."""

    day: date
    event_name: str
    count: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as the stream delivers it. Within a shard, later records have larger sequence numbers."""

    shard_id: str
    sequence_number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that is no event, for a person to look at."""

    record: StreamRecord
    reason: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which records of a shard are kept already: ranges of sequence numbers, both ends included, in order and apart.

    `version` counts the changes; a ledger that nobody has written has version 0.
    """

    version: int = 0
    ranges: tuple[tuple[int, int], ...] = ()


class EventStream(Protocol):
    """Takes events and hands them on, each at least once."""

    def put(self, partition_key: str, record: bytes) -> None:
        """Nothing, once the stream has the record; one try, and 300 ms at most.

        Raises:
            UnavailableError: the stream did not say in time that it has the record.
        """
        ...


class EventArchive(Protocol):
    """Objects of events that are never changed but by being written again."""

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """Nothing, once the object `name` holds exactly these JSON values, one a line, compressed.

        Raises:
            UnavailableError: it may or may not have been written.
        """
        ...


class EventCounts(Protocol):
    """Daily counts, and the ledgers that keep them exact."""

    def ledger(self, shard_id: str) -> Ledger:
        """What is kept of a shard, strongly consistent.

        Raises:
            UnavailableError: the store does not answer.
        """
        ...

    def add(self, counts: Mapping[CountKey, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """Nothing, once the counts are added and the ledger is `after`; both or neither.

        At most `MAX_COUNTS_AT_ONCE` counts are given.

        Raises:
            WriteConflictError: the stored ledger is no longer `before`; nothing was added.
            UnavailableError: it may or may not have been done; the ledger tells.
        """
        ...

    def between(self, first: date, last: date, prefix: str, now_ms: int) -> Sequence[DailyCount]:
        """The counts of the days from first to last, both included, of names that start with `prefix`, in any order.

        Raises:
            UnavailableError: the store does not answer.
        """
        ...


class RejectedRecords(Protocol):
    """Where records go that are no events."""

    def put(self, rejected: RejectedRecord) -> None:
        """Nothing, once it is put aside; the same record may be put aside more than once.

        Raises:
            UnavailableError: it may or may not have been put aside.
        """
        ...


MAX_COUNTS_AT_ONCE = 99
"""The most counts of one addition: with the ledger they are one transaction, which takes a hundred items."""


@dataclass(frozen=True, slots=True)
class MetricsPorts:
    """Everything that metrics use."""

    salt: Callable[[], str]
    """The secret that goes before a subject when it is hashed; UnavailableError when it cannot be had in time."""
    stream: EventStream
    archive: EventArchive
    counts: EventCounts
    rejected: RejectedRecords
