"""Tests the items that a request reads in the same round trip as the session of its caller. On DynamoDB only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import replace

import pytest

from chalicelib import services as composition
from chalicelib.access.call import token_hash
from chalicelib.accounts.stores.sessions import StoredSessions, session_item
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.aws.json_transport import encoded
from chalicelib.engine.table import Delete
from chalicelib.errors import UnavailableError
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.reading.read_ahead import HEAD, MANIFEST, OWNER
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.tiles.compact import compact
from chalicelib.tiles.manifest import Manifest, encode_manifest
from chalicelib.tiles.stores.keys import tiles_partition
from chalicelib.tiles.stores.tiles import StoredTiles
from tests.api.conftest import ApiClient
from tests.stores.log.test_calls import Wire, add, cbg, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.reading.test_calls import ports
from tests.stores.tiles.conftest import small_parts
from tests.stores.tiles.tile_items import items

__all__ = ["small_parts", "wire"]

ODD_IDS = ["", "#", f"{ANNA}#0#DS", "%23", "a/b", "å" * 200, "#" * 200, "#" * 201, "x" * 5000, "\x00"]
TOKEN = "a token of Anna"


@pytest.fixture
def compacted(wire: Wire) -> Manifest:
    """The manifest of Anna's data, which is in tiles; no call was made since."""
    add(wire.settings, cbg(600))
    compact(ANNA, ports(wire.settings), lambda: None)
    manifest = StoredTiles(aws_engine(wire.settings).data).current(ANNA)[1]
    assert manifest.version
    wire.requests.clear()
    return manifest


@pytest.fixture
def data_sets(wire: Wire) -> StoredDataSets:
    return StoredDataSets(aws_engine(wire.settings).data)


@pytest.fixture
def tiles(wire: Wire) -> StoredTiles:
    return StoredTiles(aws_engine(wire.settings).data)


@contextmanager
def signed_in(settings: Settings, owner_id: str = ANNA, *, with_manifest: bool = True) -> Iterator[None]:
    """A request for a user's data whose session was found."""
    engine = aws_engine(settings)
    ahead = [(OWNER, owner_id), (MANIFEST, owner_id)] if with_manifest else [(OWNER, owner_id)]
    with sessions_ahead(engine, StoredSessions(engine.accounts))(ahead) as sessions:
        session = sessions.find("hash")
        assert session is not None
        assert session.user_id == ANNA
        yield


def by_others(act: Callable[[], object]) -> None:
    """Run code as another process would, in its own context."""
    Context().run(act)


def test_session_owner_and_manifest_are_one_call(
    wire: Wire, compacted: Manifest, data_sets: StoredDataSets, tiles: StoredTiles
) -> None:
    with signed_in(wire.settings):
        owner, manifest = tiles.current(ANNA)
    assert wire.calls == {"BatchGetItem": 1}
    assert owner == data_sets.owner(ANNA)
    assert owner.change_count
    assert (manifest.version, encode_manifest(manifest)) == (compacted.version, encode_manifest(compacted))


def test_session_and_owner_are_one_call(wire: Wire, compacted: Manifest, data_sets: StoredDataSets) -> None:
    with signed_in(wire.settings, with_manifest=False):
        assert data_sets.owner(ANNA).change_count
        assert wire.calls == {"BatchGetItem": 1}


def test_a_manifest_after_the_owner_alone_is_read_with_the_owner(
    wire: Wire, compacted: Manifest, data_sets: StoredDataSets, tiles: StoredTiles
) -> None:
    with signed_in(wire.settings, with_manifest=False):
        owner = data_sets.owner(ANNA)
        assert tiles.current(ANNA)[0] == owner
        assert wire.calls == {"BatchGetItem": 2}


def test_session_and_head_are_one_call(wire: Wire, data_sets: StoredDataSets) -> None:
    engine = aws_engine(wire.settings)
    with sessions_ahead(engine, StoredSessions(engine.accounts))([(HEAD, "a" * 32)]) as sessions:
        assert sessions.find("hash") is not None
        head = data_sets.head("a" * 32)
        assert wire.calls == {"BatchGetItem": 1}
        assert head == data_sets.head("a" * 32)
        assert wire.calls == {"BatchGetItem": 1, "GetItem": 1}


