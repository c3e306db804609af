"""Manages the accounts of a home server for its owner, who needs no password of theirs and no open sign-up.

The owner proves the address of an account, as a mailed link does, by making the account, giving it a new password, or
confirming the address. Source: confirm 3.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.access.call import platform_call
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import new_user, user_updates
from chalicelib.accounts.manage import create_user, update_user
from chalicelib.accounts.proof import AddressProof, prove_address
from chalicelib.accounts.roles import BROKERED, ROLES
from chalicelib.accounts.stores.keys import ACCOUNT_SK, user_pk
from chalicelib.confirmations.password_reset import reset_link
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.errors import (
    ConfirmationNotFoundError,
    InvalidUserDetailsError,
    UnauthorizedError,
    UnavailableError,
    UserExistsError,
)
from chalicelib.services import Services
from strandline.cli.errors import CommandError
from strandline.home.opening import Home

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Those of a made-up password: none looks like another."""
_GROUPS, _GROUP_LENGTH = 4, 4


@dataclass(frozen=True, slots=True)
class UserSummary:
    """An account, and when data last came."""

    account: Account
    last_data_ms: int | None
    """Time at which the last record was stored, in milliseconds since the epoch; None if there is none since the last
    erasure."""


def made_up_password() -> str:
    """A new password of 80 random bits, in groups that can be typed."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def add_user(services: Services, email: str, roles: Sequence[str], password: str) -> Account:
    """Create an account that can sign in: its address counts as proven and the terms as accepted.

    Raises:
        CommandError: a role is unknown, the address or the password breaks a rule, the address is taken, or the
            accounts do not answer.
    """
    if unknown := sorted(set(roles) - ROLES):
        raise CommandError(f"there is no role {unknown[0]!r}; the roles are {', '.join(sorted(ROLES))}.")
    try:
        user = new_user({"username": email, "emails": [email], "password": password, "roles": list(roles)})
        call = platform_call(services.now_ms(), services.new_id)
        return create_user(call, user, services.accounts, email_verified=True, email_proven=True)
    except InvalidUserDetailsError:
        raise CommandError(
            "the e-mail address is malformed, or the password does not have 8 to 72 characters without blanks."
        ) from None
    except UserExistsError:
        raise CommandError(f"{email} already has an account.") from None
    except UnavailableError:
        raise CommandError("the accounts do not answer, or the disk is full; try again later.") from None


def reset_password(services: Services, email: str, password: str) -> Account:
    """Set the password of an account, and end all of its logins and restricted tokens, as a change by its user does.
    Its address counts as proven.

    Raises:
        CommandError: there is no such account, the password breaks a rule, or the accounts do not answer.
    """
    try:
        updates = user_updates({"updates": {"password": password}})
        account = services.accounts.accounts.find_by_email(email.lower())
        if account is None:
            raise CommandError(f"{email} has no account.")
        call = platform_call(services.now_ms(), services.new_id)
        changed = update_user(call, account.user_id, updates, "", services.accounts)
        return prove_address(AddressProof(changed.user_id, changed.email or ""), None, services.accounts)
    except InvalidUserDetailsError:
        raise CommandError("the password does not have 8 to 72 characters without blanks.") from None
    except (UnauthorizedError, ConfirmationNotFoundError):
        raise CommandError(f"{email} signs in elsewhere, so the account has no password here.") from None
    except UnavailableError:
        raise CommandError("the accounts do not answer, or the disk is full; try again later.") from None


def confirm_address(services: Services, email: str) -> Account:
    """Count the address of an account as proven, on the word of the owner: for accounts that the owner made before
    proofs were kept, and for persons whom the owner knows.

    Raises:
        CommandError: there is no such account, nobody signs in to it here, or the accounts do not answer.
    """
    try:
        account = _account_with_password(services, email)
        return prove_address(AddressProof(account.user_id, account.email or ""), None, services.accounts)
    except ConfirmationNotFoundError:
        raise CommandError(f"{email} has no account.") from None
    except UnavailableError:
        raise CommandError("the accounts do not answer, or the disk is full; try again later.") from None


def password_link(services: Services, email: str) -> str:
    """A link by which the holder of an account chooses a new password, once and within seven days. It is for them only:
    its holder gets into the account.

    Raises:
        CommandError: there is no such account, nobody signs in to it here, or the accounts do not answer.
    """
    try:
        account = _account_with_password(services, email)
        return reset_link(account, services.now_ms(), services.confirmations)
    except UnavailableError:
        raise CommandError("the accounts do not answer, or the disk is full; try again later.") from None


def _account_with_password(services: Services, email: str) -> Account:
    """The account with an address, to which somebody signs in with a password.

    Raises:
        CommandError: there is none.
    """
    account = services.accounts.accounts.find_by_email(email.lower())
    if account is None:
        raise CommandError(f"{email} has no account.")
    if account.password_hash is None or account.is_custodial or BROKERED in account.roles:
        raise CommandError(f"nobody signs in to the account of {email} with a password.")
    return account


def list_users(home: Home) -> list[UserSummary]:
    """All accounts of a home server, in the order in which they were created."""
    first = user_pk("")
    keys = home.engine.tables.partition_keys(ACCOUNTS, ACCOUNT_SK)
    user_ids = [key.removeprefix(first) for key in keys if key.startswith(first)]
    accounts = home.services.accounts.accounts.find_many(user_ids)
    accounts.sort(key=lambda account: (account.created_time_ms, account.user_id))
    return [UserSummary(account, _last_data_ms(home.services, account.user_id)) for account in accounts]


def _last_data_ms(services: Services, user_id: str) -> int | None:
    clients = services.data.data_sets.owner(user_id).freshness.by_client().values()
    return max((newest.stored_time_ms for types in clients for newest in types.values()), default=None)
