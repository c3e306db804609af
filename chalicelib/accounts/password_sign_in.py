"""Sign-in with e-mail address and password, and the limits on guessing. Source: auth-api 2, limits 3."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import AccountPorts, AttemptCounter, SignInAttempts
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import TooManyAttemptsError, UnverifiedEmailError, WrongCredentialsError
from chalicelib.frozen import frozen

ATTEMPTS_WINDOW_S = 15 * 60
MAX_FAILURES_PER_ACCOUNT = 20
"""Guesses at one account in a window: too few to find a password, and far more than a person mistypes."""
MAX_FAILURES_PER_ADDRESS = 100
"""Guesses from one address in a window: a clinic or a school may share an address."""


@frozen
class BasicCredentials:
    """A user name and a password as they were sent."""

    username: str
    password: str


def sign_in(call: Call, credentials: BasicCredentials, source_ip: str, ports: AccountPorts) -> Account:
    """The account that these credentials open.

    An unknown name takes as long as a wrong password and has the same answer. A password whose hash has older
    parameters is hashed again.

    Raises:
        WrongCredentialsError: the name or the password is wrong, or nobody signs in to this account.
        UnverifiedEmailError: both are right, but the e-mail address is not verified.
        TooManyAttemptsError: too many sign-ins failed in this window, for this account or from this address.
    """
    passwords, attempts = ports.passwords, ports.sign_in_attempts
    email = credentials.username.lower()
    counters = attempt_counters(email, source_ip, call.now_ms)
    count_attempt(attempts, counters, call.now_ms)
    account = ports.accounts.find_by_email(email)
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
            ports.accounts.replace(usable, rehashed)
    return usable


def attempt_counters(email: str, source_ip: str, now_ms: int) -> tuple[AttemptCounter, ...]:
    """The counters of a sign-in. Their keys are hashes, because an unknown address may be a mistyped password."""
    return _counter("account", email, MAX_FAILURES_PER_ACCOUNT, now_ms), address_counter(source_ip, now_ms)


def address_counter(source_ip: str, now_ms: int) -> AttemptCounter:
    """The counter of all guesses from one network address."""
    return _counter("address", source_ip, MAX_FAILURES_PER_ADDRESS, now_ms)


def _counter(kind: str, name: str, max_attempts: int, now_ms: int) -> AttemptCounter:
    starts_s = now_ms // 1000 // ATTEMPTS_WINDOW_S * ATTEMPTS_WINDOW_S
    digest = hashlib.sha256(name.encode()).hexdigest()
    return AttemptCounter(f"{kind}:{digest}", starts_s, starts_s + ATTEMPTS_WINDOW_S, max_attempts)


def count_attempt(attempts: SignInAttempts, counters: Sequence[AttemptCounter], now_ms: int) -> None:
    """Count one more attempt. Attempts are counted before the password is checked, so that attempts at the same time
    cannot exceed the limit; a successful one is uncounted.

    Raises:
        TooManyAttemptsError: a counter is full.
    """
    full = attempts.count(counters)
    if full is not None:
        raise TooManyAttemptsError(retry_after_s=max(1, full.ends_s - now_ms // 1000))
