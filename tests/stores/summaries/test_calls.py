"""Tests how many calls summaries and profiles take on DynamoDB, and that they take no more after many years."""

from typing import Any

import pytest

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.table import Delete, Query
from chalicelib.reading.read_ahead import MANIFEST, OWNER
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.services import build_services
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.read import read_profile, read_summary
from chalicelib.summaries.summary import SummaryKey
from chalicelib.tiles.compact import compact
from chalicelib.tiles.stores.keys import tiles_partition
from tests.fakes.calls import call_by
from tests.stores.log.test_calls import Wire, add, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.reading.test_calls import ports, reading, store_days

__all__ = ["wire"]
SESSION_COUNTERS_AND_MANIFEST, DATA_SETS, TAIL = 1, 1, 1
FOUR_CALLS = {"BatchGetItem": SESSION_COUNTERS_AND_MANIFEST + 1, "Query": DATA_SETS + TAIL}
FIVE_CALLS = FOUR_CALLS | {"BatchGetItem": SESSION_COUNTERS_AND_MANIFEST + 2}


def ask(settings: Settings, what: str) -> Any:
    """The summary of a type, or the profile (`agp`), in the reply to a request of the owner."""
    engine = aws_engine(settings)
    services = build_services(settings, engine)
    call = call_by(Caller(user_id=ANNA), READERS, StoredGrants(engine.accounts, lambda: NOW_MS), NOW_MS)
    with sessions_ahead(engine, StoredSessions(engine.accounts))([(OWNER, ANNA), (MANIFEST, ANNA)]) as sessions:
        assert sessions.find("hash") is not None
        if what == "agp":
            return read_profile(call, ANNA, ProfileQuery(), services.summaries)
        reply = read_summary(call, SummaryKey(ANNA, what), services.summaries)
        assert reply is not None
        return reply.body


def records(body: Any, period: str = "30d") -> int:
    """The number of records that count in a period."""
    return int(body["periods"][period]["total"]["records"])


@pytest.mark.parametrize("days", [70, 700])
def test_calls_do_not_grow_with_stored_data(wire: Wire, days: int) -> None:
    store_days(wire.settings, days)
    add(wire.settings, [reading(1, "smbg")])
    compact(ANNA, ports(wire.settings), lambda: None)
    add(wire.settings, [reading(0, minute=5), reading(0, "smbg", 6)])
    for what in ("cgm", "bgm"):
        wire.requests.clear()
        assert records(ask(wire.settings, what)) == {"cgm": 31, "bgm": 2}[what]
        assert wire.calls == FOUR_CALLS, what
    wire.requests.clear()
    assert ask(wire.settings, "agp")["records"] == 15
    assert wire.calls == FOUR_CALLS


def test_sixty_days_of_two_types_take_one_call_more(wire: Wire) -> None:
    store_days(wire.settings, 61)
    add(wire.settings, [reading(days_ago, "smbg") for days_ago in range(60)])
    compact(ANNA, ports(wire.settings), lambda: None)
    wire.requests.clear()
    assert records(ask(wire.settings, "con")) == 60
    assert wire.calls == FIVE_CALLS


def test_a_tail_that_replaces_a_record_of_another_day_takes_one_call_more(wire: Wire) -> None:
    store_days(wire.settings, 40)
    add(wire.settings, [reading(20, minute=30) | {"origin": {"id": "1"}}])
    compact(ANNA, ports(wire.settings), lambda: None)
    add(wire.settings, [reading(0, minute=30) | {"origin": {"id": "1"}}])
    wire.requests.clear()
    ask(wire.settings, "cgm")
    assert wire.calls == FIVE_CALLS


def test_missing_sums_take_two_calls_more(wire: Wire) -> None:
    store_days(wire.settings, 40)
    data = aws_engine(wire.settings).data
    items = data.query(Query(tiles_partition(ANNA, 0), attributes=("pk", "sk")))
    data.batch_write([Delete(item) for item in items if item["sk"].endswith("#S")])
    wire.requests.clear()
    assert records(ask(wire.settings, "cgm")) == 30
    assert wire.calls == FOUR_CALLS | {"BatchGetItem": SESSION_COUNTERS_AND_MANIFEST + 3}


def test_a_compaction_fills_missing_sums_once(wire: Wire) -> None:
    store_days(wire.settings, 40)
    data = aws_engine(wire.settings).data
    items = data.query(Query(tiles_partition(ANNA, 0), attributes=("pk", "sk")))
    data.batch_write([Delete(item) for item in items if item["sk"].endswith("#S")])
    calls = []
    for minute in (5, 10):
        add(wire.settings, [reading(0, minute=minute)])
        wire.requests.clear()
        compact(ANNA, ports(wire.settings), lambda: None)
        calls.append(wire.calls)
    filling, usual = calls
    two_types_of_sums_and_tiles = {"BatchGetItem": 2, "BatchWriteItem": 2}
    assert filling == usual | {name: usual[name] + more for name, more in two_types_of_sums_and_tiles.items()}
    wire.requests.clear()
    assert records(ask(wire.settings, "cgm")) == 32
    assert wire.calls == FOUR_CALLS
