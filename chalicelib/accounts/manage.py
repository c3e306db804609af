"""Creating, reading and changing accounts. Source: auth-api 5."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call, Caller, Session
from chalicelib.access.policy import CUSTODIAN, UPLOAD, VIEW
from chalicelib.accounts.account import NO_ACCOUNT, Account, user_id_of
from chalicelib.accounts.bodies import NewUser, UserUpdates, custodial_email
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.password_sign_in import attempt_counter, count_for_user, count_tried_address
from chalicelib.accounts.ports import AccountPorts, Accounts, Grants
from chalicelib.accounts.roles import BROKERED, CUSTODIAL_ACCOUNT, PATIENT
from chalicelib.accounts.session import end_other_logins, end_restricted_tokens
from chalicelib.conflicts import retry_on_conflict
from chalicelib.durations import DAY_MS, DAY_S
from chalicelib.errors import UnauthorizedError, UserExistsError, UserNotFoundError

SIGN_UP_LIFETIME_MS = 31 * DAY_MS
"""The time in which the address of a new account has to be verified, where addresses are. It outlasts the session that
the sign-up opens, and is that of the mailed link."""
MAX_PASSWORD_CHANGES = 20
"""Changes of the password of an account in a window: each costs a hash, as a sign-in does."""
MAX_CUSTODIAL_ACCOUNTS_A_DAY = 100
"""Custodial accounts that a user may make in a day: each has quotas of its own."""
MAX_ATTEMPTS = 5
"""The number of attempts of a change that conflicts with other changes."""


def create_user(
    call: Call, new_user: NewUser, ports: AccountPorts, *, email_verified: bool, email_proven: bool = False
) -> Account:
    """Create an account that can sign in.

    Where e-mail addresses are not verified, `email_verified` is true from the start, and signing up accepts the terms
    unless the body says when they were accepted, so that Loop can sign in (auth-api 5). `email_proven` is for accounts
    that the owner of the stage makes. Where they are, the account is deleted if its address is not verified within
    `SIGN_UP_LIFETIME_MS`.

    An address that somebody gave to a custodial account is free for its owner: that account loses it.

    Raises:
        UserExistsError: the e-mail address belongs to an account that signs in.

    Source: auth-api 5, route 8.
    """
    terms_accepted_s = new_user.terms_accepted_s
    if terms_accepted_s is None and email_verified:
        terms_accepted_s = call.now_ms // 1000
    account = Account(
        user_id=user_id_of(call.new_id()),
        created_time_ms=call.now_ms,
        email=new_user.email,
        password_hash=ports.passwords.hash(new_user.password),
        roles=new_user.roles,
        terms_accepted_s=terms_accepted_s,
        email_verified=email_verified,
        email_proven=email_proven,
    )
    expires_time_ms = None if email_verified else call.now_ms + SIGN_UP_LIFETIME_MS
    try:
        ports.accounts.create(account, expires_time_ms=expires_time_ms)
    except UserExistsError:
        _take_from_custodial(new_user.email, ports.accounts)
        ports.accounts.create(account, expires_time_ms=expires_time_ms)
    return account


def _take_from_custodial(email: str, accounts: Accounts) -> None:
    """Take an address from the custodial account that has it, so that a person can have it.

    Raises:
        UserExistsError: it belongs to an account that signs in.
    """

    def attempt() -> None:
        holder = accounts.find_by_email(email)
        if holder is None:
            return
        if not holder.is_custodial:
            raise UserExistsError(holder.user_id)
        accounts.replace(holder, replace(holder, email=None, version=holder.version + 1))

    retry_on_conflict(attempt, MAX_ATTEMPTS)


def create_custodial_user(
    call: Call, custodian_id: str | None, read_body: Callable[[], Any], ports: AccountPorts
) -> Account:
    """Create an account that nobody signs in to. The custodian, if any, may manage, read and write it at once.

    Raises:
        UnauthorizedError: the caller may not create accounts for this custodian.
        TooManyAttemptsError: the caller tried too many addresses, or made too many accounts today.
        InvalidUserDetailsError: the body breaks a rule.
        UserExistsError: the e-mail address belongs to an account, or an earlier request with the same idempotency key
            made another one, or one that was changed or deleted since.

    Source: auth-api 5, routes 13 and 14.
    """
    call.require(custodian_id)
    email = custodial_email(read_body())
    if email is not None:
        count_tried_address(call, ports)
    _count_custodial_account(call, ports)
    account = Account(user_id_of(call.new_id()), call.now_ms, email, roles=(CUSTODIAL_ACCOUNT, PATIENT))
    grant = None
    if custodian_id is not None:
        grant = Grant(account.user_id, custodian_id, permissions={CUSTODIAN: {}, VIEW: {}, UPLOAD: {}})
    try:
        ports.accounts.create(account, grant)
    except UserExistsError:
        earlier = ports.accounts.find(account.user_id)
        if earlier is None or replace(earlier, created_time_ms=account.created_time_ms) != account:
            raise
        return earlier
    return account


def _count_password_change(call: Call, user_id: str, ports: AccountPorts) -> None:
    """Count a change of a password. Servers are free.

    Raises:
        TooManyAttemptsError: too many in this window.
    """
    changes = attempt_counter("password_changes", user_id, MAX_PASSWORD_CHANGES, call.now_ms)
    count_for_user(call, changes, ports)


def _count_custodial_account(call: Call, ports: AccountPorts) -> None:
    """Count a custodial account that a user makes. Servers are free.

    Raises:
        TooManyAttemptsError: the user made too many today.
    """
    maker_id = call.caller.user_id or ""
    today = attempt_counter("custodial", maker_id, MAX_CUSTODIAL_ACCOUNTS_A_DAY, call.now_ms, DAY_S)
    count_for_user(call, today, ports)


def read_user(call: Call, id_or_email: str, ports: AccountPorts) -> Account:
    """The account with this id or e-mail address. A caller who may not read the account of an address learns
    nothing of it.

    Raises:
        UserNotFoundError: there is none. This is checked before the permissions of the caller.
        UnauthorizedError: the caller may not read the account with this id.

    Source: auth-api 5, route 9.
    """
    if "@" in id_or_email:
        return _read_user_by_email(call, id_or_email, ports)
    account = ports.accounts.find(id_or_email)
    if account is None:
        raise UserNotFoundError(id_or_email)
    call.require(account.user_id)
    return account


def _read_user_by_email(call: Call, email: str, ports: AccountPorts) -> Account:
    account = ports.accounts.find_by_email(email.lower())
    try:
        call.require(NO_ACCOUNT if account is None else account.user_id)  # both cases take the same reads
    except UnauthorizedError as error:
        if call.caller.is_server:
            raise
        raise UserNotFoundError(email) from error
    if account is None:
        raise UserNotFoundError(email)
    return account


def update_user(call: Call, user_id: str, updates: UserUpdates, token: str, ports: AccountPorts) -> Account:
    """Change an account, and return it after the change.

    A first password claims a custodial account: it is no longer custodial, and its custodians lose their permission.
    A new password ends all restricted tokens and all logins except the one that `token`, the caller's, belongs to,
    because a person may change a password that others know. A sign-in with the old password that runs at the same time
    is stored either before the change, and ends too, or not at all. A change is not stored once the caller's session
    has ended, as by a reset of the password at the same time.

    Raises:
        InvalidTokenError: the caller's session has ended during the request.
        UnauthorizedError: the account does not exist, or the caller may not make all of the change.
        UserExistsError: the new e-mail address belongs to another account that signs in.
        TooManyAttemptsError: the caller tried too many addresses, or changed the password too often.
        UnavailableError: each attempt met another change.

    Source: auth-api 5, route 10.
    """
    password_hash: str | None = None

    def attempt() -> Account:
        nonlocal password_hash
        account = ports.accounts.find(user_id)
        if account is None:
            raise UnauthorizedError
        _require_update(call, account, updates)
        if updates.email not in (None, account.email):
            count_tried_address(call, ports)
        if updates.password is not None and password_hash is None:
            _count_password_change(call, user_id, ports)
            password_hash = ports.passwords.hash(updates.password)
        claims = password_hash is not None and account.is_custodial
        if claims:
            # Before the account, so that a repetition completes a change that failed half-way.
            revoke_custodians(user_id, ports.grants)
        changed = _apply_updates(account, updates, password_hash, claims=claims)
        if changed != account:
            changed = replace(changed, version=account.version + 1)
            _replace(account, changed, call.caller, ports.accounts)
        if password_hash is not None:
            end_other_logins(user_id, token, ports.sessions)
            end_restricted_tokens(user_id, ports.restricted_tokens)
        return changed

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def _replace(old: Account, new: Account, caller: Caller, accounts: Accounts) -> None:
    """Store the account after a change, unless the caller's session has ended. A person takes an address from a
    custodial account; a custodian does not."""
    session = caller.credential if isinstance(caller.credential, Session) else None
    try:
        accounts.replace(old, new, session=session)
    except UserExistsError:
        if new.email is None or new.is_custodial:
            raise
        _take_from_custodial(new.email, accounts)
        accounts.replace(old, new, session=session)


def _require_update(call: Call, account: Account, updates: UserUpdates) -> None:
    """Raise unless the caller may make these updates.

    A custodian does not change the address of an account that a person signs in to: with the address comes a new
    password.
    """
    if BROKERED in account.roles:
        raise UnauthorizedError
    call.require(account.user_id)
    if call.caller.is_server:
        return
    if updates.roles is not None or updates.email_verified is not None:
        raise UnauthorizedError
    is_custodian = call.caller.user_id != account.user_id
    if is_custodian and (updates.password is not None or updates.terms_accepted_s is not None):
        raise UnauthorizedError
    changes_address = updates.removes_email or updates.email not in (None, account.email)
    if is_custodian and changes_address and not account.is_custodial:
        raise UnauthorizedError


def _apply_updates(account: Account, updates: UserUpdates, password_hash: str | None, *, claims: bool) -> Account:
    """The account after the updates. `emails` alone changes nothing, unless it is empty (auth-api 5, route 10).

    Only the old address was verified: a new one is not, unless a server says so.
    """
    email = account.email
    if updates.email is not None:
        email = updates.email
    elif updates.removes_email:
        email = None
    roles = account.roles if updates.roles is None else updates.roles
    if claims:
        roles = tuple(role for role in roles if role != CUSTODIAL_ACCOUNT)
    is_other_address = email is not None and email != account.email
    email_verified = account.email_verified and not is_other_address
    if updates.email_verified is not None:
        email_verified = updates.email_verified
    return replace(
        account,
        email=email,
        password_hash=account.password_hash if password_hash is None else password_hash,
        password_version=account.password_version if password_hash is None else account.password_version + 1,
        roles=roles,
        terms_accepted_s=account.terms_accepted_s if updates.terms_accepted_s is None else updates.terms_accepted_s,
        email_verified=email_verified,
        email_proven=account.email_proven and email == account.email,
        was_verified=account.was_verified or (account.email_verified and not email_verified and is_other_address),
    )


def revoke_custodians(user_id: str, grants: Grants) -> None:
    """Take the permission `custodian` from all who have it for a user."""
    for grant in grants.given_by(user_id):
        if CUSTODIAN in grant.permissions:
            remaining = {name: value for name, value in grant.permissions.items() if name != CUSTODIAN}
            grants.put(replace(grant, permissions=remaining))
