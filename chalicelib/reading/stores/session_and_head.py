"""The session of a caller and the head of a data set, in one round trip to two tables."""

from typing import Any

from chalicelib.access.call import Session
from chalicelib.accounts.stores.keys import session_key
from chalicelib.accounts.stores.sessions import session_from_item
from chalicelib.config import Settings
from chalicelib.engine.attribute_values import from_values, to_values
from chalicelib.engine.dynamodb import batch_get_tables, client
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.stores.data_sets import head_from_item
from chalicelib.log.stores.keys import head_key
from chalicelib.reading.session_and_head import ReadBoth


def session_and_head_reader(settings: Settings) -> ReadBoth:
    """The function that reads both, strongly consistent: one BatchGetItem."""

    def read(token_hash: str, data_set_id: str) -> tuple[Session | None, DataSetHead | None]:
        wanted: dict[str, Any] = {
            settings.accounts_table: [to_values(session_key(token_hash))],
            settings.data_table: [to_values(head_key(data_set_id))],
        }
        found: dict[str, Any] = batch_get_tables(client(settings), wanted)
        sessions, heads = found[settings.accounts_table], found[settings.data_table]
        return (
            session_from_item(from_values(sessions[0])) if sessions else None,
            head_from_item(from_values(heads[0])) if heads else None,
        )

    return read
