"""Accounts, and how clients read them. Source: auth-api 4."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chalicelib.accounts.roles import CUSTODIAL_ACCOUNT
from chalicelib.frozen import frozen

FIRST_PASSWORD_VERSION = 1
NO_ACCOUNT = "no account"
"""Asked for in place of the id of an account that does not exist, so that both cases take the same calls."""


@frozen
class Account:
    """A user. Without `email`, the account is known by its id alone; without `password_hash`, nobody can sign in to it.

    `email` is in lower case and serves as user name. `version` counts the changes of the account, `password_version`
    those of the password: hashing the same password again does not count.
    """

    user_id: str
    created_time_ms: int
    email: str | None = None
    password_hash: str | None = None
    roles: tuple[str, ...] = ()
    terms_accepted_s: int | None = None
    email_verified: bool = False
    """True if the present e-mail address was verified, or needs no verification on this stage."""
    was_verified: bool = False
    """True if an earlier address was: the account signs in as before, and its present address proves nothing."""
    email_proven: bool = False
    """True if the holder of the present e-mail address has this account: a link that was mailed there was used, or the
    owner of the stage made the account, gave it a new password or confirmed it. `email_verified` may be true without
    (auth-api 5)."""
    version: int = 1
    password_version: int = FIRST_PASSWORD_VERSION

    @property
    def may_sign_in(self) -> bool:
        """Whether any address of the account was ever verified."""
        return self.email_verified or self.was_verified

    @property
    def is_custodial(self) -> bool:
        """Whether someone else manages the account, and nobody signs in to it."""
        return CUSTODIAL_ACCOUNT in self.roles

    @property
    def terms_accepted(self) -> str | None:
        """The time at which the terms were accepted, as `2017-02-06T10:37:46+00:00`. Source: auth-api 4."""
        if self.terms_accepted_s is None:
            return None
        return datetime.fromtimestamp(self.terms_accepted_s, UTC).isoformat(timespec="seconds")


def user_object(account: Account, *, to_server: bool) -> dict[str, Any]:
    """An account as clients read it.

    `roles` is present even when empty, unlike in the reference: TidepoolKit cannot read a user without it
    (clients 0, fact 9). Source: auth-api 4.
    """
    user: dict[str, Any] = {
        "userid": account.user_id,
        "roles": list(account.roles),
        "emailVerified": account.email_verified,
    }
    if account.email is not None:
        user |= {"username": account.email, "emails": [account.email]}
    if account.terms_accepted is not None:
        user["termsAccepted"] = account.terms_accepted
    if to_server:
        user["passwordExists"] = account.password_hash is not None and not account.is_custodial
    return user


def user_id_of(new_id: str) -> str:
    """A new user's id, a UUID of version 4 in lower case, from 32 random hexadecimal digits. Source: auth-api 4."""
    return str(uuid.UUID(new_id, version=4))


def private_pair(new_id: Callable[[], str]) -> dict[str, str]:
    """A random id of 10 hexadecimal digits and a hash of 24, as old clients use them. Source: auth-api 1, route 16."""
    return {"name": "", "id": new_id()[:10], "hash": new_id()[:24]}
