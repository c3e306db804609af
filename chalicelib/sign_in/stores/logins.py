"""Codes and logins of OpenID Connect in the accounts table: one item, and one in the list of the user's sessions."""

from collections.abc import Sequence

from chalicelib.access.call import Session
from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.stores.accounts import account_check
from chalicelib.accounts.stores.keys import (
    OIDC_SK,
    SESSIONS_PREFIX,
    oidc_login_key,
    oidc_login_list_key,
    sso_login_key,
    user_pk,
)
from chalicelib.accounts.stores.sessions import session_items
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, equals, exists
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Check, Item, Prefix, Put, Query, Table, Write
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin, SsoOpening, SsoSession
from chalicelib.sign_in.stores.sso_sessions import sso_login_item, sso_writes

IS_CODE = exists("code_challenge")
_LOGIN = 0
"""The position of the code or login among the writes that store it."""


class StoredOidcLogins:
    """The port `OidcLogins` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """One read."""
        item = self._accounts.get(oidc_login_key(login_id))
        if item is None:
            return None
        return _code(item) if "code_challenge" in item else _login(item)

    def of_user(self, user_id: str) -> list[OidcLogin]:
        """One query, and one batch for each hundred logins."""
        if not fits_key(user_id):
            return []
        listed = self._accounts.query(Query(user_pk(user_id), Prefix(SESSIONS_PREFIX), attributes=("sk",)))
        keys = [item["sk"].removeprefix(SESSIONS_PREFIX) for item in listed if item["sk"].endswith(f"#{OIDC_SK}")]
        items = self._accounts.batch_get([oidc_login_key(key.partition("#")[0]) for key in keys])
        return [_login(item) for item in items if item is not None and "code_challenge" not in item]

    def add_code(self, code: AuthorizationCode, opening: SsoOpening | SsoSession) -> bool:
        """One transaction of five writes, or seven if the session replaces another one. It also checks the account and
        its password."""
        session = opening.session if isinstance(opening, SsoOpening) else opening
        writes = [*sso_writes(opening), Put(sso_login_item(session, code))]
        account = account_check(code.user_id, session.password_version)
        return self._try_write(Put(_code_item(code), absent()), account, writes)

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """One transaction: the login replaces the code, so that a code is redeemed once."""
        return self._try_write(Put(_login_item(login), IS_CODE), account_check(code.user_id), _puts(session))

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> bool:
        """One transaction: refreshes of a login come one after the other, and none after its end."""
        put = Put(_login_item(new), equals("version", old.version))
        try:
            self._write(put, account_check(old.user_id), _puts(session))
        except TransactionRefusedError as refused:
            if refused.failed(_LOGIN):
                raise WriteConflictError from refused
            return False
        return True

    def _try_write(self, put: Put, account: Check, more: Sequence[Write]) -> bool:
        try:
            self._write(put, account, more)
        except TransactionRefusedError:
            return False
        return True

    def _write(self, put: Put, account: Check, more: Sequence[Write]) -> None:
        item, expiry = put.item, {"expires_at_s": put.item["expires_at_s"]}
        listed = [oidc_login_list_key(item["user_id"], item["login_id"])]
        if item.get("sso_session_id") and "code_challenge" not in item:
            # The login is known to the browser's session for as long as it lasts.
            listed.append(sso_login_key(item["user_id"], item["sso_session_id"], item["login_id"], is_web=True))
        self._accounts.transact([put, *(Put(key | expiry) for key in listed), *more, account])


def _puts(session: Session) -> list[Write]:
    return [*map(Put, session_items(session))]


def _common_item(granted: AuthorizationCode | OidcLogin) -> Item:
    return oidc_login_key(granted.login_id) | {
        "login_id": granted.login_id,
        "user_id": granted.user_id,
        "client_id": granted.client_id,
        "scope": granted.scope,
        "signed_in_s": granted.signed_in_s,
        "expires_time_ms": granted.expires_time_ms,
        "expires_at_s": expires_at_s(granted.expires_time_ms),
        **({"sso_session_id": granted.sso_session_id} if granted.sso_session_id else {}),
    }


def _code_item(code: AuthorizationCode) -> Item:
    item = _common_item(code) | {"redirect_uri": code.redirect_uri, "code_challenge": code.code_challenge}
    return item if code.nonce is None else item | {"nonce": code.nonce}


def _login_item(login: OidcLogin) -> Item:
    return _common_item(login) | {
        "current": login.current_hashes,
        "previous": login.previous_hash,
        "rotated_time_ms": login.rotated_time_ms,
        "version": login.version,
        "is_signed": login.is_signed,
    }


def _code(item: Item) -> AuthorizationCode:
    return AuthorizationCode(
        login_id=item["login_id"],
        user_id=item["user_id"],
        client_id=item["client_id"],
        scope=item["scope"],
        redirect_uri=item["redirect_uri"],
        code_challenge=item["code_challenge"],
        nonce=item.get("nonce"),
        signed_in_s=item["signed_in_s"],
        expires_time_ms=item["expires_time_ms"],
        sso_session_id=item.get("sso_session_id", ""),
    )


def _login(item: Item) -> OidcLogin:
    return OidcLogin(
        login_id=item["login_id"],
        user_id=item["user_id"],
        client_id=item["client_id"],
        scope=item["scope"],
        signed_in_s=item["signed_in_s"],
        expires_time_ms=item["expires_time_ms"],
        current_hashes=tuple(item["current"]),
        previous_hash=item["previous"],
        rotated_time_ms=item["rotated_time_ms"],
        version=item["version"],
        is_signed=item.get("is_signed", False),
        sso_session_id=item.get("sso_session_id", ""),
    )
