"""Stores events: each in one object of the archive and once in the daily counts, however often it is delivered.

A stream delivers the records of a shard in order, each at least once. A repeated batch may have other boundaries than
the first: it is halved to find a record that makes the worker fail, or longer because more records have arrived. So
stored records are tracked by sequence number, not by batch: a shard's ledger holds the ranges that are stored, and
changes in one transaction with the counts. Records in the ledger are skipped; the others are written to the archive
first, and counted after.

The name of an object consists of the shard and the first sequence number. So a worker that dies between archive and
counts leaves an object that the next delivery overwrites: it begins at the same record, since no later one is in the
ledger.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnavailableError
from chalicelib.frozen import frozen
from chalicelib.metrics.ports import (
    MAX_COUNTS_AT_ONCE,
    OTHER_EVENTS,
    CountKey,
    Ledger,
    MetricsPorts,
    RejectedRecord,
    StreamRecord,
)

MAX_RANGES = 32
"""Ranges of one ledger. Shards are read in order, so one is enough; more allow an operator to deliver batches late.
Above this number the two oldest become one, and the records between them count as stored."""
MAX_COUNTED_NAME_BYTES = 200
"""The longest name that has a count of its own; names of clients have at most 60 letters."""
MAX_ATTEMPTS = 3
"""The number of attempts to store a batch when other workers change the ledger first."""
MEMBERS = {
    "id": str,
    "time": str,
    "user": str,
    "eventName": str,
    "event": dict,
    "params": dict,
    "url": str,
    "method": str,
}
"""The members of an event, and their JSON types."""


class NotAnEventError(Exception):
    """The record is not an event; the message gives the reason without quoting the record."""


@frozen
class ArchivedEvent:
    """An event to archive."""

    record: StreamRecord
    hour: datetime
    """The hour in which the event was recorded, in UTC."""
    event_name: str
    line: bytes

    @property
    def count_key(self) -> CountKey:
        """The key of the count that the event increases: that of all other events if its name is too long, since
        anybody may send any name."""
        is_short = len(self.event_name.encode()) <= MAX_COUNTED_NAME_BYTES
        return CountKey(self.hour.date(), self.event_name if is_short else OTHER_EVENTS)


Portion = list[ArchivedEvent | RejectedRecord]


def keep(records: Sequence[StreamRecord], ports: MetricsPorts) -> int | None:
    """Store a batch, and return the first sequence number that is not stored; None when all records are stored or
    rejected.

    Args:
        records: of one shard, in order. Those that are not stored can be delivered again, alone or with earlier ones.
    """
    try:
        return retry_on_conflict(lambda: _keep_fresh(records, ports), MAX_ATTEMPTS)
    except UnavailableError:
        return records[0].sequence_number


def _keep_fresh(records: Sequence[StreamRecord], ports: MetricsPorts) -> int | None:
    ledger = ports.counts.ledger(records[0].shard_id)
    fresh = [record for record in records if not is_stored(ledger, record.sequence_number)]
    for portion in _portions(fresh):
        try:
            ledger = _keep_portion(portion, ledger, ports)
        except UnavailableError:
            return portion[0].record.sequence_number
    return None


def _keep_portion(portion: Portion, ledger: Ledger, ports: MetricsPorts) -> Ledger:
    """The ledger after the portion. The archive is written before the counts, so counted events are in the archive."""
    by_hour: dict[datetime, list[ArchivedEvent]] = {}
    for entry in portion:
        if isinstance(entry, RejectedRecord):
            ports.rejected.put(entry)
        else:
            by_hour.setdefault(entry.hour, []).append(entry)
    for events in by_hour.values():
        ports.archive.write(object_name(events[0]), [event.line for event in events])
    numbers = [entry.record.sequence_number for entry in portion]
    after = with_range(ledger, min(numbers), max(numbers))
    counts = Counter(entry.count_key for entry in portion if isinstance(entry, ArchivedEvent))
    ports.counts.add(counts, portion[0].record.shard_id, ledger, after)
    return after


def _portions(records: Sequence[StreamRecord]) -> Iterator[Portion]:
    """The classified records in their order, in portions that one transaction can count."""
    portion: Portion = []
    counted: set[CountKey] = set()
    for record in records:
        entry = classify(record)
        if isinstance(entry, ArchivedEvent):
            if len(counted) == MAX_COUNTS_AT_ONCE and entry.count_key not in counted:
                yield portion
                portion, counted = [], set()
            counted.add(entry.count_key)
        portion.append(entry)
    if portion:
        yield portion


def classify(record: StreamRecord) -> ArchivedEvent | RejectedRecord:
    """The event of a record, or the rejection of a record that is not an event."""
    try:
        return _parse_event(record)
    except NotAnEventError as error:
        return RejectedRecord(record, str(error))


def _parse_event(record: StreamRecord) -> ArchivedEvent:
    try:
        members: Any = orjson.loads(record.data)
    except orjson.JSONDecodeError:
        raise NotAnEventError("not JSON") from None
    if not isinstance(members, dict):
        raise NotAnEventError("not a JSON object")
    for name, kind in MEMBERS.items():
        if not isinstance(members.get(name), kind):
            raise NotAnEventError(f"{name} is missing or of another type")
    try:
        time = datetime.fromisoformat(members["time"])
    except ValueError:
        raise NotAnEventError("time is not a time") from None
    if time.utcoffset() != timedelta(0):
        raise NotAnEventError("time is not in UTC")
    hour = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return ArchivedEvent(record, hour, members["eventName"], orjson.dumps(members))


def object_name(first: ArchivedEvent) -> str:
    """The name of the object that begins with this event; its day and hour are partitions for query engines."""
    record, hour = first.record, first.hour
    return f"dt={hour.date().isoformat()}/hour={hour.hour:02d}/{record.shard_id}-{record.sequence_number}.json.gz"


def is_stored(ledger: Ledger, sequence_number: int) -> bool:
    """Whether the record with this number is stored."""
    return any(first <= sequence_number <= last for first, last in ledger.ranges)


def with_range(ledger: Ledger, first: int, last: int) -> Ledger:
    """The next version of the ledger, with the records from first to last added."""
    apart = [(low, high) for low, high in ledger.ranges if high < first or last < low]
    joined = [(first, last), *(stored for stored in ledger.ranges if stored not in apart)]
    ranges = sorted([*apart, (min(low for low, _ in joined), max(high for _, high in joined))])
    while len(ranges) > MAX_RANGES:
        oldest, second, *later = ranges
        ranges = [(oldest[0], second[1]), *later]
    return Ledger(ledger.version + 1, tuple(ranges))
