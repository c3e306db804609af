"""Deleting accounts, and what they leave behind. Source: auth-api 5, route 11."""

from dataclasses import dataclass, replace

from chalicelib.contract.access import WhoMay
from chalicelib.contract.roles import CLINIC_ROLES
from chalicelib.domain.access import Caller, GrantReader, require
from chalicelib.domain.accounts import Account
from chalicelib.domain.accounts_lifecycle import MAX_TRIES
from chalicelib.domain.accounts_sign_in import attempt_counters, count_attempt
from chalicelib.domain.errors import UnauthorizedError, UnavailableError, WrongPasswordError
from chalicelib.domain.ports_accounts import (
    Accounts,
    Grants,
    Passwords,
    Profiles,
    RestrictedTokens,
    Sessions,
    SignInAttempts,
)
from chalicelib.domain.sessions_restricted import erase_restricted_tokens


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a caller confirms the deletion of their own account with, and from where."""

    password: str | None
    source_ip: str


def delete_user(
    caller: Caller,
    user_id: str,
    confirmation: Confirmation,
    who_may: WhoMay,
    *,
    accounts: Accounts,
    grants: GrantReader,
    passwords: Passwords,
    attempts: SignInAttempts,
    now_ms: int,
) -> None:
    """Delete an account, in one step that leaves a receipt of what is still to be erased.

    A server that deletes an account which is not there is told nothing.

    Raises:
        UnauthorizedError: the caller may not, or the account belongs to a clinic.
        WrongPasswordError: one's own account, and the password is missing or wrong.
        TooManyAttemptsError: too many wrong passwords.
        UnavailableError: changes of the account kept coming in between.

    Source: auth-api 5, route 11.
    """
    for _ in range(MAX_TRIES):
        account = accounts.find(user_id)
        if account is None and caller.is_server:
            return
        if account is None or CLINIC_ROLES & set(account.roles):
            raise UnauthorizedError
        require(caller, user_id, who_may, grants)
        if not caller.is_server and caller.user_id == user_id:
            _confirm(account, confirmation, passwords, attempts, now_ms)
        if accounts.delete(account, now_ms):
            return
    raise UnavailableError


def _confirm(
    account: Account, confirmation: Confirmation, passwords: Passwords, attempts: SignInAttempts, now_ms: int
) -> None:
    """A stolen session is no way to guess the password: guesses here count as failed sign-ins."""
    if confirmation.password is None:
        raise WrongPasswordError
    counters = attempt_counters(account.email or account.user_id, confirmation.source_ip, now_ms)
    count_attempt(attempts, counters, now_ms)
    if not passwords.verify(account.password_hash, confirmation.password):
        raise WrongPasswordError
    attempts.uncount(counters)


def erase_traces(
    user_id: str, *, sessions: Sessions, restricted_tokens: RestrictedTokens, grants: Grants, profiles: Profiles
) -> bool:
    """End a deleted user's sessions and restricted tokens, take their grants from both sides, remove their metadata.

    False when that has to be done again.

    It may be repeated. The receipt of the deletion stays until everything else of the user is erased too.
    """
    try:
        sessions.end_all(user_id)
        erase_restricted_tokens(user_id, restricted_tokens)
        for grant in (*grants.given_by(user_id), *grants.given_to(user_id)):
            grants.put(replace(grant, permissions={}))
        profiles.delete_all(user_id)
    except UnavailableError:
        return False
    return True
