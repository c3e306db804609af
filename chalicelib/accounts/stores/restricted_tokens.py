"""Restricted tokens in the accounts table: one item by id, a mirror of it in the list of the user, and an entry in the
list of the sessions of the login, so that what ends the login ends the token."""

from chalicelib.access.call import LoginReference, RestrictedToken, Session
from chalicelib.access.idempotency import derived_id
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.keys import (
    RESTRICTED_PREFIX,
    repeated_request_key,
    restricted_token_key,
    restricted_token_list_key,
    restricted_token_login_key,
    session_key,
    user_pk,
)
from chalicelib.engine.conditions import absent, exists
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Item, Key, Prefix, Put, Query, Table, Write

KEPT_AFTER_EXPIRATION_S = 24 * 3600
"""The time for which servers still find a token after it has expired."""


def restricted_token_items(token: RestrictedToken) -> list[Item]:
    """The item, its mirror and, for a token of a login, its entry in the list of that login's sessions."""
    last_ms = max(token.expiration_time_ms, token.created_time_ms, token.modified_time_ms or 0)
    content: Item = {
        "token_id": token.id,
        "user_id": token.user_id,
        "expiration_time_ms": token.expiration_time_ms,
        "created_time_ms": token.created_time_ms,
        "expires_at_s": last_ms // 1000 + KEPT_AFTER_EXPIRATION_S,
    }
    if token.paths is not None:
        content["paths"] = token.paths
    if token.modified_time_ms is not None:
        content["modified_time_ms"] = token.modified_time_ms
    if token.login is not None:
        content |= {"login_user_id": token.login.user_id, "login_id": token.login.login_id}
    if token.parent_id:
        content["parent_id"] = token.parent_id
    by_id, by_user, *by_login = _keys(token)
    return [by_id | content, by_user | content, *(key | {"expires_at_s": content["expires_at_s"]} for key in by_login)]


def restricted_token_from_item(item: Item) -> RestrictedToken:
    """The token of an item or of its mirror."""
    return RestrictedToken(
        id=item["token_id"],
        user_id=item["user_id"],
        paths=tuple(item["paths"]) if "paths" in item else None,
        expiration_time_ms=item["expiration_time_ms"],
        created_time_ms=item["created_time_ms"],
        modified_time_ms=item.get("modified_time_ms"),
        # Tokens that an earlier version stored belong to no login.
        login=LoginReference(item["login_user_id"], item["login_id"]) if "login_id" in item else None,
        parent_id=item.get("parent_id", ""),
    )


class StoredRestrictedTokens:
    """The port `RestrictedTokens` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, token_id: str) -> RestrictedToken | None:
        """One read."""
        item = self._accounts.get(restricted_token_key(token_id)) if fits_key(token_id) else None
        return None if item is None else restricted_token_from_item(item)

    def of_user(self, user_id: str) -> list[RestrictedToken]:
        """One query."""
        if not fits_key(user_id):
            return []
        query = Query(user_pk(user_id), Prefix(RESTRICTED_PREFIX), newest_first=True)
        return [restricted_token_from_item(item) for item in self._accounts.query(query)]

    def add(
        self,
        token: RestrictedToken,
        made_with: Session | RestrictedToken | None = None,
        idempotency_key: str | None = None,
    ) -> bool:
        """One transaction over all items, which also checks that the credential still exists."""
        items = restricted_token_items(token)
        writes: list[Write] = [*map(Put, items)]
        if made_with is not None:
            writes.append(Check(_credential_key(made_with), exists()))
        if idempotency_key is not None:
            answer = {"token_id": token.id, "expires_at_s": items[0]["expires_at_s"]}
            writes.append(Put(_answer_key(token.user_id, idempotency_key) | answer, absent()))
        return self._try_write(writes)

    def id_for(self, user_id: str, idempotency_key: str) -> str | None:
        """One read."""
        item = self._accounts.get(_answer_key(user_id, idempotency_key))
        return None if item is None else item["token_id"]

    def replace(self, token: RestrictedToken) -> bool:
        """One transaction over all items, so that a token that was removed in the meantime does not come back."""
        by_id, *listed = restricted_token_items(token)
        return self._try_write([Put(by_id, exists()), *map(Put, listed)])

    def delete(self, token: RestrictedToken) -> None:
        """One transaction over all items."""
        self._accounts.transact([Delete(key) for key in _keys(token)])

    def _try_write(self, writes: list[Write]) -> bool:
        """Carry out the writes; False when a condition of one does not hold."""
        try:
            self._accounts.transact(writes)
        except TransactionRefusedError:
            return False
        return True


def _keys(token: RestrictedToken) -> list[Key]:
    reference = token.user_id, token.created_time_ms, token.id
    keys = [restricted_token_key(token.id), restricted_token_list_key(*reference)]
    return keys if token.login is None else [*keys, restricted_token_login_key(token.login, *reference)]


def _answer_key(user_id: str, idempotency_key: str) -> Key:
    return repeated_request_key(derived_id("restricted token", user_id, idempotency_key))


def _credential_key(credential: Session | RestrictedToken) -> Key:
    if isinstance(credential, RestrictedToken):
        return restricted_token_key(credential.id)
    return session_key(credential.token_hash)