def test_an_unknown_session_brings_no_item_into_the_next_request(
    wire: Wire, compacted: Manifest, tiles: StoredTiles
) -> None:
    engine = aws_engine(wire.settings)
    ahead = sessions_ahead(engine, StoredSessions(engine.accounts))
    with ahead([(OWNER, ANNA), (MANIFEST, ANNA)]) as sessions:
        assert sessions.find("unknown") is None
    add(wire.settings, cbg(1, 600))
    compact(ANNA, ports(wire.settings), lambda: None)
    with ahead([(OWNER, ANNA), (MANIFEST, ANNA)]):
        assert tiles.current(ANNA)[1].version > compacted.version


def test_a_manifest_that_is_read_again_is_the_stored_one(wire: Wire, compacted: Manifest, tiles: StoredTiles) -> None:
    with signed_in(wire.settings):
        assert tiles.current(ANNA)[1].version == compacted.version
        by_others(lambda: add(wire.settings, cbg(1, 600)))
        by_others(lambda: compact(ANNA, ports(wire.settings), lambda: None))
        assert tiles.current(ANNA)[1].version > compacted.version


def test_without_a_session_each_item_is_read_by_itself(
    wire: Wire, compacted: Manifest, data_sets: StoredDataSets, tiles: StoredTiles
) -> None:
    engine = aws_engine(wire.settings)
    with sessions_ahead(engine, StoredSessions(engine.accounts))([(OWNER, ANNA), (MANIFEST, ANNA)]):
        assert data_sets.owner(ANNA).change_count
        assert tiles.current(ANNA)[1].version == compacted.version
    assert wire.calls == {"GetItem": 1, "BatchGetItem": 1}


def test_items_that_were_read_ahead_are_those_of_their_user(
    wire: Wire, compacted: Manifest, data_sets: StoredDataSets, tiles: StoredTiles
) -> None:
    with signed_in(wire.settings):
        assert (data_sets.owner("bbbbbbbbbb").id, tiles.current("bbbbbbbbbb")[0].id) == ("bbbbbbbbbb", "bbbbbbbbbb")
        assert tiles.current("bbbbbbbbbb")[1].version == 0
        assert tiles.current(ANNA)[1].version == compacted.version


def test_a_manifest_of_an_erased_epoch_does_not_count(
    wire: Wire, compacted: Manifest, data_sets: StoredDataSets, tiles: StoredTiles
) -> None:
    data_sets.erase(ANNA, NOW_MS)
    with signed_in(wire.settings):
        owner, manifest = tiles.current(ANNA)
    assert (owner.epoch, manifest.epoch, manifest.version) == (1, 1, 0)


@pytest.mark.parametrize("with_manifest", [True, False])
@pytest.mark.parametrize("owner_id", ODD_IDS, ids=range(len(ODD_IDS)))
def test_any_text_can_be_the_id_in_the_path(
    wire: Wire, compacted: Manifest, tiles: StoredTiles, owner_id: str, with_manifest: bool
) -> None:
    with signed_in(wire.settings, owner_id, with_manifest=with_manifest):
        owner, manifest = tiles.current(owner_id)
    assert (owner.id, owner.change_count, manifest.version) == (owner_id, 0, 0)


