"""The session of a caller and the head of a data set, in one round trip to two tables."""

from typing import Any

from chalicelib.adapters.accounts_keys import session_key
from chalicelib.adapters.accounts_sessions import session_from_item
from chalicelib.adapters.data_keys import head_key
from chalicelib.adapters.data_sets import head_from_item
from chalicelib.adapters.dynamodb import TRIES, client, refusals
from chalicelib.config import Settings
from chalicelib.domain.access import Session
from chalicelib.domain.data_set import DataSetHead
from chalicelib.domain.errors import UnavailableError
from chalicelib.domain.session_and_head import ReadBoth


def session_and_head_reader(settings: Settings) -> ReadBoth:
    """The function that reads both, strongly consistent."""

    def read(token_hash: str, data_set_id: str) -> tuple[Session | None, DataSetHead | None]:
        wanted: dict[str, Any] = {
            settings.accounts_table: {"Keys": [session_key(token_hash)], "ConsistentRead": True},
            settings.data_table: {"Keys": [head_key(data_set_id)], "ConsistentRead": True},
        }
        found: dict[str, Any] = {}
        for _ in range(TRIES):
            with refusals():
                answer = client(settings).batch_get_item(RequestItems=wanted)
            found |= {table: items[0] for table, items in answer["Responses"].items() if items}
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if not wanted:
                break
        else:
            raise UnavailableError
        session, head = found.get(settings.accounts_table), found.get(settings.data_table)
        return (
            None if session is None else session_from_item(session),
            None if head is None else head_from_item(head),
        )

    return read
