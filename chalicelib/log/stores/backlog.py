"""Marks of users whose tiles lag behind: one item for each user, spread over sixteen partitions of the data table.

A mark is written by the transaction that makes the tiles lag behind, so none is forgotten.
"""

from collections.abc import Iterator
from contextlib import suppress

from chalicelib.engine.conditions import all_of, equals
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Query, Table, Update
from chalicelib.log.backlog import CompactionMark
from chalicelib.log.stores.keys import mark_key, marks_partition

SHARDS = "0123456789abcdef"


class StoredCompactionMarks:
    """The port `CompactionMarks` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def all(self) -> Iterator[CompactionMark]:
        """See `CompactionMarks.all`: sixteen queries."""
        for shard in SHARDS:
            for item in self._data.query(Query(marks_partition(shard))):
                yield CompactionMark(item["owner_id"], item["since_ms"], item["weight_bytes"])

    def clear(self, mark: CompactionMark) -> None:
        """See `CompactionMarks.clear`: one delete."""
        is_unchanged = all_of(equals("weight_bytes", mark.weight_bytes), equals("since_ms", mark.since_ms))
        with suppress(ConditionFailedError):
            self._data.delete(mark_key(mark.owner_id), is_unchanged)


def mark_update(owner_id: str, weight_bytes: int, now_ms: int) -> Update:
    """The part of a transaction that adds to a user's mark."""
    return Update(
        mark_key(owner_id),
        set={"owner_id": owner_id},
        set_if_absent={"since_ms": now_ms},
        add={"weight_bytes": weight_bytes},
    )
