"""What metrics need of the world, in memory: for the domain, and for the application's tests."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.metrics.ports import CountKey, DailyCount, Ledger, MetricsPorts, RejectedRecord

SALT = "salt"


class FakeStream:
    """Remembers what was put, with its partition key; refuses everything while it is down."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.is_down = False

    def put(self, partition_key: str, record: bytes) -> None:
        """Nothing, once it is remembered."""
        if self.is_down:
            raise UnavailableError
        self.records.append((partition_key, record))


class FakeArchive:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, ...]] = {}

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        """Nothing, once the object has these lines."""
        self.objects[name] = tuple(lines)


class FakeCounts:
    """Counts and ledgers in dictionaries."""

    def __init__(self) -> None:
        self.counts: Counter[CountKey] = Counter()
        self.ledgers: dict[str, Ledger] = {}

    def ledger(self, shard_id: str) -> Ledger:
        """What is kept of a shard."""
        return self.ledgers.get(shard_id, Ledger())

    def add(self, counts: Mapping[CountKey, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """Nothing, once both are changed."""
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
    """Records put aside, in a list."""

    def __init__(self) -> None:
        self.records: list[RejectedRecord] = []

    def put(self, rejected: RejectedRecord) -> None:
        """Nothing, once it is remembered."""
        self.records.append(rejected)


@dataclass
class FakeMetrics:
    """All of them together."""

    stream: FakeStream = field(default_factory=FakeStream)
    archive: FakeArchive = field(default_factory=FakeArchive)
    counts: FakeCounts = field(default_factory=FakeCounts)
    rejected: FakeRejected = field(default_factory=FakeRejected)

    @property
    def ports(self) -> MetricsPorts:
        """These fakes as the domain sees them."""
        return MetricsPorts(lambda: SALT, self.stream, self.archive, self.counts, self.rejected)
