"""Keeping events: each in one object of the archive and once in the daily counts, however often it is delivered.

A stream delivers the records of a shard in order, each at least once. What comes again may be cut otherwise than the
first time: halved to find a record that makes the worker fail, or longer because more has arrived. So what is kept is
noted by sequence number, not by batch: a shard's ledger holds the ranges that are kept, and changes in one transaction
with the counts. What the ledger has is passed over; the rest is written to the archive first, and counted after.

An object is named by shard and first sequence number, so that a worker that dies between the two leaves an object
which the next delivery writes again: it begins at the same record, since nothing from there on is in the ledger.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnavailableError
from chalicelib.metrics.ports import MAX_COUNTS_AT_ONCE, CountKey, Ledger, MetricsPorts, RejectedRecord, StreamRecord

MAX_RANGES = 32
"""Ranges that a ledger remembers. Shards are read in order, so one would do; more let batches be delivered late by
hand. Beyond, the two oldest become one, and what lies between them counts as kept."""
MAX_ATTEMPTS = 3
"""How often a batch is looked at anew when another worker was faster."""
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
"""What a record must have to be kept, and the JSON type of each."""


class NotAnEventError(Exception):
    """The record is no event; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class ArchivedEvent:
    """An event on its way into the archive."""

    record: StreamRecord
    hour: datetime
    """When it was recorded, cut to the hour, in UTC."""
    event_name: str
    line: bytes

    @property
    def count_key(self) -> CountKey:
        """What it adds one to."""
        return CountKey(self.hour.date(), self.event_name)


Portion = list[ArchivedEvent | RejectedRecord]


def keep(records: Sequence[StreamRecord], ports: MetricsPorts) -> int | None:
    """None, when every record of the batch is kept or put aside; else the first sequence number that is not.

    `records` are of one shard, in order. What is not kept can be delivered again, alone or with what was before it.
    """
    try:
        return retry_on_conflict(lambda: _keep_fresh(records, ports), MAX_ATTEMPTS)
    except UnavailableError:
        return records[0].sequence_number


def _keep_fresh(records: Sequence[StreamRecord], ports: MetricsPorts) -> int | None:
    ledger = ports.counts.ledger(records[0].shard_id)
    fresh = [record for record in records if not is_kept(ledger, record.sequence_number)]
    for portion in _portions(fresh):
        try:
            ledger = _keep_portion(portion, ledger, ports)
        except UnavailableError:
            return portion[0].record.sequence_number
    return None


def _keep_portion(portion: Portion, ledger: Ledger, ports: MetricsPorts) -> Ledger:
    """The ledger with the portion in it. Writing comes before counting: what is counted can be found."""
    by_hour: dict[datetime, list[ArchivedEvent]] = {}
    for one in portion:
        if isinstance(one, RejectedRecord):
            ports.rejected.put(one)
        else:
            by_hour.setdefault(one.hour, []).append(one)
    for events in by_hour.values():
        ports.archive.write(object_name(events[0]), [event.line for event in events])
    numbers = [one.record.sequence_number for one in portion]
    after = with_range(ledger, min(numbers), max(numbers))
    counts = Counter(one.count_key for one in portion if isinstance(one, ArchivedEvent))
    ports.counts.add(counts, portion[0].record.shard_id, ledger, after)
    return after


def _portions(records: Sequence[StreamRecord]) -> Iterator[Portion]:
    """The records, classify, in their order, cut so that each portion can be counted at once."""
    portion: Portion = []
    counted: set[CountKey] = set()
    for record in records:
        one = classify(record)
        if isinstance(one, ArchivedEvent):
            if len(counted) == MAX_COUNTS_AT_ONCE and one.count_key not in counted:
                yield portion
                portion, counted = [], set()
            counted.add(one.count_key)
        portion.append(one)
    if portion:
        yield portion


def classify(record: StreamRecord) -> ArchivedEvent | RejectedRecord:
    """The event that a record is, or the reason why it is none."""
    try:
        return _event(record)
    except NotAnEventError as error:
        return RejectedRecord(record, str(error))


def _event(record: StreamRecord) -> ArchivedEvent:
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
    """The name of the object that begins with this event; days and hours are the partitions of a table."""
    record, hour = first.record, first.hour
    return f"dt={hour.date().isoformat()}/hour={hour.hour:02d}/{record.shard_id}-{record.sequence_number}.json.gz"


def is_kept(ledger: Ledger, sequence_number: int) -> bool:
    """Whether the ledger has the record with this number."""
    return any(first <= sequence_number <= last for first, last in ledger.ranges)


def with_range(ledger: Ledger, first: int, last: int) -> Ledger:
    """The next version of the ledger, which has the records from first to last, too."""
    apart = [one for one in ledger.ranges if one[1] < first or last < one[0]]
    joined = [one for one in ledger.ranges if one not in apart]
    low = min([first, *(one[0] for one in joined)])
    high = max([last, *(one[1] for one in joined)])
    ranges = sorted([*apart, (low, high)])
    while len(ranges) > MAX_RANGES:
        oldest, second, *later = ranges
        ranges = [(oldest[0], second[1]), *later]
    return Ledger(ledger.version + 1, tuple(ranges))
