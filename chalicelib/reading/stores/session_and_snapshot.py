"""The session of a caller, the counters of a user's data and its manifest, in one round trip to two tables."""

from chalicelib.accounts.stores.keys import session_key
from chalicelib.accounts.stores.sessions import session_from_item
from chalicelib.config import Settings
from chalicelib.engine.aws import aws_engine
from chalicelib.engine.definitions import ACCOUNTS, DATA
from chalicelib.log.stores.keys import owner_key
from chalicelib.log.stores.owner import owner_from_item
from chalicelib.reading.session_and_snapshot import ReadSessionAndSnapshot, ReadTogether
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.stores.keys import manifest_key
from chalicelib.tiles.stores.tiles import manifest_from_item


def session_and_snapshot_reader(settings: Settings) -> ReadSessionAndSnapshot:
    """The function that reads them, strongly consistent: one BatchGetItem; another one when a manifest above 380 KB is
    decoded."""
    engine = aws_engine(settings)

    def read(token_hash: str, owner_id: str, *, with_snapshot: bool) -> ReadTogether:
        keys = [(ACCOUNTS, session_key(token_hash)), (DATA, owner_key(owner_id)), (DATA, manifest_key(owner_id))]
        found = engine.tables.batch_get(keys if with_snapshot else keys[:2])
        session = None if found[0] is None else session_from_item(found[0])
        owner = owner_from_item(owner_id, found[1])

        def snapshot() -> Manifest | None:
            return manifest_from_item(engine.data, owner, found[2]) if with_snapshot else None

        return ReadTogether(session, owner, snapshot)

    return read
