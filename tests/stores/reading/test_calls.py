"""Tests that adding, reading and compacting take the same calls after a hundred times as many days.

On DynamoDB only; the cost of a call is in `docs/access-patterns.md`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.reading.query import DataQuery
from chalicelib.reading.read import read_data
from chalicelib.reading.read_ahead import MANIFEST, OWNER
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.services import build_services
from chalicelib.tiles.compact import compact
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.stores.sweep import StoredSweepRequests
from chalicelib.tiles.stores.tiles import StoredTiles
from tests.fakes.calls import call_by
from tests.stores.log.test_calls import Wire, add, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS

__all__ = ["wire"]
TIMES = (1, 10, 100)
WAIT_S = 10.0
BASE_DAYS = 40
LAST_DAY = datetime(2025, 12, 31, tzinfo=UTC)
LAST_MS = int(LAST_DAY.timestamp() * 1000)
DAY_MS = 86_400_000
SWEPT_MS = NOW_MS + DAY_MS
REQUEST_RECORDS = 1000
QUERIES = {
    "one day": DataQuery(start_ms=LAST_MS, end_ms=LAST_MS + DAY_MS - 1),
    "a type of 90 days": DataQuery(types=("cbg",), start_ms=LAST_MS - 89 * DAY_MS, end_ms=LAST_MS + DAY_MS - 1),
    "latest": DataQuery(is_latest=True),
    "the latest of a type": DataQuery(types=("cbg",), is_latest=True),
}


def reading(days_ago: int, name: str = "cbg", minute: int = 0) -> dict[str, Any]:
    """A record of one of the days before the last."""
    at = LAST_DAY - timedelta(days=days_ago) + timedelta(minutes=minute)
    return {"type": name, "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "units": "mmol/L", "value": 4 + days_ago % 70 / 10}


def store_days(settings: Settings, days: int) -> None:
    """A reading of each of so many days, and a fingerstick of the first, all in tiles and the log swept."""
    records = [reading(days - 1, "smbg"), *(reading(days_ago) for days_ago in reversed(range(days)))]
    for start in range(0, len(records), REQUEST_RECORDS):
        add(settings, records[start : start + REQUEST_RECORDS])
    compact(ANNA, ports(settings), lambda: None)
    sweeping = StoredSweepRequests(aws_engine(settings).data)
    for order in list(sweeping.older_than(SWEPT_MS)):
        sweeping.sweep(order)
    assert len(list(StoredTiles(aws_engine(settings).data).current(ANNA)[1].tile_refs())) == days + 1


def ports(settings: Settings) -> TilePorts:
    """The ports of a compaction on DynamoDB."""
    ports = build_services(settings, aws_engine(settings)).tiles
    return replace(ports, now_ms=lambda: NOW_MS)


def read(settings: Settings, query: DataQuery) -> bytes:
    """The records in the reply to a request of the owner."""
    engine = aws_engine(settings)
    ports = build_services(settings, engine).reading
    call = call_by(Caller(user_id=ANNA), READERS, StoredGrants(engine.accounts, lambda: NOW_MS))
    with sessions_ahead(engine, StoredSessions(engine.accounts))([(OWNER, ANNA), (MANIFEST, ANNA)]) as sessions:
        assert sessions.find("hash") is not None
        return read_data(call, ANNA, query, ports).records.plain()


@pytest.mark.parametrize("name", QUERIES)
def test_data_sets_tail_and_tiles_are_read_at_the_same_time(wire: Wire, name: str) -> None:
    store_days(wire.settings, BASE_DAYS)
    add(wire.settings, [reading(0, minute=5)])
    barrier = Barrier(3, timeout=WAIT_S)

    def wait_for_others() -> None:
        barrier.wait()

    wire.before["Query"] = [wait_for_others, wait_for_others]
    wire.before["BatchGetItem"] = [lambda: None, wait_for_others]  # the first is the one with the session
    assert read(wire.settings, QUERIES[name]).count(b'"type"') > 0
    assert wire.before == {"Query": [], "BatchGetItem": []}


@pytest.mark.parametrize("times", TIMES)
def test_calls_do_not_grow_with_stored_data(wire: Wire, times: int) -> None:
    settings, days = wire.settings, times * BASE_DAYS
    store_days(settings, days)
    wire.requests.clear()
    add(settings, [reading(0, minute=5)])
    assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}
    records = {
        "one day": 2,
        "a type of 90 days": min(days, 90) + 1,
        "latest": 3,  # with the data set
        "the latest of a type": 1,
    }
    for name, query in QUERIES.items():
        wire.requests.clear()
        assert read(settings, query).count(b'"type"') == records[name]
        # Session, counters and manifest; data sets; the tail of one entry; tiles, or the newest records.
        assert wire.calls == {"BatchGetItem": 2, "Query": 2}, name
    wire.requests.clear()
    assert compact(ANNA, ports(settings), lambda: None).tiles == 1
    assert wire.calls == {
        "GetItem": 2,  # counters, and who compacts
        "TransactWriteItems": 2,  # beginning and committing
        "BatchGetItem": 4,  # counters and manifest, newest records, the tile of that day, its hour sums
        "Query": 3,  # data sets before and after the tail
        "BatchWriteItem": 3,  # the tile, its hour sums, the newest records
        "UpdateItem": 1,  # the end
    }
