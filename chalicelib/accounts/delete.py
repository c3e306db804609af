"""Deleting accounts: who may, and what confirms it. Source: auth-api 5, route 11."""

from dataclasses import dataclass

from chalicelib.access.call import Caller, GrantReader, require
from chalicelib.access.policy import Policy
from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import MAX_ATTEMPTS
from chalicelib.accounts.password_sign_in import attempt_counters, count_attempt
from chalicelib.accounts.ports import Accounts, Passwords, SignInAttempts
from chalicelib.accounts.roles import CLINIC_ROLES
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnauthorizedError, WrongPasswordError


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a caller confirms the deletion of their own account with, and from where."""

    password: str | None
    source_ip: str


def delete_user(
    caller: Caller,
    user_id: str,
    confirmation: Confirmation,
    policy: Policy,
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

    def attempt() -> None:
        account = accounts.find(user_id)
        if account is None and caller.is_server:
            return
        if account is None or CLINIC_ROLES & set(account.roles):
            raise UnauthorizedError
        require(caller, user_id, policy, grants)
        if not caller.is_server and caller.user_id == user_id:
            _confirm(account, confirmation, passwords, attempts, now_ms)
        accounts.delete(account, now_ms)

    retry_on_conflict(attempt, MAX_ATTEMPTS)


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
