"""Logins by OpenID Connect: granted as a code, redeemed for tokens, refreshed, ended.

Source: auth-api 6, RFC 6749, RFC 7009, RFC 9700.

A login begins as an authorization code, and keeps one id: the hash of that code. Its access tokens are ordinary
sessions, which end with it. Only the last of its refresh tokens is valid; the one before it is accepted for a short
while longer, since the reply to a refresh may be lost. If an older one is presented, either the sender is a thief or
the client was robbed: the login ends.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call, Session, token_hash
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import WrongCredentialsError
from chalicelib.frozen import frozen
from chalicelib.sign_in.authorization_request import AuthorizationRequest
from chalicelib.sign_in.errors import INVALID_GRANT, OAuthError, RefusedRefreshTokenError
from chalicelib.sign_in.login_tokens import named_login, new_access_token, new_refresh_token, was_issued
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin, OidcLogins, SignInPorts, SsoOpening, SsoSession

CODE_LIFETIME_S = 60
RETRY_MS = 30_000
"""The time for which the refresh token before the last is accepted."""
MAX_RETRIES = 3
"""The refresh tokens that may be valid at once, because the client may have received any of them."""
MAX_ATTEMPTS = 3
"""The number of attempts of a refresh that conflicts with another one."""
CODE_VERIFIER = re.compile("[A-Za-z0-9._~-]{43,128}")


@frozen
class CodeExchange:
    """The parameters with which a client redeems a code."""

    client_id: str
    redirect_uri: str
    code: str
    code_verifier: str


@frozen
class IssuedTokens:
    """A login with the tokens that were just issued for it; `nonce` is that of the request, for the first ones only."""

    login: OidcLogin
    access_token: str
    refresh_token: str
    nonce: str | None = None


def grant_code(call: Call, request: AuthorizationRequest, opening: SsoOpening | SsoSession, ports: SignInPorts) -> str:
    """A new authorization code for an app, in the session of the browser in which its user signed in. It is valid for
    a minute.

    Raises:
        WrongCredentialsError: the account was deleted or given another password meanwhile, or the session has ended.
    """
    session = opening.session if isinstance(opening, SsoOpening) else opening
    text = ports.new_token()
    code = AuthorizationCode(
        login_id=token_hash(text),
        user_id=session.user_id,
        client_id=request.client.client_id,
        scope=request.scope,
        redirect_uri=request.return_address.redirect_uri,
        code_challenge=request.code_challenge,
        nonce=request.nonce,
        signed_in_s=session.signed_in_s,
        expires_time_ms=call.now_ms + CODE_LIFETIME_S * 1000,
        sso_session_id=session.session_id if request.client.signs_in_silently else "",
    )
    if not ports.logins.add_code(code, opening):
        raise WrongCredentialsError
    return text


def redeem_code(call: Call, exchange: CodeExchange, ports: SignInPorts) -> IssuedTokens:
    """The first tokens of a login, for its code. A code that is presented again ends the login that it opened.

    Raises:
        OAuthError: the code is unknown, expired or used, or belongs to another client, address or verifier.
    """
    code = ports.logins.find(token_hash(exchange.code))
    if isinstance(code, OidcLogin):
        end_login(code, ports)
        raise _refused_code()
    if code is None or not _is_for(code, exchange, call.now_ms):
        raise _refused_code()
    login = OidcLogin(
        login_id=code.login_id,
        user_id=code.user_id,
        client_id=code.client_id,
        scope=code.scope,
        signed_in_s=code.signed_in_s,
        expires_time_ms=call.now_ms + ports.provider.login_lifetime_s(code.client_id) * 1000,
        current_hashes=(),
        sso_session_id=code.sso_session_id,
    )
    access_token, refresh_token = new_access_token(call, login, ports), new_refresh_token(call, login, ports)
    login = replace(login, current_hashes=(token_hash(refresh_token),))
    if not ports.logins.redeem(code, login, _session(call, login, access_token, ports)):
        redeemed = ports.logins.find(code.login_id)
        if isinstance(redeemed, OidcLogin):
            end_login(redeemed, ports)
        raise _refused_code()
    return IssuedTokens(login, access_token, refresh_token, code.nonce)


def refresh(call: Call, sent: str, client_id: str, ports: SignInPorts) -> IssuedTokens:
    """New tokens of a login, for its refresh token.

    Raises:
        RefusedRefreshTokenError: the token is unknown, expired, another client's, or was used before, or the account
            was deleted.
        UnavailableError: at each attempt, another refresh of the same login was faster.
    """

    def attempt() -> IssuedTokens:
        login = _find_login(sent, ports.logins)
        if login is None or login.client_id != client_id or login.expires_time_ms <= call.now_ms:
            raise RefusedRefreshTokenError
        if not _may_rotate(login, token_hash(sent), call.now_ms):
            if was_issued(sent, login, ports):
                end_login(login, ports)
            raise RefusedRefreshTokenError
        access_token, refresh_token = new_access_token(call, login, ports), new_refresh_token(call, login, ports)
        rotated = _rotated(login, token_hash(sent), token_hash(refresh_token), call.now_ms)
        lifetime_ms = ports.provider.login_lifetime_s(client_id) * 1000
        rotated = replace(rotated, expires_time_ms=call.now_ms + lifetime_ms)
        if not ports.logins.rotate(login, rotated, _session(call, rotated, access_token, ports)):
            raise RefusedRefreshTokenError
        return IssuedTokens(rotated, access_token, refresh_token)

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def revoke(token: str, client_id: str, ports: SignInPorts) -> None:
    """End the login of an access or refresh token if it is this client's. An unknown token is not an error."""
    login = _find_login(token, ports.logins)
    if login is not None and not login.has_valid(token_hash(token)):
        return
    if login is None:  # not a refresh token
        session = ports.accounts.sessions.find(token_hash(token))
        found = ports.logins.find(session.login_id) if session is not None and session.login_id else None
        login = found if isinstance(found, OidcLogin) else None
    if login is not None and login.client_id == client_id:
        end_login(login, ports)


