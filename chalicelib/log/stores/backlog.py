"""Backlogs of compaction: one item for each user whose tiles lag behind, spread over sixteen partitions.

The transaction that makes tiles lag behind adds to the backlog, so none is forgotten.
"""

from collections.abc import Iterator
from contextlib import suppress

from chalicelib.engine.conditions import all_of, equals, less_than
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Query, Table, Update
from chalicelib.log.backlog import DUE_BYTES, Backlog
from chalicelib.log.stores.keys import backlog_key, backlogs_partition

SHARDS = "0123456789abcdef"


class StoredBacklogs:
    """The port `Backlogs` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def all(self) -> Iterator[Backlog]:
        """See `Backlogs.all`: sixteen queries."""
        for shard in SHARDS:
            for item in self._data.query(Query(backlogs_partition(shard))):
                yield Backlog(item["owner_id"], item["since_ms"], item["weight_bytes"])

    def make_due(self, owner_id: str) -> None:
        """See `Backlogs.make_due`: one update, which is refused if the backlog is due already."""
        is_smaller = less_than("weight_bytes", DUE_BYTES)
        with suppress(ConditionFailedError):
            self._data.update(Update(backlog_key(owner_id), set={"weight_bytes": DUE_BYTES}, condition=is_smaller))

    def clear(self, backlog: Backlog) -> None:
        """See `Backlogs.clear`: one delete."""
        has_not_grown = all_of(equals("weight_bytes", backlog.backlog_bytes), equals("since_ms", backlog.since_ms))
        with suppress(ConditionFailedError):
            self._data.delete(backlog_key(backlog.owner_id), has_not_grown)


def backlog_update(owner_id: str, backlog_bytes: int, now_ms: int) -> Update:
    """The part of a transaction that adds to a user's backlog."""
    return Update(
        backlog_key(owner_id),
        set={"owner_id": owner_id},
        set_if_absent={"since_ms": now_ms},
        add={"weight_bytes": backlog_bytes},
    )
