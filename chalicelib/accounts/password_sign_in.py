"""Sign-in with e-mail address and password, and the limits on guessing. Source: auth-api 2, limits 3.

Failed sign-ins are counted for an account from one network address, for that address over all accounts, and for the
account over all addresses. A stranger who guesses from elsewhere fills the last two counters, and so keeps other
strangers out, but not the person: an address or a browser from which they signed in before gets past these.
"""

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
"""Guesses at one account from one address in a window: too few to find a password, and far more than a person
mistypes."""
MAX_FAILURES_PER_ADDRESS = 100
"""Guesses from one address in a window: a clinic or a school may share an address."""
MAX_SIGN_INS_PER_ACCOUNT = 100
"""Sign-ins to one account from one address in a window, right ones included: each costs a hash, which takes a fifth of
a second of a processor, and no quota counts it."""
MAX_SIGN_INS = 1000
"""Sign-ins from one address in a window, right ones included."""
MAX_ADDRESSES_TRIED = 50
"""E-mail addresses that a user may try to give to accounts in a window, since the answer tells whether one is taken."""
MAX_SIGN_UPS = 100
"""Accounts that one address may ask for in a window, refused ones included: each costs the hash of a password, may cost
a mail, and tells whether an address is taken."""
MAX_FAILURES_PER_ACCOUNT_IN_ALL = 100
"""Guesses at one account from all addresses in a window."""
SOURCE_LIFETIME_S = 180 * 24 * 3600
"""The time after the last sign-in for which an address or a browser is known."""
FAILURES_KEPT_S = 180 * 24 * 3600
"""The time after the last failed sign-in for which the failures are reported."""
IPV6_NETWORK_BITS = 64
"""The part of an IPv6 address that a provider assigns; its holder chooses the rest freely."""


@frozen
class BasicCredentials:
    """A user name and a password as they were sent."""

    username: str
    password: str


@frozen
class SignInSource:
    """The network address and the browser that a sign-in comes from; a client without cookies has no `browser`."""

    ip_address: str
    browser: str = ""

    @property
    def network(self) -> str:
        """The address as it is counted: of IPv6 the first 64 bits."""
        import ipaddress  # imported late: few requests need it

        try:
            address = ipaddress.ip_address(self.ip_address)
        except ValueError:
            return self.ip_address
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        return str(address.ipv4_mapped or ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False))

    @property
    def is_this_machine(self) -> bool:
        """Whether the request comes from a program beside the server: nobody can from elsewhere."""
        import ipaddress

        try:
            return ipaddress.ip_address(self.network).is_loopback
        except ValueError:
            return False

    @property
    def known_as(self) -> tuple[str, ...]:
        """The hashes under which the source is known after a sign-in: address, browser."""
        names = [f"network:{self.network}", *([f"browser:{self.browser}"] if self.browser else [])]
        return tuple(map(_digest, names))


@frozen
class SignIn:
    """A successful sign-in: its account, and the number of sign-ins that failed elsewhere since the one before."""

    account: Account
    failures_elsewhere: int


def sign_in(call: Call, credentials: BasicCredentials, source: SignInSource, ports: AccountPorts) -> SignIn:
    """Sign in to the account that these credentials open. From then on, the source is known.

    An unknown name takes as long as a wrong password and has the same answer. A password whose hash has older
    parameters is hashed again.

    Raises:
        WrongCredentialsError: the name or the password is wrong, or nobody signs in to this account.
        UnverifiedEmailError: both are right, but no e-mail address of the account was ever verified.
        TooManyAttemptsError: too many sign-ins failed in this window, for this account or from this address, or there
            were too many in all from this address.
    """
    passwords, attempts = ports.passwords, ports.sign_in_attempts
    email = credentials.username.lower()
    _count_sign_in(call, email, source, ports)
    counted = admit(call, email, source, ports)
    account = ports.accounts.find_by_email(email)
    usable = account if account is not None and not account.is_custodial else None
    matches = passwords.verify(None if usable is None else usable.password_hash, credentials.password)
    if usable is None or usable.password_hash is None or not matches:
        record_failure(call, email, source, ports)
        raise WrongCredentialsError
    attempts.uncount(counted)
    if not usable.may_sign_in:
        raise UnverifiedEmailError
    if passwords.needs_rehash(usable.password_hash):
        rehashed = replace(usable, password_hash=passwords.hash(credentials.password), version=usable.version + 1)
        with suppress(WriteConflictError):  # the other change wins, and the next sign-in hashes again
            ports.accounts.replace(usable, rehashed)
    remember(call, usable.user_id, source, ports)
    in_all, from_here = attempts.take_failures(_failure_keys(email, source))
    return SignIn(usable, max(0, in_all - from_here))