def login_to_end(claims: Mapping[str, Any], refresh_token: str, logins: OidcLogins) -> OidcLogin | None:
    """The login that an ID token names by its claims, or else the one that a valid refresh token belongs to."""
    if "sid" in claims:
        found = logins.find(str(claims["sid"]))
        return found if isinstance(found, OidcLogin) and found.user_id == claims.get("sub") else None
    login = _find_login(refresh_token, logins)
    return login if login is not None and login.has_valid(token_hash(refresh_token)) else None


def end_login(login: OidcLogin, ports: SignInPorts) -> None:
    """End a login: its refresh tokens and its sessions."""
    any_session = Session(login.login_id, login.user_id, False, 0, 0, login.login_id)
    ports.accounts.sessions.end_login(any_session)


def code_challenge(verifier: str) -> str:
    """The challenge of a verifier, by the method S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _find_login(refresh_token: str, logins: OidcLogins) -> OidcLogin | None:
    """The login that a refresh token names, whether or not the token is still valid."""
    login_id = named_login(refresh_token)
    found = None if login_id is None else logins.find(login_id)
    return found if isinstance(found, OidcLogin) else None


def _is_for(code: AuthorizationCode, exchange: CodeExchange, now_ms: int) -> bool:
    return (
        now_ms < code.expires_time_ms
        and code.client_id == exchange.client_id
        and code.redirect_uri == exchange.redirect_uri
        and CODE_VERIFIER.fullmatch(exchange.code_verifier) is not None
        and hmac.compare_digest(code.code_challenge, code_challenge(exchange.code_verifier))
    )


def _refused_code() -> OAuthError:
    return OAuthError(INVALID_GRANT, "the code is not valid: it may be used once, within a minute, by who asked for it")


def _may_rotate(login: OidcLogin, sent_hash: str, now_ms: int) -> bool:
    """Whether a refresh token is the last one, or the one before and its reply may have been lost."""
    is_retry = sent_hash == login.previous_hash and now_ms - login.rotated_time_ms < RETRY_MS
    return sent_hash in login.current_hashes or (is_retry and len(login.current_hashes) < MAX_RETRIES)


def _rotated(login: OidcLogin, sent_hash: str, new_hash: str, now_ms: int) -> OidcLogin:
    """The login after a refresh."""
    changed = replace(login, version=login.version + 1)
    if sent_hash in login.current_hashes:
        return replace(changed, current_hashes=(new_hash,), previous_hash=sent_hash, rotated_time_ms=now_ms)
    return replace(changed, current_hashes=(*login.current_hashes, new_hash))


def _session(call: Call, login: OidcLogin, access_token: str, ports: SignInPorts) -> Session:
    return Session(
        token_hash=token_hash(access_token),
        user_id=login.user_id,
        is_server=False,
        created_time_ms=call.now_ms,
        expires_time_ms=call.now_ms + ports.provider.access_token_lifetime_s * 1000,
        login_id=login.login_id,
    )
