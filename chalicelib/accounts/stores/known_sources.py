"""Addresses and browsers from which users signed in, in the accounts table, until they expire."""

from collections.abc import Collection

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.keys import SOURCE_PREFIX, source_key, user_pk
from chalicelib.engine.table import Prefix, Query, Table


class StoredKnownSources:
    """The port `KnownSources` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def known(self, user_id: str, hashes: Collection[str], now_ms: int) -> frozenset[str]:
        """One batch, also for no user, so that the time does not tell whether there is one."""
        items = self._accounts.batch_get([source_key(user_id, source) for source in hashes])
        current = (item for item in items if item is not None and item["expires_at_s"] * 1000 > now_ms)
        return frozenset(item["source"] for item in current)

    def add(self, user_id: str, hashes: Collection[str], expires_at_s: int) -> None:
        """One write for each source."""
        for source in hashes:
            self._accounts.put(source_key(user_id, source) | {"source": source, "expires_at_s": expires_at_s})

    def remove_all(self, user_id: str) -> None:
        """One query, and one write for each source."""
        if not fits_key(user_id):
            return
        for key in self._accounts.query(Query(user_pk(user_id), Prefix(SOURCE_PREFIX), attributes=("pk", "sk"))):
            self._accounts.delete(key)