class TestManifestInParts:
    """A manifest that does not fit into its item."""

    @pytest.fixture(autouse=True)
    def in_parts(self, small_parts: int, compacted: Manifest) -> None:
        """Store manifests in parts, and fail unless this one needs them."""
        assert len(encode_manifest(compacted)) > small_parts

    def test_the_parts_of_a_manifest_are_read_with_it(
        self, wire: Wire, compacted: Manifest, tiles: StoredTiles
    ) -> None:
        with signed_in(wire.settings):
            assert wire.calls == {"BatchGetItem": 1}
            assert encode_manifest(tiles.current(ANNA)[1]) == encode_manifest(compacted)
            assert wire.calls == {"BatchGetItem": 2}

    def test_a_manifest_that_was_replaced_and_swept_in_between_is_read_again(
        self, wire: Wire, compacted: Manifest, tiles: StoredTiles
    ) -> None:
        with signed_in(wire.settings):
            by_others(lambda: add(wire.settings, cbg(1, 600)))
            by_others(lambda: compact(ANNA, ports(wire.settings), lambda: None))
            by_others(lambda: self._sweep(wire.settings, compacted.version))
            wire.requests.clear()
            assert tiles.current(ANNA)[1].version > compacted.version
            # Parts of the old one, in vain; the new one; its parts.
            assert wire.calls == {"BatchGetItem": 3}

    def test_a_manifest_whose_parts_are_lost_is_unavailable(
        self, wire: Wire, compacted: Manifest, tiles: StoredTiles
    ) -> None:
        with signed_in(wire.settings):
            by_others(lambda: self._sweep(wire.settings, compacted.version))
            with pytest.raises(UnavailableError):
                tiles.current(ANNA)

    @staticmethod
    def _sweep(settings: Settings, version: int) -> None:
        of_version = [
            item for item in items(settings, tiles_partition(ANNA, 0)) if item["sk"].startswith(f"{version:012d}")
        ]
        assert of_version
        aws_engine(settings).data.batch_write([Delete({"pk": item["pk"], "sk": item["sk"]}) for item in of_version])


class TestRequests:
    """Whole requests, from the operation's row to DynamoDB."""

    @pytest.fixture
    def api(self, wire: Wire, compacted: Manifest) -> Iterator[ApiClient]:
        """A client of the application on the stage."""
        engine = aws_engine(wire.settings)
        session = StoredSessions(engine.accounts).find("hash")
        assert session is not None
        engine.accounts.put(session_item(replace(session, token_hash=token_hash(TOKEN))))
        composition.override(
            replace(composition.build_services(wire.settings, aws_engine(wire.settings)), now_ms=lambda: NOW_MS)
        )
        wire.requests.clear()
        yield ApiClient()
        composition.override(None)

    def test_an_add_is_two_calls(self, wire: Wire, api: ApiClient) -> None:
        assert api.request("POST", f"/v1/data_sets/{'a' * 32}/data", cbg(1, 600), token=TOKEN).status == 200
        assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}

    def test_a_deletion_is_two_calls(self, wire: Wire, api: ApiClient) -> None:
        selectors = [{"origin": {"id": "1"}}]
        assert api.request("DELETE", f"/v1/data_sets/{'a' * 32}/data", selectors, token=TOKEN).status == 200
        assert wire.calls == {"BatchGetItem": 1, "TransactWriteItems": 1}

    def test_a_rejected_add_is_five_calls(self, wire: Wire, api: ApiClient) -> None:
        assert api.request("POST", f"/v1/data_sets/{'a' * 32}/data", [{"type": "cbg"}], token=TOKEN).status == 400
        # Session and head; the owner, the description with the client's name, the rejection, and the count of the day.
        assert wire.calls == {"BatchGetItem": 1, "GetItem": 1, "Query": 1, "PutItem": 1, "UpdateItem": 1}

    def test_a_read_fetches_session_owner_and_manifest_in_one_call(self, wire: Wire, api: ApiClient) -> None:
        reply = api.request("GET", f"/data/{ANNA}?type=cbg&latest=true", token=TOKEN)
        assert (reply.status, len(reply.json())) == (200, 1)
        # The second batch is the newest records, or the tile; the queries are data sets and tail.
        assert wire.calls == {"BatchGetItem": 2, "Query": 2}

    def test_a_read_of_unchanged_data_is_one_call_without_the_manifest(self, wire: Wire, api: ApiClient) -> None:
        etag = api.request("GET", f"/data/{ANNA}", token=TOKEN).headers["etag"]
        wire.requests.clear()
        assert api.request("GET", f"/data/{ANNA}", token=TOKEN, If_None_Match=etag).status == 304
        assert wire.calls == {"BatchGetItem": 1}
        assert b"TILES" not in encoded(wire.requests[0][1])

    def test_a_read_after_an_add_has_what_was_added(self, wire: Wire, api: ApiClient) -> None:
        for count in range(3):
            api.request("POST", f"/v1/data_sets/{'a' * 32}/data", cbg(1, 600 + count), token=TOKEN)
            assert len(api.request("GET", f"/data/{ANNA}?type=cbg", token=TOKEN).json()) == 601 + count
