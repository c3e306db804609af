"""Creating, reading and changing accounts. Source: auth-api 5."""

from dataclasses import replace

from chalicelib.access.call import Caller, GrantReader, require
from chalicelib.access.policy import CUSTODIAN, UPLOAD, VIEW, Policy
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import NewUser, UserUpdates
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import Accounts, Grants, Passwords, RestrictedTokens, Sessions
from chalicelib.accounts.roles import BROKERED, CUSTODIAL_ACCOUNT, PATIENT
from chalicelib.accounts.session import end_other_logins, end_restricted_tokens
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnauthorizedError, UserNotFoundError

MAX_ATTEMPTS = 5
"""How often a change is worked out again when another one came in between."""


def create_user(
    new_user: NewUser, *, user_id: str, email_verified: bool, now_ms: int, accounts: Accounts, passwords: Passwords
) -> Account:
    """A new account that can sign in.

    Where e-mail addresses are not verified, `email_verified` is true at once, and the terms count as accepted by
    signing up unless a time is given, so that Loop can sign in (auth-api 5).

    Raises:
        UserExistsError: the e-mail address belongs to an account.

    Source: auth-api 5, route 8.
    """
    terms_accepted_s = new_user.terms_accepted_s
    if terms_accepted_s is None and email_verified:
        terms_accepted_s = now_ms // 1000
    account = Account(
        user_id=user_id,
        created_time_ms=now_ms,
        email=new_user.email,
        password_hash=passwords.hash(new_user.password),
        roles=new_user.roles,
        terms_accepted_s=terms_accepted_s,
        email_verified=email_verified,
    )
    accounts.create(account)
    return account


def create_custodial_user(
    email: str | None, *, user_id: str, custodian_id: str | None, now_ms: int, accounts: Accounts
) -> Account:
    """A new account that nobody signs in to; the custodian, if any, may manage, read and write it from the start.

    Raises:
        UserExistsError: the e-mail address belongs to an account.

    Source: auth-api 5, routes 13 and 14.
    """
    account = Account(user_id, now_ms, email, roles=(CUSTODIAL_ACCOUNT, PATIENT))
    grant = None
    if custodian_id is not None:
        grant = Grant(sharer_id=user_id, grantee_id=custodian_id, permissions={CUSTODIAN: {}, VIEW: {}, UPLOAD: {}})
    accounts.create(account, grant)
    return account


def read_user(caller: Caller, id_or_email: str, policy: Policy, accounts: Accounts, grants: GrantReader) -> Account:
    """The account with this id or e-mail address.

    Raises:
        UserNotFoundError: there is none; told before the caller's right is looked at.
        UnauthorizedError: it is not the caller's to see.

    Source: auth-api 5, route 9.
    """
    account = accounts.find_by_email(id_or_email.lower()) if "@" in id_or_email else accounts.find(id_or_email)
    if account is None:
        raise UserNotFoundError(id_or_email)
    require(caller, account.user_id, policy, grants)
    return account


def update_user(
    caller: Caller,
    user_id: str,
    updates: UserUpdates,
    policy: Policy,
    *,
    accounts: Accounts,
    grants: Grants,
    passwords: Passwords,
    sessions: Sessions,
    restricted_tokens: RestrictedTokens,
    token: str,
) -> Account:
    """The account after the change.

    A first password claims a custodial account: it ceases to be one, and its custodians lose their permission.
    A password ends all restricted tokens and all logins that were made before it, but the one that `token`, the
    caller's, belongs to: whoever changes it because it is known to others wants those others to be out. What is being
    made with the old password at this moment rests on what ends here: it is stored before, and ends too, or not at all.

    Raises:
        UnauthorizedError: the account does not exist, or not all of the change is the caller's to make.
        UserExistsError: the new e-mail address belongs to another account.
        UnavailableError: other changes kept coming in between.

    Source: auth-api 5, route 10.
    """
    password_hash: str | None = None

    def attempt() -> Account:
        nonlocal password_hash
        account = accounts.find(user_id)
        if account is None:
            raise UnauthorizedError
        _require_update(caller, account, updates, policy, grants)
        if updates.password is not None and password_hash is None:
            password_hash = passwords.hash(updates.password)
        claims = password_hash is not None and account.is_custodial
        if claims:
            # Before the account, so that whoever repeats a change that failed half-way completes it.
            _revoke_custodians(user_id, grants)
        changed = _updated(account, updates, password_hash, claims=claims)
        if changed != account:
            changed = replace(changed, version=account.version + 1)
            accounts.replace(account, changed)
        if password_hash is not None:
            end_other_logins(user_id, token, sessions)
            end_restricted_tokens(user_id, restricted_tokens)
        return changed

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def _require_update(
    caller: Caller, account: Account, updates: UserUpdates, policy: Policy, grants: GrantReader
) -> None:
    if BROKERED in account.roles:
        raise UnauthorizedError
    require(caller, account.user_id, policy, grants)
    if caller.is_server:
        return
    if updates.roles is not None or updates.email_verified is not None:
        raise UnauthorizedError
    is_custodian = caller.user_id != account.user_id
    if is_custodian and (updates.password is not None or updates.terms_accepted_s is not None):
        raise UnauthorizedError


def _updated(account: Account, updates: UserUpdates, password_hash: str | None, *, claims: bool) -> Account:
    """`emails` alone changes nothing, unless it is empty (auth-api 5, route 10)."""
    email = account.email
    if updates.email is not None:
        email = updates.email
    elif updates.removes_email:
        email = None
    roles = account.roles if updates.roles is None else updates.roles
    if claims:
        roles = tuple(role for role in roles if role != CUSTODIAL_ACCOUNT)
    return replace(
        account,
        email=email,
        password_hash=account.password_hash if password_hash is None else password_hash,
        password_version=account.password_version if password_hash is None else account.password_version + 1,
        roles=roles,
        terms_accepted_s=account.terms_accepted_s if updates.terms_accepted_s is None else updates.terms_accepted_s,
        email_verified=account.email_verified if updates.email_verified is None else updates.email_verified,
    )


def _revoke_custodians(user_id: str, grants: Grants) -> None:
    for grant in grants.given_by(user_id):
        if CUSTODIAN in grant.permissions:
            remaining = {name: value for name, value in grant.permissions.items() if name != CUSTODIAN}
            grants.put(replace(grant, permissions=remaining))
