"""Metrics in an engine in memory: reading what is stored, and storing counts to begin with."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.engine.definitions import DATA
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.sqlite_queue import METRICS_FAILURES
from chalicelib.metrics.ports import MAX_COUNTS_AT_ONCE, CountKey, EventCounts, Ledger
from chalicelib.metrics.stores.archive import PREFIX
from tests.fakes.engine import queued_messages, stored_items, stored_keys

MANY_RECORDS = 1_000_000


def streamed_records(engine: EmbeddedEngine) -> list[tuple[str, bytes]]:
    """Partition key and data of each record of the stream, in order."""
    return [(record.partition_key, record.data) for record in engine.metrics_stream.read(MANY_RECORDS)]


def archived_lines(engine: EmbeddedEngine) -> dict[str, list[bytes]]:
    """The lines of each object of the archive, by its name."""
    lines = {}
    for key in stored_keys(engine, PREFIX):
        body = engine.objects.get(key)
        assert body is not None
        lines[key.removeprefix(PREFIX)] = gzip.decompress(body).splitlines()
    return lines


def event_counts(engine: EmbeddedEngine) -> Counter[CountKey]:
    """All counts, by day and name of the event."""
    counts: Counter[CountKey] = Counter()
    for item in stored_items(engine, DATA):
        if "event_count" in item:
            counts[CountKey(date.fromisoformat(item["sk"][:10]), item["event_name"])] += item["event_count"]
    return counts


def rejected_records(engine: EmbeddedEngine) -> list[dict[str, Any]]:
    """The messages of the rejected records, in the order in which they were sent."""
    return [json.loads(body) for body in queued_messages(engine, METRICS_FAILURES.name)]


def set_counts(store: EventCounts, counts: Mapping[CountKey, int]) -> None:
    """Count events of a shard of their own."""
    left, ledger = list(counts.items()), Ledger()
    while left:
        after = Ledger(ledger.version + 1, ((0, ledger.version),))
        store.add(dict(left[:MAX_COUNTS_AT_ONCE]), "shardId-of-counts", ledger, after)
        left, ledger = left[MAX_COUNTS_AT_ONCE:], after
