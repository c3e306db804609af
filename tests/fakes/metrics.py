"""The ports of metrics in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.metrics.ports import CountKey, DailyCount, Ledger, MetricsPorts, RejectedRecord

SALT = "salt"


class FakeStream:
    """Stores records with their partition keys in a list; unavailable while `is_down`."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.is_down = False

    def put(self, partition_key: str, record: bytes) -> None:
        """Appends."""
        if self.is_down:
            raise UnavailableError
        self.records.append((partition_key, record))


class FakeArchive:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, ...]] = {}

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """Replaces the object."""
        self.objects[name] = tuple(lines)


class FakeCounts:
    """Counts and ledgers in dictionaries."""

    def __init__(self) -> None:
        self.counts: Counter[CountKey] = Counter()
        self.ledgers: dict[str, Ledger] = {}

    def ledger(self, shard_id: str) -> Ledger:
        """The ledger of a shard."""
        return self.ledgers.get(shard_id, Ledger())

    def add(self, counts: Mapping[CountKey, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """Changes both, or neither."""
        if self.ledgers.get(shard_id, Ledger()).version != before.version:
            raise WriteConflictError
        self.counts.update(counts)
        self.ledgers[shard_id] = after

    def between(self, first: date, last: date, prefix: str, now_ms: int) -> Sequence[DailyCount]:
        """The counts of some days."""
        return [
            DailyCount(counted.day, counted.event_name, count)
            for counted, count in self.counts.items()
            if first <= counted.day <= last and counted.event_name.startswith(prefix)
        ]


class FakeRejected:
    """Rejected records in a list."""

    def __init__(self) -> None:
        self.records: list[RejectedRecord] = []

    def put(self, rejected: RejectedRecord) -> None:
        """Appends."""
        self.records.append(rejected)


@dataclass
class FakeMetrics:
    """All ports of metrics."""

    stream: FakeStream = field(default_factory=FakeStream)
    archive: FakeArchive = field(default_factory=FakeArchive)
    counts: FakeCounts = field(default_factory=FakeCounts)
    rejected: FakeRejected = field(default_factory=FakeRejected)

    @property
    def ports(self) -> MetricsPorts:
        """The bundle that the rules take."""
        return MetricsPorts(lambda: SALT, self.stream, self.archive, self.counts, self.rejected)
