"""Any history, compacted, swept and rebuilt at any point, each of which may die at any write: what is read is what a
fold of all that was ever added says, byte for byte."""

from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chalicelib.domain import query
from chalicelib.domain.compaction import CompactionPorts, compact, rebuild
from chalicelib.domain.data_query import DataQuery
from chalicelib.domain.data_set import DataSetHead
from chalicelib.domain.entries import NewEntry
from chalicelib.domain.ports import NO_TIMES_MS
from chalicelib.domain.record_array import RecordArray
from tests.fakes.data import FakeRecordLog
from tests.fakes.tiles import FakeArchive, FakeTiles
from tests.property.test_fold_machine import (
    ANNA,
    OWNER,
    Histories,
    HistoriesOfDevices,
    HistoriesOfOrigins,
)

QUARTER_OF_AN_HOUR_MS = 15 * 60_000


class DiedError(Exception):
    """The process is gone."""


class DoubleLog(FakeRecordLog):
    """A log that keeps a second copy of all entries, which no sweep reaches."""

    def __init__(self, data_sets: Any) -> None:
        super().__init__(data_sets)
        self.whole = FakeRecordLog(data_sets)

    def append(self, head: DataSetHead, entry: NewEntry, newest_times_ms: Mapping[str, int] = NO_TIMES_MS) -> int:
        number = super().append(head, entry, newest_times_ms)
        self.whole.log.append(self.log[-1])
        return number


class Compacted(Histories):
    """Histories with compaction in between."""

    def __init__(self) -> None:
        super().__init__()
        self.log: DoubleLog = DoubleLog(self.stored)
        self.tiles = FakeTiles(self.stored, self.log)
        self.archive = FakeArchive()
        self.no_tiles = FakeTiles(self.stored, self.log.whole)

    def ports(self) -> CompactionPorts:
        return CompactionPorts(self.stored, self.log, self.tiles, self.archive, lambda: self.now_ms, self.new_id)

    def dying(self, after_writes: int | None, act: Any) -> None:
        left = after_writes

        def before_write(_step: str) -> None:
            nonlocal left
            if left is not None:
                if left <= 0:
                    raise DiedError
                left -= 1

        self.tiles.before_write = self.archive.before_write = before_write
        try:
            act()
        except DiedError:
            self.now_ms += QUARTER_OF_AN_HOUR_MS + 120_000  # its lease ends
        finally:
            self.tiles.before_write = self.archive.before_write = lambda _step: None

    @precondition(lambda self: self.known_ids)
    @rule(after_writes=st.none() | st.integers(0, 12))
    def compact(self, after_writes: int | None) -> None:
        self.tick()
        self.dying(after_writes, lambda: compact(ANNA, self.ports(), lambda: None))

    @precondition(lambda self: self.tiles.snapshots)
    @rule(after_writes=st.none() | st.integers(0, 12))
    def rebuild(self, after_writes: int | None) -> None:
        self.tick()
        self.dying(after_writes, lambda: rebuild(ANNA, self.ports(), lambda: None))

    @precondition(lambda self: self.tiles.given)
    @rule(after_writes=st.none() | st.integers(0, 12))
    def sweep(self, after_writes: int | None) -> None:
        self.now_ms += 2 * QUARTER_OF_AN_HOUR_MS
        orders = list(self.tiles.orders(self.now_ms - QUARTER_OF_AN_HOUR_MS))
        self.dying(after_writes, lambda: [self.tiles.sweep(order) for order in orders])

    def read(self, log: FakeRecordLog, tiles: FakeTiles, asked: DataQuery) -> RecordArray:
        return query.read_data(
            OWNER,
            ANNA,
            asked,
            data_sets=self.stored,
            sources=self.sources,
            log=log,
            tiles=tiles,
            grants=self.grants,
        ).records

    @invariant()
    def what_is_read_is_the_fold_of_everything(self) -> None:
        for asked in (DataQuery(), DataQuery(is_latest=True)):
            assert (
                self.read(self.log, self.tiles, asked).plain()
                == self.read(self.log.whole, self.no_tiles, asked).plain()
            )


class CompactedDevices(Compacted, HistoriesOfDevices):
    """Of devices."""


class CompactedOrigins(Compacted, HistoriesOfOrigins):
    """Of origins."""


effort = settings(max_examples=150, stateful_step_count=40, deadline=None)
Compacted.TestCase.settings = effort
CompactedDevices.TestCase.settings = effort
CompactedOrigins.TestCase.settings = effort
TestCompacted = Compacted.TestCase
TestCompactedDevices = CompactedDevices.TestCase
TestCompactedOrigins = CompactedOrigins.TestCase
