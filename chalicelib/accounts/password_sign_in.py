"""Signing in with e-mail address and password, and what keeps guessing slow. Source: auth-api 2, limits 3."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import Accounts, Counter, Passwords, SignInAttempts
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import TooManyAttemptsError, UnverifiedEmailError, WrongCredentialsError

ATTEMPTS_WINDOW_S = 15 * 60
MAX_FAILURES_PER_ACCOUNT = 20
"""Guesses at one account in a window: far from enough for any password, far above what a person mistypes."""
MAX_FAILURES_PER_ADDRESS = 100
"""Guesses from one address in a window: a clinic or a school may share one."""


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A user name and a password as they were sent."""

    username: str
    password: str


def sign_in(
    credentials: BasicCredentials,
    source_ip: str,
    *,
    accounts: Accounts,
    passwords: Passwords,
    attempts: SignInAttempts,
    now_ms: int,
) -> Account:
    """The account that these credentials open.

    An unknown name takes as long as a wrong password and has the same answer. A password whose hash was made with
    older parameters is hashed anew.

    Raises:
        WrongCredentialsError: the name or the password is wrong, or nobody signs in to this account.
        UnverifiedEmailError: both are right, but the e-mail address is not verified.
        TooManyAttemptsError: too many sign-ins failed lately, for this account or from this address.
    """
    email = credentials.username.lower()
    counters = attempt_counters(email, source_ip, now_ms)
    count_attempt(attempts, counters, now_ms)
    account = accounts.find_by_email(email)
    usable = account if account is not None and not account.is_custodial else None
    matches = passwords.verify(None if usable is None else usable.password_hash, credentials.password)
    if usable is None or usable.password_hash is None or not matches:
        raise WrongCredentialsError
    attempts.uncount(counters)
    if not usable.email_verified:
        raise UnverifiedEmailError
    if passwords.needs_rehash(usable.password_hash):
        rehashed = replace(usable, password_hash=passwords.hash(credentials.password), version=usable.version + 1)
        with suppress(WriteConflictError):  # the other change wins, and the next sign-in hashes again
            accounts.replace(usable, rehashed)
    return usable


def attempt_counters(email: str, source_ip: str, now_ms: int) -> tuple[Counter, ...]:
    """The counters that a sign-in is counted by. They hold hashes: an unknown address may be a mistyped password."""
    return _counter("account", email, MAX_FAILURES_PER_ACCOUNT, now_ms), address_counter(source_ip, now_ms)


def address_counter(source_ip: str, now_ms: int) -> Counter:
    """The counter of whatever is guessed from one network address."""
    return _counter("address", source_ip, MAX_FAILURES_PER_ADDRESS, now_ms)


def _counter(kind: str, name: str, most: int, now_ms: int) -> Counter:
    starts_s = now_ms // 1000 // ATTEMPTS_WINDOW_S * ATTEMPTS_WINDOW_S
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Counter(f"{kind}:{digest}", starts_s, starts_s + ATTEMPTS_WINDOW_S, most)


def count_attempt(attempts: SignInAttempts, counters: Sequence[Counter], now_ms: int) -> None:
    """Nothing, when one more attempt is allowed. It is counted before the password is looked at, so that attempts made
    at the same time cannot slip through; a successful one is uncounted.

    Raises:
        TooManyAttemptsError: a counter is full.
    """
    full = attempts.count(counters)
    if full is not None:
        raise TooManyAttemptsError(retry_after_s=max(1, full.ends_s - now_ms // 1000))
