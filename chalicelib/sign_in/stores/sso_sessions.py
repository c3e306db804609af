"""Sessions of browsers in the accounts table: one item by the hash of the cookie, one in the list of the user, and one
for each login that was opened in the session."""

from chalicelib.accounts.stores.keys import (
    APP_LOGIN_PREFIX,
    SESSIONS_PREFIX,
    WEB_LOGIN_PREFIX,
    sso_login_key,
    sso_session_key,
    sso_session_list_key,
    user_pk,
)
from chalicelib.engine.conditions import absent, exists
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.table import Delete, Item, Prefix, Put, Query, Table, Write
from chalicelib.sign_in.ports import AuthorizationCode, SsoOpening, SsoSession

APP_LOGIN_LIFETIME_S = 60 * 24 * 3600
"""The time for which a session knows that an app's login was opened in it."""


def sso_writes(opening: SsoOpening | SsoSession) -> list[Write]:
    """The writes that store a new session, or the later expiry of one that has not ended."""
    session = opening.session if isinstance(opening, SsoOpening) else opening
    item = _item(session)
    listed = sso_session_list_key(session.user_id, session.session_id, session.cookie_hash)
    is_new = isinstance(opening, SsoOpening)
    writes: list[Write] = [
        Put(item, absent() if is_new else exists()),
        Put(listed | {"expires_at_s": item["expires_at_s"]}),
    ]
    if isinstance(opening, SsoOpening) and opening.replaced is not None:
        writes += map(Delete, _keys(opening.replaced))
    return writes


def sso_login_item(session: SsoSession, code: AuthorizationCode) -> Item:
    """The item by which a session knows a login that was opened in it.

    A web app's expires with its login, and each refresh stores it again.
    """
    is_web = bool(code.sso_session_id)
    kept_s = 0 if is_web else APP_LOGIN_LIFETIME_S
    key = sso_login_key(session.user_id, session.session_id, code.login_id, is_web=is_web)
    return key | {"expires_at_s": expires_at_s(code.expires_time_ms) + kept_s}


class StoredSsoSessions:
    """The port `SsoSessions` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, cookie_hash: str) -> SsoSession | None:
        """One read."""
        item = self._accounts.get(sso_session_key(cookie_hash))
        return None if item is None else _session(item)

    def remove(self, session: SsoSession) -> None:
        """One transaction."""
        self._accounts.transact([*map(Delete, _keys(session))])

    def logins(self, session: SsoSession) -> dict[str, bool]:
        """One query."""
        prefix = f"{SESSIONS_PREFIX}{session.session_id}#"
        items = self._accounts.query(Query(user_pk(session.user_id), Prefix(prefix), attributes=("sk",)))
        listed = [item["sk"].removeprefix(prefix) for item in items]
        web = {text.removeprefix(WEB_LOGIN_PREFIX): True for text in listed if text.startswith(WEB_LOGIN_PREFIX)}
        apps = {text.removeprefix(APP_LOGIN_PREFIX): False for text in listed if text.startswith(APP_LOGIN_PREFIX)}
        return apps | web


def _keys(session: SsoSession) -> list[Item]:
    """The items of a session, the one in the list last, so that a removal that stops half-way is found again."""
    return [
        sso_session_key(session.cookie_hash),
        sso_session_list_key(session.user_id, session.session_id, session.cookie_hash),
    ]


def _item(session: SsoSession) -> Item:
    return sso_session_key(session.cookie_hash) | {
        "session_id": session.session_id,
        "cookie_hash": session.cookie_hash,
        "user_id": session.user_id,
        "password_version": session.password_version,
        "signed_in_s": session.signed_in_s,
        "is_kept": session.is_kept,
        "expires_time_ms": session.expires_time_ms,
        "expires_at_s": expires_at_s(session.expires_time_ms),
    }


def _session(item: Item) -> SsoSession:
    return SsoSession(
        session_id=item["session_id"],
        cookie_hash=item["cookie_hash"],
        user_id=item["user_id"],
        password_version=item["password_version"],
        signed_in_s=item["signed_in_s"],
        is_kept=item["is_kept"],
        expires_time_ms=item["expires_time_ms"],
    )
