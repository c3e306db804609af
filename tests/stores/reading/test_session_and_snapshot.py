"""What comes along with the session of who reads data, in one round trip. On DynamoDB only."""

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import aws_engine
from chalicelib.engine.table import Delete
from chalicelib.errors import UnavailableError
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.reading.session_and_snapshot import SessionAndSnapshot
from chalicelib.reading.stores.session_and_snapshot import session_and_snapshot_reader
from chalicelib.tiles.compact import compact
from chalicelib.tiles.manifest import Manifest, encode_manifest
from chalicelib.tiles.stores.keys import tiles_partition
from chalicelib.tiles.stores.tiles import StoredTiles
from tests.stores.log.test_calls import Wire, add, cbg, wire
from tests.stores.log.test_data_stores import ANNA, NOW_MS
from tests.stores.reading.test_calls import ports
from tests.stores.tiles.test_calls import items, small_parts

__all__ = ["small_parts", "wire"]

ODD_IDS = ["", "#", f"{ANNA}#0#DS", "%23", "a/b", "å" * 200, "#" * 200, "#" * 201, "x" * 5000, "\x00"]


@pytest.fixture
def compacted(wire: Wire) -> Manifest:
    """The snapshot of Anna's data, which is in tiles; nothing was called yet."""
    add(wire.settings, cbg(600))
    compact(ANNA, ports(wire.settings), lambda: None)
    snapshot = StoredTiles(aws_engine(wire.settings).data).current(ANNA)[1]
    assert snapshot.version
    wire.requests.clear()
    return snapshot


def reads_of(settings: Settings, owner_id: str = ANNA, *, with_snapshot: bool = True) -> SessionAndSnapshot:
    """What a request for a user's data reads with."""
    data_sets, tiles = StoredDataSets(aws_engine(settings).data), StoredTiles(aws_engine(settings).data)
    read_together = session_and_snapshot_reader(settings)
    return SessionAndSnapshot(owner_id, read_together, data_sets, tiles, with_snapshot=with_snapshot)


def test_all_three_are_one_call(wire: Wire, compacted: Manifest) -> None:
    reads = reads_of(wire.settings)
    session = reads.find("hash")
    assert session is not None
    assert session.user_id == ANNA
    counters = reads.owner(ANNA)
    owner, snapshot = reads.current(ANNA)
    assert wire.calls == {"BatchGetItem": 1}
    assert owner == counters == StoredDataSets(aws_engine(wire.settings).data).owner(ANNA)
    assert owner.change_count
    assert (snapshot.version, encode_manifest(snapshot)) == (compacted.version, encode_manifest(compacted))


def test_who_asks_again_gets_what_is_there_now(wire: Wire, compacted: Manifest) -> None:
    reads = reads_of(wire.settings)
    reads.find("hash")
    assert reads.current(ANNA)[1].version == compacted.version
    add(wire.settings, cbg(1, 600))
    compact(ANNA, ports(wire.settings), lambda: None)
    assert reads.current(ANNA)[1].version > compacted.version


def test_without_a_session_token_each_is_read_by_itself(wire: Wire, compacted: Manifest) -> None:
    reads = reads_of(wire.settings)
    assert reads.owner(ANNA).change_count
    assert reads.current(ANNA)[1].version == compacted.version
    assert wire.calls == {"GetItem": 1, "BatchGetItem": 1}


def test_what_came_along_is_of_that_user_only(wire: Wire, compacted: Manifest) -> None:
    reads = reads_of(wire.settings)
    reads.find("hash")
    assert (reads.owner("bbbbbbbbbb").id, reads.current("bbbbbbbbbb")[0].id) == ("bbbbbbbbbb", "bbbbbbbbbb")
    assert reads.current("bbbbbbbbbb")[1].version == 0
    assert reads.current(ANNA)[1].version == compacted.version


def test_a_snapshot_before_erasing_counts_no_more(wire: Wire, compacted: Manifest) -> None:
    StoredDataSets(aws_engine(wire.settings).data).erase(ANNA, NOW_MS)
    reads = reads_of(wire.settings)
    reads.find("hash")
    owner, snapshot = reads.current(ANNA)
    assert (owner.epoch, snapshot.epoch, snapshot.version) == (1, 1, 0)


@pytest.mark.parametrize("with_snapshot", [True, False])
@pytest.mark.parametrize("owner_id", ODD_IDS, ids=range(len(ODD_IDS)))
def test_any_text_may_stand_in_the_path(wire: Wire, compacted: Manifest, owner_id: str, with_snapshot: bool) -> None:
    reads = reads_of(wire.settings, owner_id, with_snapshot=with_snapshot)
    assert reads.find("hash") is not None
    owner, snapshot = reads.current(owner_id)
    assert (owner.id, owner.change_count, snapshot.version) == (owner_id, 0, 0)


class TestInParts:
    """A snapshot that does not fit into its item."""

    @pytest.fixture(autouse=True)
    def in_parts(self, small_parts: int, compacted: Manifest) -> None:
        """It does not."""
        assert len(encode_manifest(compacted)) > small_parts

    def test_its_parts_wait_until_the_caller_is_known(self, wire: Wire, compacted: Manifest) -> None:
        reads = reads_of(wire.settings)
        reads.find("hash")
        assert wire.calls == {"BatchGetItem": 1}
        assert encode_manifest(reads.current(ANNA)[1]) == encode_manifest(compacted)
        assert wire.calls == {"BatchGetItem": 2}

    def test_one_that_was_replaced_and_swept_meanwhile_is_read_anew(self, wire: Wire, compacted: Manifest) -> None:
        reads = reads_of(wire.settings)
        reads.find("hash")
        add(wire.settings, cbg(1, 600))
        compact(ANNA, ports(wire.settings), lambda: None)
        self._sweep(wire.settings, compacted.version)
        assert reads.current(ANNA)[1].version > compacted.version

    def test_one_whose_parts_are_lost_is_unavailable(self, wire: Wire, compacted: Manifest) -> None:
        reads = reads_of(wire.settings)
        reads.find("hash")
        self._sweep(wire.settings, compacted.version)
        with pytest.raises(UnavailableError):
            reads.current(ANNA)

    @staticmethod
    def _sweep(settings: Settings, version: int) -> None:
        of_version = [it for it in items(settings, tiles_partition(ANNA, 0)) if it["sk"].startswith(f"{version:012d}")]
        assert of_version
        aws_engine(settings).data.batch_write([Delete({"pk": item["pk"], "sk": item["sk"]}) for item in of_version])
