"""Invitations in the accounts table: one item with the sender, a copy with the address, and a pointer by the key.

Each change is one transaction over these items. All of them expire with the invitation.
"""

from collections.abc import Iterable

import orjson

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.stores.accounts import account_check
from chalicelib.accounts.stores.grants import grant_items
from chalicelib.accounts.stores.keys import user_pk
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import Condition, absent, all_of, equals
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Prefix, Put, Query, Table, Write
from chalicelib.invitations.invitation import Invitation, Status
from chalicelib.invitations.stores.keys import INVITED_PREFIX, email_pk, invitation_key, pointer_key, received_key


def invitation_item(invitation: Invitation) -> Item:
    """The item of an invitation. The context is JSON text, since clients send values of any form."""
    optional = {"modified_time_ms": invitation.modified_time_ms, "custodian_id": invitation.custodian_id or None}
    return {
        **invitation_key(invitation.creator_id, invitation.email),
        "creator_id": invitation.creator_id,
        "email": invitation.email,
        "id": invitation.id,
        "key_hash": invitation.key_hash,
        "context": orjson.dumps(dict(invitation.context)).decode(),
        "status": invitation.status.value,
        "created_time_ms": invitation.created_time_ms,
        "expires_time_ms": invitation.expires_time_ms,
        "version": invitation.version,
        "expires_at_s": expires_at_s(invitation.expires_time_ms),
        **{name: value for name, value in optional.items() if value is not None},
    }


def invitation_from_item(item: Item) -> Invitation:
    """The invitation of an item or of its copy."""
    return Invitation(
        creator_id=item["creator_id"],
        email=item["email"],
        id=item["id"],
        key_hash=item["key_hash"],
        context=orjson.loads(item["context"]),
        status=Status(item["status"]),
        created_time_ms=item["created_time_ms"],
        expires_time_ms=item["expires_time_ms"],
        modified_time_ms=item.get("modified_time_ms"),
        version=item["version"],
        custodian_id=item.get("custodian_id", ""),
    )


class StoredInvitations:
    """The port `Invitations` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, creator_id: str, email: str) -> Invitation | None:
        """One read."""
        if not fits_key(creator_id) or not fits_key(email):
            return None
        item = self._accounts.get(invitation_key(creator_id, email))
        return None if item is None else invitation_from_item(item)

    def find_by_key(self, key_hash: str) -> Invitation | None:
        """Two reads: pointer, invitation."""
        pointer = self._accounts.get(pointer_key(key_hash))
        found = None if pointer is None else self.find(pointer["creator_id"], pointer["email"])
        return found if found is not None and found.key_hash == key_hash else None

    def sent_by(self, creator_id: str) -> list[Invitation]:
        """One query."""
        return self._listed(Query(user_pk(creator_id), Prefix(INVITED_PREFIX))) if fits_key(creator_id) else []

    def sent_to(self, email: str, limit: int) -> list[Invitation]:
        """One query."""
        return self._listed(Query(email_pk(email), Prefix(INVITED_PREFIX), limit=limit)) if fits_key(email) else []

    def add(self, invitation: Invitation, replaced: Invitation | None = None) -> None:
        """One transaction."""
        is_free = absent() if replaced is None else _is(replaced)
        old_pointer = [] if replaced is None else [Delete(pointer_key(replaced.key_hash))]
        self._write([Put(invitation_item(invitation), is_free), *_shown(invitation), *old_pointer])

    def replace(self, old: Invitation, new: Invitation) -> None:
        """One transaction."""
        others = _shown(new) if new.status is Status.PENDING else [_hidden(new)]
        self._write([Put(invitation_item(new), _is(old)), *others])

    def accept(self, old: Invitation, accepted: Invitation, grant: Grant) -> None:
        """One transaction, which also checks both accounts."""
        accounts = [account_check(grant.sharer_id), account_check(grant.grantee_id)]
        grants = map(Put, grant_items(grant))
        self._write([Put(invitation_item(accepted), _is(old)), _hidden(accepted), *grants, *accounts])

    def remove(self, invitation: Invitation) -> None:
        """One transaction."""
        self._write(_removal(invitation, _is(invitation)))

    def remove_all(self, creator_id: str) -> None:
        """One query, and a transaction for each invitation."""
        for invitation in self.sent_by(creator_id):
            self._accounts.transact(_removal(invitation))

    def _listed(self, query: Query) -> list[Invitation]:
        return [invitation_from_item(item) for item in self._accounts.query(query)]

    def _write(self, writes: Iterable[Write]) -> None:
        try:
            self._accounts.transact([*writes])
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused


def _is(invitation: Invitation) -> Condition:
    """The stored invitation is this one: ids are not used again, and versions count its changes."""
    return all_of(equals("id", invitation.id), equals("version", invitation.version))


def _shown(invitation: Invitation) -> list[Write]:
    """The copy in the list of the address, and the pointer."""
    reference = {"creator_id": invitation.creator_id, "email": invitation.email}
    pointer = pointer_key(invitation.key_hash) | reference | {"expires_at_s": expires_at_s(invitation.expires_time_ms)}
    copy = invitation_item(invitation) | received_key(invitation.creator_id, invitation.email)
    return [Put(copy), Put(pointer)]


def _hidden(invitation: Invitation) -> Delete:
    return Delete(received_key(invitation.creator_id, invitation.email))


def _removal(invitation: Invitation, condition: Condition | None = None) -> list[Write]:
    primary = Delete(invitation_key(invitation.creator_id, invitation.email), condition)
    return [primary, _hidden(invitation), Delete(pointer_key(invitation.key_hash))]
