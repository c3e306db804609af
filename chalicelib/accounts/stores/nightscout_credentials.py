"""Nightscout credentials in the accounts table: one item by hash, and an entry in the list of the user."""

from contextlib import suppress

from chalicelib.access.nightscout_credential import NightscoutCredential, Scope
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.accounts import account_check
from chalicelib.accounts.stores.keys import (
    NIGHTSCOUT_PREFIX,
    grant_key,
    nightscout_count_key,
    nightscout_credential_key,
    nightscout_list_key,
    user_pk,
)
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, any_of, exists, less_than
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Item, Prefix, Put, Query, Table, Update, Write
from chalicelib.errors import ConflictError


def credential_item(credential: NightscoutCredential) -> Item:
    """The item of a credential."""
    return nightscout_credential_key(credential.credential_hash) | {
        "credential_id": credential.id,
        "user_id": credential.user_id,
        "name": credential.name,
        "scope": str(credential.scope),
        "credential_hash": credential.credential_hash,
        "created_time_ms": credential.created_time_ms,
        "made_by": credential.made_by,
    }


def credential_from_item(item: Item) -> NightscoutCredential:
    """The credential of an item."""
    return NightscoutCredential(
        id=item["credential_id"],
        user_id=item["user_id"],
        name=item["name"],
        scope=Scope(item["scope"]),
        credential_hash=item["credential_hash"],
        created_time_ms=item["created_time_ms"],
        made_by=item["made_by"],
        last_used_time_ms=item.get("last_used_time_ms"),
    )


class StoredNightscoutCredentials:
    """The port `NightscoutCredentials` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, credential_hash: str) -> NightscoutCredential | None:
        """One read."""
        item = self._accounts.get(nightscout_credential_key(credential_hash))
        return None if item is None else credential_from_item(item)

    def find_of_user(self, user_id: str, credential_id: str) -> NightscoutCredential | None:
        """Two reads: the entry in the list, and the credential."""
        if not fits_key(user_id) or not fits_key(credential_id):
            return None
        entry = self._accounts.get(nightscout_list_key(user_id, credential_id))
        return None if entry is None else self.find(entry["credential_hash"])

    def of_user(self, user_id: str) -> list[NightscoutCredential]:
        """One query and one batch."""
        if not fits_key(user_id):
            return []
        entries = self._accounts.query(Query(user_pk(user_id), Prefix(NIGHTSCOUT_PREFIX)))
        keys = [nightscout_credential_key(entry["credential_hash"]) for entry in entries]
        items = self._accounts.batch_get(keys) if keys else []
        found = [credential_from_item(item) for item in items if item is not None]
        return sorted(found, key=lambda credential: (credential.created_time_ms, credential.id), reverse=True)

    def add(self, credential: NightscoutCredential, max_credentials: int) -> bool:
        """One transaction: both items, the number, and checks of the account and of the grantee's grant."""
        has_room = any_of(absent("credentials"), less_than("credentials", max_credentials))
        entry = nightscout_list_key(credential.user_id, credential.id)
        writes: list[Write] = [
            Update(nightscout_count_key(credential.user_id), add={"credentials": 1}, condition=has_room),
            Put(credential_item(credential), absent()),
            Put(entry | {"credential_hash": credential.credential_hash}, absent()),
            account_check(credential.user_id),
        ]
        if credential.made_by != credential.user_id:
            writes.append(Check(grant_key(credential.user_id, credential.made_by), exists()))
        try:
            self._accounts.transact(writes)
        except TransactionRefusedError as refused:
            if refused.failed(0):
                raise ConflictError from refused
            if refused.failed(2):
                raise WriteConflictError from refused
            return False
        return True

    def set_used(self, credential: NightscoutCredential, now_ms: int) -> None:
        """One conditional write."""
        key = nightscout_credential_key(credential.credential_hash)
        with suppress(ConditionFailedError):
            self._accounts.update(Update(key, set={"last_used_time_ms": now_ms}, condition=exists()))

    def delete(self, credential: NightscoutCredential) -> None:
        """One transaction over both items and the number."""
        writes: list[Write] = [
            Delete(nightscout_list_key(credential.user_id, credential.id), exists()),
            Delete(nightscout_credential_key(credential.credential_hash)),
            Update(nightscout_count_key(credential.user_id), add={"credentials": -1}),
        ]
        with suppress(TransactionRefusedError):
            self._accounts.transact(writes)

    def delete_all(self, user_id: str) -> None:
        """One query, and two writes for each credential; then the number."""
        if not fits_key(user_id):
            return
        for entry in self._accounts.query(Query(user_pk(user_id), Prefix(NIGHTSCOUT_PREFIX))):
            key = {name: entry[name] for name in ("pk", "sk")}
            # The entry last, so that a removal that stops half-way is found again.
            self._accounts.delete(nightscout_credential_key(entry["credential_hash"]))
            self._accounts.delete(key)
        self._accounts.delete(nightscout_count_key(user_id))
