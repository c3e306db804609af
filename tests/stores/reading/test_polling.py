"""The calls of a client that polls with an ETag, and the replies that have none. On DynamoDB only."""

from typing import Any

import pytest

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS, VIEW
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.config import Settings
from chalicelib.data_sources.stores.data_sources import StoredDataSources
from chalicelib.engine.aws.attribute_values import to_values
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.keys import data_set_key, entry_key
from chalicelib.reading.etag import NotModifiedError, parse_known_etags
from chalicelib.reading.freshness import read_freshness
from chalicelib.reading.query import DataQuery
from chalicelib.reading.read import DataReply, read_data
from chalicelib.reading.read_ahead import MANIFEST, OWNER
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.services import build_services
from chalicelib.tiles.stores.keys import manifest_key
from tests.engine.stage import sdk
from tests.fakes.calls import call_by
from tests.stores.data_sources.test_data_sources import changed, source
from tests.stores.log.test_calls import Wire, add, cbg, delete, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS, data_set

__all__ = ["wire"]

ANNA_HERSELF, VIEWER = Caller(user_id=ANNA), Caller(user_id="bbbbbbbbbb")


def read(settings: Settings, known: str | None = "", caller: Caller = ANNA_HERSELF) -> DataReply:
    """All of Anna's data, for a caller who has the reply with an ETag, as one request does."""
    engine = aws_engine(settings)
    ports = build_services(settings, engine).reading
    call = call_by(caller, READERS, StoredGrants(engine.accounts, lambda: NOW_MS))
    ahead = [(OWNER, ANNA)] if known else [(OWNER, ANNA), (MANIFEST, ANNA)]
    with sessions_ahead(engine, StoredSessions(engine.accounts))(ahead) as sessions:
        assert sessions.find("hash") is not None
        return read_data(call, ANNA, DataQuery(), ports, parse_known_etags(known or ""))


def test_a_known_etag_costs_one_read_of_session_and_owner(wire: Wire) -> None:
    add(wire.settings, cbg(10))
    etag = read(wire.settings).etag
    wire.requests.clear()
    with pytest.raises(NotModifiedError):
        read(wire.settings, etag)
    assert wire.calls == {"BatchGetItem": 1}
    assert not manifest_reads(wire)


def test_an_outdated_etag_costs_a_read_of_the_manifest_after_the_owner(wire: Wire) -> None:
    etag = read(wire.settings).etag
    add(wire.settings, cbg(10))
    wire.requests.clear()
    assert read(wire.settings, etag).records.plain().count(b'"cbg"') == 10
    assert wire.calls == {"BatchGetItem": 2, "Query": 2}
    assert manifest_reads(wire) == 1


def manifest_reads(wire: Wire) -> int:
    """The number of times Anna's manifest was read."""
    asked = [request for name, request in wire.requests if name == "BatchGetItem"]
    keys = [key for request in asked for table in request["RequestItems"].values() for key in table["Keys"]]
    return keys.count(to_values(manifest_key(ANNA)))


def test_a_grantee_with_a_known_etag_costs_one_read_more(wire: Wire) -> None:
    StoredGrants(aws_engine(wire.settings).accounts, lambda: NOW_MS).put(Grant(ANNA, str(VIEWER.user_id), {VIEW: {}}))
    etag = read(wire.settings).etag
    wire.requests.clear()
    with pytest.raises(NotModifiedError):
        read(wire.settings, etag, VIEWER)
    assert wire.calls == {"BatchGetItem": 1, "GetItem": 1}


def test_freshness_is_one_read(wire: Wire) -> None:
    add(wire.settings, cbg(10))
    wire.requests.clear()
    grants = StoredGrants(aws_engine(wire.settings).accounts, lambda: NOW_MS)
    ports = build_services(wire.settings, aws_engine(wire.settings)).reading
    found = read_freshness(call_by(ANNA_HERSELF, READERS, grants), ANNA, ports)
    assert wire.calls == {"GetItem": 1}
    newest = {"type": "cbg", "newestTime": "2026-01-01T00:45:00Z", "newestStoredTime": "2026-01-01T00:00:00Z"}
    assert found == {
        "userId": ANNA,
        "changes": 2,
        "clients": [{"client": "org.example.app", "types": [newest]}],
    }


def test_each_change_makes_another_etag(wire: Wire) -> None:
    etags = [read(wire.settings).etag]
    data_sets, sources = (
        StoredDataSets(aws_engine(wire.settings).data),
        StoredDataSources(aws_engine(wire.settings).data),
    )
    connected = changed(source(), state="connected", dataSetId="a" * 32)
    for change in (
        lambda: add(wire.settings, cbg(1)),
        lambda: add(wire.settings, cbg(1)),
        lambda: data_sets.create(data_set("b")),
        lambda: delete(wire.settings),
        lambda: sources.add(source()),
        lambda: sources.replace(source(), connected),
        lambda: sources.remove(connected),
        lambda: data_sets.erase(ANNA, NOW_MS),
    ):
        change()
        etags.append(read(wire.settings).etag)
    assert None not in etags
    assert len(set(etags)) == len(etags)


class TestPartlyVisibleTransactions:
    """DynamoDB may show a reader the parts of a transaction one by one. Moto never does: here, the part that is not
    to be seen yet is taken away."""

    def test_a_reply_without_a_counted_entry_has_no_etag(self, wire: Wire) -> None:
        add(wire.settings, cbg(1))
        add(wire.settings, cbg(1, 1))
        assert read(wire.settings).etag is not None
        self._hide(wire.settings, to_values(entry_key(ANNA, 0, "a" * 32, 2, is_continuous=True)))
        assert read(wire.settings).etag is None

    @pytest.mark.parametrize("data_set_type", ["continuous", "normal"])
    def test_a_reply_without_a_counted_data_set_has_no_etag(self, wire: Wire, data_set_type: str) -> None:
        StoredDataSets(aws_engine(wire.settings).data).create(data_set("b", data_set_type=data_set_type))
        assert read(wire.settings).etag is not None
        self._hide(wire.settings, to_values(data_set_key(ANNA, 0, NOW_MS, "b" * 32)))
        assert read(wire.settings).etag is None

    def test_a_data_source_is_counted_again_once_it_can_be_read(self, wire: Wire) -> None:
        seen = list[str | None]()
        # The second transaction comes when all parts of the first one are there.
        wire.before["TransactWriteItems"] = [lambda: None, lambda: seen.append(read(wire.settings).etag)]
        StoredDataSources(aws_engine(wire.settings).data).add(source())
        assert len(seen) == 1
        assert seen != [read(wire.settings).etag]

    @staticmethod
    def _hide(settings: Settings, key: Any) -> None:
        sdk(settings).delete_item(TableName=settings.data_table, Key=key)
