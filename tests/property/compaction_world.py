"""The machine of tests/property/test_compaction_machine.py: any history, with compactions, sweeps, purges and rebuilds
in between, each of which may die, or meet another change, at any of its calls."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chalicelib.access.policy import READERS
from chalicelib.conflicts import WriteConflictError
from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import RecordArray
from chalicelib.engine.definitions import DATA
from chalicelib.engine.embedded import sqlite
from chalicelib.engine.table import Query
from chalicelib.log.data_set import OwnerState
from chalicelib.log.fold import can_be_seen
from chalicelib.log.ports import DataPorts
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.tasks.task import State, Task
from chalicelib.tasks.types import TaskRun, TimeLimitError
from chalicelib.tiles import fold_into_tiles as compaction_pass
from chalicelib.tiles import tail_steps
from chalicelib.tiles.compact import LEASE_MS, compact, rebuild
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import SweepRequest, TilePorts
from chalicelib.tiles.purge import WAIT_MS, purge
from chalicelib.tiles.stores.keys import manifest_key, newest_partition, tiles_partition
from chalicelib.tiles.stores.sweep import StoredSweepRequests
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.tiles.tile import TileContent, TileKey, TileStats
from chalicelib.tiles.verify import check_tiles
from tests.fakes.calls import NO_GRANTS, call_by
from tests.fakes.checked_stores import CheckedArchive, CheckedSweepRequests, CheckedTiles, unwatched_data
from tests.fakes.engine import go_on
from tests.fakes.processes import DiedError, Process, watched
from tests.property.remembered import Memory, RememberedDataSets, RememberedLog, RememberedTiles
from tests.property.test_fold_machine import ANNA, OWNER, Histories, device_ids, known_ids
from tests.property.uncompacted import DoubleLog, NoTiles

START_MS = 1_767_225_600_000
LATER_MS = LEASE_MS + WAIT_MS + 1
"""After which leases and waits that began before are over."""
NEVER_MS = 9_999_999_999_999
MOST_CALLS = 30
"""About as many as a compaction of one step makes."""
DAY_QUERIES: Sequence[DataQuery] = (
    DataQuery(is_latest=True),
    DataQuery(start_ms=START_MS + DAY_MS),
    DataQuery(types=("cbg",)),
    DataQuery(end_ms=START_MS + DAY_MS - 1),
    DataQuery(types=("food", "upload", "bolus")),
    DataQuery(start_ms=START_MS + 1, end_ms=START_MS + DAY_MS),
    DataQuery(types=("food", "cbg"), is_latest=True),
    DataQuery(end_ms=START_MS + DAY_MS - 2, is_latest=True),
)
SOURCE_QUERIES: Sequence[DataQuery] = (
    DataQuery(is_latest=True),
    DataQuery(prefers_sources=False),
    DataQuery(carelink=False),
    DataQuery(start_ms=START_MS + DAY_MS),
    DataQuery(carelink=True, is_latest=True),
    DataQuery(medtronic=False),
    DataQuery(medtronic=True, prefers_sources=False),
    DataQuery(sample_interval_minimum_ms=1),
)
QUERIES: Sequence[DataQuery] = (
    *DAY_QUERIES,
    DataQuery(start_ms=START_MS),
    DataQuery(start_ms=START_MS + DAY_MS // 2),
    DataQuery(start_ms=START_MS + DAY_MS, end_ms=START_MS + DAY_MS),
    DataQuery(end_ms=-1),
    DataQuery(device_id="pump"),
    DataQuery(device_id="meter", is_latest=True),
    DataQuery(sub_types=frozenset({"normal"})),
)
NEXT_QUERIES = 2
"""The number of these queries that run after each step, in turn, beside a query for one data set."""


Items = list[dict[str, Any]]
Contents = dict[TileKey, tuple[TileContent, TileStats]]


class Compacted(Histories):
    """Histories with compaction in between."""

    sizes_of_steps: Sequence[int] = (2**21, 1, 700)
    queries: Sequence[DataQuery] = QUERIES

    def __init__(self) -> None:
        super().__init__()
        engine = self.fakes.engine
        self.log: DoubleLog = DoubleLog(engine.data)
        self.tiles: CheckedTiles = CheckedTiles(engine)
        self.sweep_requests = CheckedSweepRequests(engine)
        self.archive = CheckedArchive(engine.objects)
        self.unwatched = unwatched_data(engine)
        memory = Memory(engine)
        data_sets: Any = RememberedDataSets(self.stored, memory)
        log: Any = RememberedLog(self.log, memory)
        whole: Any = self.log.whole
        self.reading = replace(
            self.fakes.services.reading,
            data_sets=data_sets,
            log=log,
            tiles=RememberedTiles(self.tiles, memory),
        )
        self.reading_all = replace(self.reading, log=whole, tiles=NoTiles(data_sets))
        self.patch = pytest.MonkeyPatch()
        self.told: dict[tuple[int, DataQuery], bytes] = {}
        self.ticks = 0
        self.asked = 0
        self.may_leave_tiles: set[tuple[int, int]] = set()
        """Epochs and versions of attempts that were swept while their worker was alive."""

    def teardown(self) -> None:
        self.patch.undo()

    def new_id(self) -> str:
        """Ids that do not sort in the order in which they are made."""
        self.made += 1
        return f"{self.made * 0x9E3779B1 % 2**32:032x}"

    def tick(self) -> int:
        """A time that advances at every third call only."""
        self.ticks += 1
        self.now_ms += self.ticks % 3 == 0
        return self.now_ms

    @initialize(
        step_bytes=st.runner().flatmap(lambda self: st.sampled_from(self.sizes_of_steps)),
        read_bytes=st.sampled_from([2**24, 1, 900]),
        batch_writes=st.sampled_from([25, 1]),
    )
    def sizes(self, step_bytes: int, read_bytes: int, batch_writes: int) -> None:
        self.patch.setattr(sqlite, "MAX_BATCH_WRITES", batch_writes)
        self.patch.setattr(tail_steps, "STEP_BYTES", step_bytes)
        self.patch.setattr(compaction_pass, "READ_AT_ONCE_BYTES", read_bytes)

    # Steps of workers.

    @precondition(lambda self: self.log.whole.added)
    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        self.work(compact, self.drawn_process(data))

    @precondition(lambda self: self.known_ids)
    @rule(
        data_set_id=known_ids,
        posted=st.runner().flatmap(lambda self: self.items),
        posted_later=st.runner().flatmap(lambda self: self.items),
        stops_after=st.none() | st.integers(1, 4),
    )
    def add_and_compact(self, data_set_id: str, posted: Items, posted_later: Items, stops_after: int | None) -> None:
        """Add data on two days as an app does, with a compaction in between."""
        self.add(data_set_id, posted, 1)
        self.work(compact, Process(stops_after=stops_after))
        self.add(data_set_id, posted_later, 1)

    @precondition(lambda self: self.unwatched.get(manifest_key(ANNA)) is not None)
    @rule(data=st.data())
    def rebuild(self, data: st.DataObject) -> None:
        self.work(rebuild, self.drawn_process(data))

    @precondition(lambda self: bool(self.all_sweep_requests()))
    @rule(dies_after=st.none() | st.integers(0, MOST_CALLS), is_later=st.booleans())
    def sweep(self, dies_after: int | None, is_later: bool) -> None:
        self.now_ms += LATER_MS if is_later else 0
        self.work(lambda *_: self.sweep_all(), Process(dies_after))

    @precondition(lambda self: any(True for _ in self.fakes.purge_requests.older_than(NEVER_MS)))
    @rule(dies_after=st.none() | st.integers(0, MOST_CALLS))
    def purge(self, dies_after: int | None) -> None:
        self.now_ms += LATER_MS
        self.work(lambda *_: self.purge_all(), Process(dies_after))

    @precondition(lambda self: self.log.whole.added)
    @rule(is_rebuilt=st.booleans())
    def settle(self, is_rebuilt: bool) -> None:
        """Compact and sweep everything, and fail if anything obsolete is left."""
        self.now_ms += LATER_MS
        assert not compact(ANNA, self.ports(), lambda: None).is_held
        owner, manifest = self.tiles.current(ANNA)
        for tail in tail_steps.tail_steps(tail_steps.StoredLogs(owner, manifest, self.ports()), manifest.positions()):
            can_be_seen_ids = {data_set.id for data_set in tail.data_sets if can_be_seen(data_set)}
            assert can_be_seen_ids.isdisjoint(entry.data_set_id for entry in tail.entries)
        if is_rebuilt:
            compacted = self.contents(manifest)
            rebuild(ANNA, self.ports(), lambda: None)
            assert self.contents(self.tiles.current(ANNA)[1]) == compacted
        assert compact(ANNA, self.ports(), lambda: None).steps == 0, "what was compacted is compacted again"
        checked = check_tiles(ANNA, self.ports(), at_most=1 if is_rebuilt else None)
        assert (checked.wrong, checked.is_behind) == ((), False)
        self.now_ms += LATER_MS
        self.sweep_all()
        self.nothing_is_left_over()

    def nothing_is_left_over(self) -> None:
        owner, manifest = self.tiles.current(ANNA)
        assert not self.all_sweep_requests()
        seen = [data_set for data_set in self.stored.of_owner(owner) if can_be_seen(data_set)]
        through = {data_set.id: manifest.position(data_set.id) for data_set in seen}
        assert all(number > through.get(data_set_id, 0) for data_set_id, number in self.entries_in_log(owner.epoch))
        named = {(ref.version, ref.key) for ref in manifest.tile_refs()}
        stored = self.stored_tiles(owner.epoch)
        left = {tile for tile in stored if (owner.epoch, tile[0]) not in self.may_leave_tiles}
        assert left - named == set(), f"tiles that no manifest names, of version {manifest.version}"
        newest = self.unwatched.query(Query(newest_partition(ANNA, owner.epoch)))
        versions = {int(item["sk"].removesuffix("#")) for item in newest}
        left_versions = {version for version in versions if (owner.epoch, version) not in self.may_leave_tiles}
        assert left_versions - {manifest.version} == set(), "newest records beside no manifest"
        assert manifest.version in {0, *versions}
        assert named <= stored

    def entries_in_log(self, epoch: int) -> Iterator[tuple[str, int]]:
        """Data set and number of each entry in the logs of an epoch."""
        for item in self.fakes.items(DATA, partition=f"LOG#{ANNA}#"):
            _, _, of_epoch, data_set_id, number = f"{item['pk']}#{item['sk']}".split("#")
            if int(of_epoch) == epoch:
                yield data_set_id, int(number)

    def stored_tiles(self, epoch: int) -> set[tuple[int, TileKey]]:
        """Version and key of each tile that is stored in an epoch."""
        keys = (item["sk"].split("#") for item in self.unwatched.query(Query(tiles_partition(ANNA, epoch))))
        return {(int(version), TileKey(name, int(day))) for version, name, day, *_ in keys}

    def all_sweep_requests(self) -> list[SweepRequest]:
        return list(StoredSweepRequests(self.unwatched).older_than(NEVER_MS))

    def contents(self, manifest: Manifest) -> Contents:
        """The contents and stats of all tiles by key."""
        refs = {ref.key: ref for ref in manifest.tile_refs()}
        owner = OwnerState(ANNA, manifest.epoch)
        read = StoredTiles(self.unwatched).tiles(owner, list(refs.values()), refs.keys())
        return {key: (tile.content, refs[key].stats) for key, tile in read.items()}

    def sweep_all(self) -> None:
        for request in list(self.sweep_requests.older_than(self.now_ms - WAIT_MS)):
            self.sweep_requests.sweep(request)

    def purge_all(self) -> None:
        run = TaskRun(Task("t", "purge", 0, state=State.RUNNING), {}, 2**62, lambda: self.now_ms, lambda: None)
        purge(run, replace(self.fakes.services, tiles=self.ports()))

    # Faults and concurrent changes.

    def ports(self) -> TilePorts:
        return replace(
            self.fakes.services.tiles,
            data=DataPorts(self.stored, self.log),
            tiles=self.tiles,
            sweep_requests=self.sweep_requests,
            archive=self.archive,
            now_ms=lambda: self.now_ms,
            new_id=self.new_id,
        )

    def work(self, act: Callable[[str, TilePorts, Callable[[], None]], object], process: Process) -> None:
        with watched(self.fakes.calls, process.before):
            try:
                act(ANNA, self.ports(), process.check_time)
            except (DiedError, TimeLimitError):
                pass
            except WriteConflictError:
                assert process.has_met, "nothing had changed"

    def drawn_process(self, data: st.DataObject) -> Process:
        fate = data.draw(st.sampled_from(["lives", "meets", "dies", "stops", "lives", "meets"]))
        if fate == "lives":
            return Process()
        if fate == "stops":
            return Process(stops_after=data.draw(st.integers(1, 3)))
        calls = data.draw(st.integers(0, MOST_CALLS))
        return Process(dies_after=calls) if fate == "dies" else self.meeting(data, calls, self.for_workers)

    def meeting(self, data: st.DataObject, calls: int, kinds: Sequence[str]) -> Process:
        kind = data.draw(st.sampled_from(kinds))

        def meet() -> None:
            with watched(self.fakes.calls, go_on):
                self.happen(kind, data)

        return Process(meets_after=calls, meeting=meet)

    for_workers = ("close", "add", "delete", "delete_data", "upload", "compact", "later", "sweep", "erase")
    for_readers = ("compact", "add", "close", "delete", "rebuild", "delete_data", "erase")

    def happen(self, kind: str, data: st.DataObject) -> None:
        if kind in ("compact", "later"):
            self.now_ms += LATER_MS if kind == "later" else 0
            compact(ANNA, self.ports(), lambda: None)
        elif kind == "rebuild":
            rebuild(ANNA, self.ports(), lambda: None)
        elif kind == "sweep":
            self.may_leave_tiles |= {(request.epoch, request.version) for request in self.all_sweep_requests()}
            self.now_ms += LATER_MS
            self.sweep_all()
        elif kind == "erase":
            self.erase(1)
        elif kind == "upload" and False in self.are_continuous:
            name = data.draw(st.sampled_from(self.deduplicators))
            self.upload(name, data.draw(device_ids), data.draw(self.members), data.draw(self.items))
        elif self.known_ids:
            data_set_id = data.draw(st.sampled_from(self.known_ids))
            if kind == "add":
                self.add(data_set_id, data.draw(self.items), 1)
            elif kind == "delete_data":
                self.delete_data(data_set_id, data.draw(st.sampled_from(["origin", "id", "hash"])), data)
            elif kind == "close":
                self.close(data_set_id)
            elif kind == "delete":
                self.delete(data_set_id)

    # Steps of readers.

    @precondition(lambda self: self.log.whole.added)
    @rule(
        asked=st.runner().flatmap(lambda self: st.sampled_from([DataQuery(), *self.queries])),
        calls=st.integers(0, 8),
        data=st.data(),
    )
    def read_meanwhile(self, asked: DataQuery, calls: int, data: st.DataObject) -> None:
        before = self.truth(asked)
        process = self.meeting(data, calls, self.for_readers)
        with watched(self.fakes.calls, process.before):
            got = self.read(replace(self.fakes.services.reading, log=self.log, tiles=self.tiles), asked)
        assert got.plain() in (before, self.truth(asked)), "this was never the state"

    def read(self, ports: Any, asked: DataQuery) -> RecordArray:
        return query.read_data(call_by(OWNER, READERS, NO_GRANTS), ANNA, asked, ports).records

    def truth(self, asked: DataQuery) -> bytes:
        """The reply by a fold of all entries ever added."""
        at = self.reading.data_sets.owner(ANNA).change_count, asked
        if at not in self.told:
            self.told[at] = self.read(self.reading_all, asked).plain()
        return self.told[at]

    def check(self, asked: DataQuery) -> None:
        array = self.read(self.reading, asked)
        plain = array.plain()
        assert plain == self.truth(asked)
        assert gzip.decompress(array.gzip()) == plain
        assert array.size_bytes == len(plain)

    @invariant()
    def what_is_read_is_the_fold_of_everything(self) -> None:
        self.check(DataQuery())
        for _ in range(NEXT_QUERIES):
            self.asked += 1
            self.check(self.queries[self.asked % len(self.queries)])
        if self.known_ids:
            of_one = self.queries[self.asked // 3 % len(self.queries)]
            self.check(replace(of_one, upload_id=self.known_ids[self.asked // 2 % len(self.known_ids)]))
