"""The session of a caller, the counters of a user's data and its snapshot, in one round trip to two tables."""

from typing import Any

from chalicelib.accounts.stores.keys import session_key
from chalicelib.accounts.stores.sessions import session_from_item
from chalicelib.config import Settings
from chalicelib.engine.attribute_values import from_values, to_values
from chalicelib.engine.dynamodb import batch_get_tables, client
from chalicelib.log.stores.legacy import owner_from_item, owner_key, snapshot_key
from chalicelib.reading.session_and_snapshot import ReadSessionAndSnapshot, ReadTogether
from chalicelib.tiles.snapshot import Snapshot
from chalicelib.tiles.stores.tiles import snapshot_from_item


def session_and_snapshot_reader(settings: Settings) -> ReadSessionAndSnapshot:
    """The function that reads them, strongly consistent: one BatchGetItem; another one when a snapshot above 380 KB is
    decoded."""

    def read(token_hash: str, owner_id: str, *, with_snapshot: bool) -> ReadTogether:
        dynamodb, table = client(settings), settings.data_table
        owner_at, snapshot_at = owner_key(owner_id), snapshot_key(owner_id)
        wanted: dict[str, Any] = {
            settings.accounts_table: [to_values(session_key(token_hash))],
            table: [owner_at, snapshot_at] if with_snapshot else [owner_at],
        }
        found: dict[str, Any] = batch_get_tables(dynamodb, wanted)
        sessions, items = found[settings.accounts_table], {item["sk"]["S"]: item for item in found[table]}
        owner = owner_from_item(owner_id, items.get(owner_at["sk"]["S"]))

        def snapshot() -> Snapshot | None:
            if not with_snapshot:
                return None
            return snapshot_from_item(dynamodb, table, owner, items.get(snapshot_at["sk"]["S"]))

        return ReadTogether(session_from_item(from_values(sessions[0])) if sessions else None, owner, snapshot)

    return read
