"""Proves that an account belongs to the holder of its address, by a key that was mailed there.

Source: confirm 4 and 5.
"""

from dataclasses import replace

from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import MAX_ATTEMPTS, revoke_custodians
from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.roles import BROKERED, CUSTODIAL_ACCOUNT
from chalicelib.accounts.session import end_restricted_tokens
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import ConfirmationNotFoundError
from chalicelib.frozen import frozen


@frozen
class AddressProof:
    """The object of a mailed key: an account, as long as it has this address and, with `password_version`, this
    password."""

    user_id: str
    email: str
    password_version: int | None = None


def account_of(proof: AddressProof, ports: AccountPorts) -> Account:
    """The account of a proof.

    Raises:
        ConfirmationNotFoundError: the account is gone, or has another address or password since the key was mailed.
    """
    account = ports.accounts.find(proof.user_id)
    if account is None or account.email != proof.email or BROKERED in account.roles:
        raise ConfirmationNotFoundError
    if proof.password_version not in (None, account.password_version):
        raise ConfirmationNotFoundError
    return account


def account_with_password(proof: AddressProof, password: str, ports: AccountPorts) -> Account | None:
    """The account of a proof that has set this password already, because its request got no answer and is sent again;
    None if it has not."""
    account = ports.accounts.find(proof.user_id)
    if account is None or account.email != proof.email or proof.password_version is None:
        return None
    is_next = account.password_version == proof.password_version + 1
    return account if is_next and ports.passwords.verify(account.password_hash, password) else None


def is_proven(proof: AddressProof, ports: AccountPorts) -> bool:
    """Whether the address of an account was proven before, as far as the account is still there."""
    account = ports.accounts.find(proof.user_id)
    return account is None or account.email_proven


def prove_address(proof: AddressProof, password: str | None, ports: AccountPorts) -> Account:
    """Store that the address of an account is proven, with a new password if there is one, and return the account.

    A new password ends all sessions, logins and restricted tokens. It claims a custodial account: its custodians lose
    their permission. A proof that is bound to a password works once, since the password changes; with the same password
    it works again, so that a repetition ends the sessions that are left.

    Raises:
        ConfirmationNotFoundError: see `account_of`.
        UnavailableError: each attempt met another change.
    """
    password_hash = None if password is None else ports.passwords.hash(password)

    def attempt() -> Account:
        account = account_of(proof, ports)
        changed = replace(account, email_verified=True, email_proven=True)
        if password_hash is not None:
            if account.is_custodial:
                revoke_custodians(account.user_id, ports.grants)  # first, so that a repetition completes it
            changed = replace(
                changed,
                password_hash=password_hash,
                password_version=account.password_version + 1,
                roles=tuple(role for role in account.roles if role != CUSTODIAL_ACCOUNT),
            )
        if changed != account:
            ports.accounts.replace(account, replace(changed, version=account.version + 1))
        return changed

    account = None if password is None else account_with_password(proof, password, ports)
    account = account or retry_on_conflict(attempt, MAX_ATTEMPTS)
    if password_hash is not None:
        ports.sessions.end_all(proof.user_id)
        end_restricted_tokens(proof.user_id, ports.restricted_tokens)
    return account
