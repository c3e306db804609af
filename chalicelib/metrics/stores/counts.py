"""Daily counts and the ledgers of shards, in the data table.

A partition holds the counts of a month, sorted by day. The key holds a digest of the event's name, since a name may be
longer than a key. A ledger is one item, and changes in one transaction with the counts, on condition that its version
is the one that was read. See docs/access-patterns.md.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, all_of, equals, greater_than, starts_with
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Item, Key, Put, Query, Range, Table, Update
from chalicelib.metrics.ports import OTHER_EVENTS, CountKey, DailyCount, Ledger

KEPT_FOR = timedelta(days=731)
"""Two years, so that a month can be compared with the same month of the years before."""


MAX_NAMES_A_DAY = 1000
"""Names of a day that have a count of their own, for each shard: anybody may send events, of any name."""
DAYS_WITH_NAMES = 4
"""The days of which a ledger has the number of names: events are at most a day older than their delivery."""


class StoredEventCounts:
    """The port `EventCounts` on the data table."""

    def __init__(self, data: Table, stream_name: str) -> None:
        self._data = data
        self._stream_name = stream_name

    def ledger(self, shard_id: str) -> Ledger:
        """See `EventCounts.ledger`: one read."""
        item = self._data.get(self._ledger_key(shard_id))
        return Ledger() if item is None else Ledger(item["version"], tuple(map(_range, item["ranges"])))

    def add(self, counts: Mapping[CountKey, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """See `EventCounts.add`: one batch of reads, one transaction."""
        ledger, *stored = self._data.batch_get([self._ledger_key(shard_id), *map(_count_item_key, counts)])
        names = _names_of_days(ledger)
        limited: Counter[CountKey] = Counter()
        for (count_key, count), item in zip(counts.items(), stored, strict=True):
            day = count_key.day.isoformat()
            if item is None and count_key.event_name != OTHER_EVENTS:
                if names[day] >= MAX_NAMES_A_DAY:
                    limited[CountKey(count_key.day, OTHER_EVENTS)] += count
                    continue
                names[day] += 1
            limited[count_key] += count
        change = self._ledger_change(shard_id, before, after, names)
        try:
            self._data.transact([change, *(_addition(count_key, count) for count_key, count in limited.items())])
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def between(self, first: date, last: date, prefix: str, now_ms: int) -> Sequence[DailyCount]:
        """See `EventCounts.between`: one query for each month."""
        return [count for month in _months(first, last) for count in self._of_month(month, first, last, prefix, now_ms)]

    def _of_month(self, month: str, first: date, last: date, prefix: str, now_ms: int) -> Iterator[DailyCount]:
        # "$" follows the "#" that ends the day in each key. Expired items stay until the engine removes them.
        days = Range(at_least=f"{first.isoformat()}#", at_most=f"{last.isoformat()}$")
        has_prefix = [starts_with("event_name", prefix)] if prefix else []
        where = all_of(greater_than("expires_at_s", now_ms // 1000), *has_prefix)
        for item in self._data.query(Query(_counts_partition(month), days, where=where)):
            day = date.fromisoformat(item["sk"].partition("#")[0])
            yield DailyCount(day, item["event_name"], item["event_count"])

    def _ledger_key(self, shard_id: str) -> Key:
        return {"pk": f"metrics#ledgers#{self._stream_name}", "sk": shard_id}

    def _ledger_change(self, shard_id: str, before: Ledger, after: Ledger, names: Mapping[str, int]) -> Put:
        ranges = [f"{first}-{last}" for first, last in after.ranges]
        item = self._ledger_key(shard_id) | {"version": after.version, "ranges": ranges}
        if names:
            item["names"] = [f"{day}={names[day]}" for day in sorted(names)[-DAYS_WITH_NAMES:]]
        return Put(item, equals("version", before.version) if before.version else absent())


def _names_of_days(ledger: Item | None) -> Counter[str]:
    """The number of names that the shard began to count, by day. A ledger of an earlier version has none."""
    pairs = (text.partition("=") for text in (ledger or {}).get("names", ()))
    return Counter({day: int(number) for day, _, number in pairs})


def _count_item_key(count_key: CountKey) -> Key:
    day = count_key.day.isoformat()
    digest = hashlib.sha256(count_key.event_name.encode()).hexdigest()[:32]
    return {"pk": _counts_partition(day[:7]), "sk": f"{day}#{digest}"}


def _addition(count_key: CountKey, count: int) -> Update:
    expires = datetime(count_key.day.year, count_key.day.month, count_key.day.day, tzinfo=UTC) + KEPT_FOR
    return Update(
        _count_item_key(count_key),
        set={"event_name": count_key.event_name, "expires_at_s": int(expires.timestamp())},
        add={"event_count": count},
    )


def _counts_partition(month: str) -> str:
    return f"metrics#counts#{month}"


def _months(first: date, last: date) -> list[str]:
    """The months from first to last, both included, as `2026-02`."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last)
