"""Accounts in the accounts table: the account, its e-mail address, and its entries in the lists of all accounts and of
its roles. An account of a version without the list of all accounts enters it with its next change.

Each change is one transaction over all of these items, so they always agree.
"""

from collections.abc import Collection, Iterator, Sequence

from chalicelib.access.call import Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.account import FIRST_PASSWORD_VERSION, NO_ACCOUNT, Account
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import Deletion
from chalicelib.accounts.stores.grants import grant_items
from chalicelib.accounts.stores.keys import (
    ACCOUNTS_PK,
    DELETED_PK,
    account_key,
    deletion_key,
    email_key,
    listed_account_key,
    role_key,
    role_pk,
    role_sk_from,
    session_key,
    unanswered_sign_up_key,
)
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import Condition, absent, all_of, equals, exists
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Item, Put, Query, Range, Table, Write
from chalicelib.errors import InvalidTokenError, UserExistsError


def account_item(account: Account) -> Item:
    """The item of an account, without the members that are None."""
    optional = {
        "email": account.email,
        "password_hash": account.password_hash,
        "terms_accepted_s": account.terms_accepted_s,
        "was_verified": account.was_verified or None,
        "email_proven": account.email_proven or None,
    }
    return {
        **account_key(account.user_id),
        "user_id": account.user_id,
        "created_time_ms": account.created_time_ms,
        "roles": account.roles,
        "email_verified": account.email_verified,
        "version": account.version,
        "password_version": account.password_version,
        **{name: value for name, value in optional.items() if value is not None},
    }


def account_from_item(item: Item) -> Account:
    """The account of an item."""
    return Account(
        user_id=item["user_id"],
        created_time_ms=item["created_time_ms"],
        email=item.get("email"),
        password_hash=item.get("password_hash"),
        roles=tuple(item["roles"]),
        terms_accepted_s=item.get("terms_accepted_s"),
        email_verified=item["email_verified"],
        was_verified=item.get("was_verified", False),
        email_proven=item.get("email_proven", False),
        version=item["version"],
        # An item that an earlier version stored has none until the account is stored again.
        password_version=item.get("password_version", FIRST_PASSWORD_VERSION),
    )


def account_check(user_id: str, password_version: int | None = None) -> Check:
    """The part of a transaction that fails unless the account exists and has this version of its password.

    None accepts any password.
    """
    if password_version is None:
        return Check(account_key(user_id), exists())
    is_first = password_version == FIRST_PASSWORD_VERSION
    has_version = equals("password_version", password_version, or_absent=is_first)
    return Check(account_key(user_id), all_of(exists(), has_version))


