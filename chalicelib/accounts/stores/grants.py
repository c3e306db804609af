"""Grants in the accounts table: one item with the sharer, a mirror of it with the grantee."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.stores.keys import (
    GRANT_PREFIX,
    GRANTED_PREFIX,
    grant_key,
    granted_key,
    user_pk,
)
from chalicelib.accounts.stores.transactions import transact
from chalicelib.config import Settings
from chalicelib.engine import dynamodb

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item


def grant_items(grant: Grant) -> tuple["Item", "Item"]:
    """The item and its mirror. Permissions are kept as JSON, since their values are whatever was sent."""
    content: Item = {
        "sharer_id": {"S": grant.sharer_id},
        "grantee_id": {"S": grant.grantee_id},
        "permissions": {"S": orjson.dumps(dict(grant.permissions)).decode()},
    }
    if grant.expires_time_ms is not None:
        content["expires_at_s"] = {"N": str(-(-grant.expires_time_ms // 1000))}
    keys = grant_key(grant.sharer_id, grant.grantee_id), granted_key(grant.sharer_id, grant.grantee_id)
    return keys[0] | content, keys[1] | content


def grant_from_item(item: "Item") -> Grant:
    """The grant of an item or of its mirror, with what has expired since."""
    return Grant(item["sharer_id"]["S"], item["grantee_id"]["S"], orjson.loads(item["permissions"]["S"]))


class DynamoGrants:
    """The port `Grants` on DynamoDB. It needs the time, since DynamoDB removes expired items late."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._table = settings.accounts_table
        self._now_ms = now_ms

    def find(self, sharer_id: str, grantee_id: str) -> Grant | None:
        """One read."""
        if not fits_key(sharer_id) or not fits_key(grantee_id):
            return None
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(
                TableName=self._table, Key=grant_key(sharer_id, grantee_id), ConsistentRead=True
            )
        return grant_from_item(found["Item"]).at(self._now_ms()) if "Item" in found else None

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:
        """One read."""
        grant = self.find(sharer_id, grantee_id)
        return frozenset() if grant is None else grant.names

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:
        """One read."""
        grant = self.find(sharer_id, grantee_id)
        return None if grant is None else grant.view_from_ms(self._now_ms())

    def given_by(self, sharer_id: str) -> list[Grant]:
        """One query."""
        return self._current(sharer_id, GRANT_PREFIX)

    def given_to(self, grantee_id: str) -> list[Grant]:
        """One query."""
        return self._current(grantee_id, GRANTED_PREFIX)

    def put(self, grant: Grant) -> None:
        """One transaction over both items."""
        writes: Iterable[Any]
        if grant.permissions:
            writes = [{"Put": {"TableName": self._table, "Item": item}} for item in grant_items(grant)]
        else:
            keys = grant_key(grant.sharer_id, grant.grantee_id), granted_key(grant.sharer_id, grant.grantee_id)
            writes = [{"Delete": {"TableName": self._table, "Key": key}} for key in keys]
        transact(self._settings, list(writes))

    def _current(self, user_id: str, prefix: str) -> list[Grant]:
        if not fits_key(user_id):
            return []
        now_ms = self._now_ms()
        items = dynamodb.query_all(dynamodb.client(self._settings), self._table, user_pk(user_id), prefix)
        grants = (grant_from_item(item).at(now_ms) for item in items)
        return [grant for grant in grants if grant is not None]