def admit(call: Call, email: str, source: SignInSource, ports: AccountPorts) -> tuple[AttemptCounter, ...]:
    """Count an attempt to guess the password of an account, and return the counters that a right one has to uncount.

    Attempts are counted before the password is checked, so that attempts at the same time cannot exceed a limit.

    Raises:
        TooManyAttemptsError: a counter is full, and the source is not known, or its own counter is full as well.
    """
    counters = _counters(email, source, call.now_ms)
    full = ports.sign_in_attempts.count(counters)
    if full is None:
        return counters
    account = ports.accounts.find_by_email(email)
    known = ports.known_sources.known("" if account is None else account.user_id, source.known_as, call.now_ms)
    by_network, *by_browser = source.known_as
    counted = counters[: counters.index(full)]
    if counted and by_network in known:  # the account's counter at this address is not the full one
        return counted
    if known.isdisjoint(by_browser):
        raise _too_many(full, call.now_ms)
    of_browser = attempt_counter("browser", f"{email}#{source.browser}", MAX_FAILURES_PER_ACCOUNT, call.now_ms)
    count_attempt(ports.sign_in_attempts, [of_browser], call.now_ms)
    return (*counted, of_browser)


def record_failure(call: Call, email: str, source: SignInSource, ports: AccountPorts) -> None:
    """Record that a password was wrong, for the person to see at the next sign-in."""
    expires_at_s = call.now_ms // 1000 + FAILURES_KEPT_S
    ports.sign_in_attempts.add_failure(_failure_keys(email, source), expires_at_s)


def remember(call: Call, user_id: str, source: SignInSource, ports: AccountPorts) -> None:
    """Remember a source from which a person has signed in or up."""
    ports.known_sources.add(user_id, source.known_as, call.now_ms // 1000 + SOURCE_LIFETIME_S)


def attempt_counter(
    kind: str, name: str, max_attempts: int, now_ms: int, window_s: int = ATTEMPTS_WINDOW_S
) -> AttemptCounter:
    """The counter of what `name` does or meets, in the window of this time."""
    starts_s = now_ms // 1000 // window_s * window_s
    return AttemptCounter(f"{kind}:{_digest(name)}", starts_s, starts_s + window_s, max_attempts)


def address_counter(source_ip: str, now_ms: int) -> AttemptCounter:
    """The counter of all guesses from one network address."""
    return attempt_counter("address", SignInSource(source_ip).network, MAX_FAILURES_PER_ADDRESS, now_ms)


def count_tried_address(call: Call, ports: AccountPorts) -> None:
    """Count an e-mail address that a user tries to give to an account, whether or not it is taken. Servers are free.

    Raises:
        TooManyAttemptsError: the user tried too many in this window.
    """
    counter = attempt_counter("addresses", call.caller.user_id or "", MAX_ADDRESSES_TRIED, call.now_ms)
    count_for_user(call, counter, ports)


def _count_sign_in(call: Call, email: str, source: SignInSource, ports: AccountPorts) -> None:
    """Count a sign-in before it costs a hash. Those of other addresses do not count, so nobody is kept out by them, and
    programs of this machine are free.

    Raises:
        TooManyAttemptsError: too many from this address in this window.
    """
    if not source.is_this_machine:
        at_account = f"{email}#{source.network}"
        counters = (
            attempt_counter("sign_ins_at_account", at_account, MAX_SIGN_INS_PER_ACCOUNT, call.now_ms),
            attempt_counter("sign_ins", source.network, MAX_SIGN_INS, call.now_ms),
        )
        count_attempt(ports.sign_in_attempts, counters, call.now_ms)


def count_sign_up(call: Call, source: SignInSource, ports: AccountPorts) -> None:
    """Count an account that somebody asks for. Programs of this machine are free.

    Raises:
        TooManyAttemptsError: too many from this address in this window.
    """
    if not source.is_this_machine:
        counter = attempt_counter("sign_ups", source.network, MAX_SIGN_UPS, call.now_ms)
        count_attempt(ports.sign_in_attempts, [counter], call.now_ms)


def count_for_user(call: Call, counter: AttemptCounter, ports: AccountPorts) -> None:
    """Count something that a user does. Servers are free.

    Raises:
        TooManyAttemptsError: the counter is full.
    """
    if not call.caller.is_server:
        count_attempt(ports.sign_in_attempts, [counter], call.now_ms)


def count_attempt(attempts: SignInAttempts, counters: Sequence[AttemptCounter], now_ms: int) -> None:
    """Count one more attempt.

    Raises:
        TooManyAttemptsError: a counter is full.
    """
    full = attempts.count(counters)
    if full is not None:
        raise _too_many(full, now_ms)


def _counters(email: str, source: SignInSource, now_ms: int) -> tuple[AttemptCounter, ...]:
    """The counters of a sign-in: of the account from this address, of the address, of the account.

    Their keys are hashes, because an unknown address may be a mistyped password.
    """
    return (
        attempt_counter("source", f"{email}#{source.network}", MAX_FAILURES_PER_ACCOUNT, now_ms),
        address_counter(source.ip_address, now_ms),
        attempt_counter("account", email, MAX_FAILURES_PER_ACCOUNT_IN_ALL, now_ms),
    )


def _failure_keys(email: str, source: SignInSource) -> tuple[str, str]:
    """The keys under which failures are recorded: of the account, and of the account from this address."""
    return f"failures:{_digest(email)}", f"failures:{_digest(f'{email}#{source.network}')}"


def _too_many(full: AttemptCounter, now_ms: int) -> TooManyAttemptsError:
    return TooManyAttemptsError(retry_after_s=max(1, full.ends_s - now_ms // 1000))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