class StoredAccounts:
    """The port `Accounts` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, user_id: str) -> Account | None:
        """One read."""
        item = self._accounts.get(account_key(user_id)) if fits_key(user_id) else None
        return None if item is None else account_from_item(item)

    def find_by_email(self, email: str) -> Account | None:
        """Two reads: address, account."""
        holder = self._accounts.get(email_key(email)) if fits_key(email) else None
        return self.find(NO_ACCOUNT if holder is None else holder["user_id"])

    def find_many(self, user_ids: Collection[str]) -> list[Account]:
        """One batch for each hundred accounts."""
        keys = [account_key(user_id) for user_id in dict.fromkeys(user_ids) if fits_key(user_id)]
        return [account_from_item(item) for item in self._accounts.batch_get(keys) if item is not None]

    def with_role(self, role: str, from_ms: int | None = None, before_ms: int | None = None) -> list[Account]:
        """One query, and one batch for each hundred accounts."""
        first_ms = max(0, from_ms or 0)
        if before_ms is not None and before_ms <= first_ms:
            return []
        # "~" sorts after every digit; a bound without "#" sorts before all accounts of its millisecond.
        end = "~" if before_ms is None else role_sk_from(before_ms)
        created = Range(at_least=role_sk_from(first_ms), at_most=end)
        return self.find_many([item["user_id"] for item in self._accounts.query(Query(role_pk(role), created))])

    def newest_ids(self, limit: int) -> Iterator[str]:
        """See `Accounts.newest_ids`: one query of keys, in pages of about 10,000. It may lag, at half the price."""
        query = Query(ACCOUNTS_PK, newest_first=True, limit=limit, attributes=("sk",), may_lag=True)
        return (item["sk"].partition("#")[2] for item in self._accounts.query(query))

    def create(self, account: Account, grant: Grant | None = None, *, expires_time_ms: int | None = None) -> None:
        """One transaction."""
        writes: list[Write] = [
            Put(account_item(account), absent()),
            Put(listed_account_key(account.created_time_ms, account.user_id)),
            *_role_puts(account, account.roles),
        ]
        if grant is not None:
            writes += map(Put, grant_items(grant))
        if account.is_custodial:  # its id may be that of a deleted account whose data are still being erased
            writes.append(Check(deletion_key(account.user_id), absent()))
        if expires_time_ms is not None:
            writes.append(Put(unanswered_sign_up_key(expires_time_ms, account.user_id)))
        try:
            self._write(writes, email=account.email, user_id=account.user_id)
        except WriteConflictError as error:
            raise UserExistsError(account.user_id) from error

    def replace(self, old: Account, new: Account, *, session: Session | None = None) -> None:
        """One transaction, on the condition that the version is still the old one, and that the session exists."""
        writes: list[Write] = [
            Put(account_item(new), _has_version(old)),
            Put(listed_account_key(new.created_time_ms, new.user_id)),
            *_role_puts(new, set(new.roles) - set(old.roles)),
            *_role_deletes(old, set(old.roles) - set(new.roles)),
        ]
        if old.email is not None and old.email != new.email:
            writes.append(Delete(email_key(old.email)))
        self._write(writes, email=new.email if new.email != old.email else None, user_id=new.user_id, session=session)

    def delete(self, account: Account, now_ms: int) -> None:
        """One transaction, on the condition that the version is still this one."""
        writes: list[Write] = [
            Delete(account_key(account.user_id), _has_version(account)),
            Delete(listed_account_key(account.created_time_ms, account.user_id)),
            Put(deletion_key(account.user_id) | {"deleted_time_ms": now_ms}),
            *_role_deletes(account, account.roles),
        ]
        if account.email is not None:
            writes.append(Delete(email_key(account.email)))
        self._write(writes)

    def deletions(self) -> list[Deletion]:
        """One query."""
        return [Deletion(item["sk"], item["deleted_time_ms"]) for item in self._accounts.query(Query(DELETED_PK))]

    def finish_deletion(self, user_id: str) -> None:
        """One write."""
        self._accounts.delete(deletion_key(user_id))

    def _write(
        self, writes: Sequence[Write], *, email: str | None = None, user_id: str = "", session: Session | None = None
    ) -> None:
        """Carry out the writes of one account, with `email` reserve the address for it, and with `session` require that
        session.

        Raises:
            WriteConflictError: the condition of the first write does not hold. Then the address may belong to this
                account already, by a change at the same time.
            InvalidTokenError: the session has ended.
            UserExistsError: the address belongs to another account.
        """
        reservations = [] if email is None else [Put(email_key(email) | {"user_id": user_id}, absent())]
        checks = [] if session is None else [Check(session_key(session.token_hash), exists())]
        try:
            self._accounts.transact([*writes, *checks, *reservations])
        except TransactionRefusedError as refused:
            if refused.failed(0):
                raise WriteConflictError from refused
            if checks and refused.failed(len(writes)):
                raise InvalidTokenError from refused
            if reservations and refused.failed(len(writes) + len(checks)):
                raise UserExistsError from refused
            raise WriteConflictError from refused


def _has_version(account: Account) -> Condition:
    return equals("version", account.version)


def _role_puts(account: Account, roles: Collection[str]) -> list[Put]:
    keys = [role_key(role, account.created_time_ms, account.user_id) for role in dict.fromkeys(roles)]
    return [Put(key | {"user_id": account.user_id}) for key in keys]


def _role_deletes(account: Account, roles: Collection[str]) -> list[Delete]:
    return [Delete(role_key(role, account.created_time_ms, account.user_id)) for role in dict.fromkeys(roles)]
