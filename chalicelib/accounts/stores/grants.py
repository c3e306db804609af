"""Grants in the accounts table: one item with the sharer, a mirror of it with the grantee."""

from collections.abc import Callable

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
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.table import Delete, Item, Key, Prefix, Put, Query, Table


def grant_items(grant: Grant) -> tuple[Item, Item]:
    """The item and its mirror. Permissions are stored as JSON text, since clients send values of any form."""
    content: Item = {
        "sharer_id": grant.sharer_id,
        "grantee_id": grant.grantee_id,
        "permissions": orjson.dumps(dict(grant.permissions)).decode(),
    }
    if grant.expires_time_ms is not None:
        content["expires_at_s"] = expires_at_s(grant.expires_time_ms)
    with_sharer, with_grantee = _keys(grant)
    return with_sharer | content, with_grantee | content


def grant_from_item(item: Item) -> Grant:
    """The grant of an item or of its mirror, expired permissions included."""
    return Grant(item["sharer_id"], item["grantee_id"], orjson.loads(item["permissions"]))


class StoredGrants:
    """The port `Grants` on the accounts table. It needs the time, since expired items are removed late."""

    def __init__(self, accounts: Table, now_ms: Callable[[], int]) -> None:
        self._accounts = accounts
        self._now_ms = now_ms

    def find(self, sharer_id: str, grantee_id: str) -> Grant | None:
        """One read."""
        if not fits_key(sharer_id) or not fits_key(grantee_id):
            return None
        item = self._accounts.get(grant_key(sharer_id, grantee_id))
        return None if item is None else grant_from_item(item).at(self._now_ms())

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
        if grant.permissions:
            self._accounts.transact([Put(item) for item in grant_items(grant)])
        else:
            self._accounts.transact([Delete(key) for key in _keys(grant)])

    def _current(self, user_id: str, prefix: str) -> list[Grant]:
        if not fits_key(user_id):
            return []
        now_ms = self._now_ms()
        items = self._accounts.query(Query(user_pk(user_id), Prefix(prefix)))
        grants = (grant_from_item(item).at(now_ms) for item in items)
        return [grant for grant in grants if grant is not None]


def _keys(grant: Grant) -> tuple[Key, Key]:
    pair = grant.sharer_id, grant.grantee_id
    return grant_key(*pair), granted_key(*pair)
