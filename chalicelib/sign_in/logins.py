"""From a code to a login, from one refresh token to the next, to the end.

Source: auth-api 6, RFC 6749, RFC 7009, RFC 9700.

A login begins as an authorization code and has one id all along: the hash of that code. Its access tokens are
sessions like all others, and end with it. Of its refresh tokens only the last is good; the one before it is taken
again for a short while, since the answer to a refresh may be lost. Whoever comes with an older one is a thief, or was
robbed by one: the login ends.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.access.call import Session, token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.password_sign_in import address_counter, count_attempt
from chalicelib.accounts.ports import Sessions, SignInAttempts
from chalicelib.conflicts import WriteConflictError, retry_on_conflict
from chalicelib.errors import WrongCredentialsError
from chalicelib.sign_in.authorization_request import AuthorizationRequest
from chalicelib.sign_in.errors import INVALID_GRANT, OAuthError, RefusedRefreshTokenError
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin, OidcLogins

CODE_LIFETIME_S = 60
RETRY_MS = 30_000
"""How long the refresh token before the last is taken again."""
MOST_RETRIES = 3
"""How many refresh tokens there are at most, each of which may be the one that arrived."""
MAX_ATTEMPTS = 3
"""A refresh that meets another one looks again at what is stored."""
LOGIN_ID = re.compile("[0-9a-f]{64}")
CODE_VERIFIER = re.compile("[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """What a client presents for tokens."""

    client_id: str
    redirect_uri: str
    code: str
    code_verifier: str


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Two random tokens, not yet in use, and how long they are to last."""

    access_token: str
    refresh_secret: str
    access_lifetime_s: int
    refresh_lifetime_s: int


@dataclass(frozen=True, slots=True)
class Granted:
    """A login with its newest refresh token; `nonce` only for the login's first tokens."""

    login: OidcLogin
    refresh_token: str
    nonce: str | None = None


def grant_code(request: AuthorizationRequest, account: Account, code: str, logins: OidcLogins, now_ms: int) -> None:
    """Let a client have tokens for a user who has just signed in, for a minute, against this code.

    Raises:
        WrongCredentialsError: the account was deleted, or given another password, while its user signed in.
    """
    granted = AuthorizationCode(
        login_id=token_hash(code),
        user_id=account.user_id,
        client_id=request.client.client_id,
        scope=request.scope,
        redirect_uri=request.return_address.redirect_uri,
        code_challenge=request.code_challenge,
        nonce=request.nonce,
        signed_in_s=now_ms // 1000,
        expires_time_ms=now_ms + CODE_LIFETIME_S * 1000,
    )
    if not logins.add_code(granted, account.password_version):
        raise WrongCredentialsError


def redeem_code(exchange: CodeExchange, new: NewTokens, logins: OidcLogins, sessions: Sessions, now_ms: int) -> Granted:
    """The login that a code opens. A code that comes a second time ends what it opened the first time.

    Raises:
        OAuthError: the code is unknown, expired or used, or belongs to another client, address or verifier.
    """
    found = logins.find(token_hash(exchange.code))
    if isinstance(found, OidcLogin):
        end_login(found, sessions)
        raise _refused_code()
    if found is None or not _is_for(found, exchange, now_ms):
        raise _refused_code()
    refresh_token = _refresh_token(found.login_id, new)
    login = OidcLogin(
        login_id=found.login_id,
        user_id=found.user_id,
        client_id=found.client_id,
        scope=found.scope,
        signed_in_s=found.signed_in_s,
        expires_time_ms=now_ms + new.refresh_lifetime_s * 1000,
        current=(token_hash(refresh_token),),
    )
    if not logins.redeem(found, login, _session(login, new, now_ms)):
        other = logins.find(found.login_id)
        if isinstance(other, OidcLogin):
            end_login(other, sessions)
        raise _refused_code()
    return Granted(login, refresh_token, found.nonce)


def refresh(sent: str, client_id: str, new: NewTokens, logins: OidcLogins, sessions: Sessions, now_ms: int) -> Granted:
    """The same login with new tokens.

    Raises:
        RefusedRefreshTokenError: the token is unknown, expired, another client's, or was used before.
        UnavailableError: other refreshes of the login kept coming in between.
    """

    def attempt() -> Granted:
        login = find_login(sent, logins)
        if login is None or login.client_id != client_id or login.expires_time_ms <= now_ms:
            raise RefusedRefreshTokenError
        refresh_token = _refresh_token(login.login_id, new)
        rotated = _rotated(login, token_hash(sent), token_hash(refresh_token), now_ms)
        if rotated is None:
            end_login(login, sessions)
            raise RefusedRefreshTokenError
        rotated = replace(rotated, expires_time_ms=now_ms + new.refresh_lifetime_s * 1000)
        if not logins.rotate(login, rotated, _session(rotated, new, now_ms)):
            raise WriteConflictError
        return Granted(rotated, refresh_token)

    return retry_on_conflict(attempt, MAX_ATTEMPTS)


def revoke(token: str, client_id: str, logins: OidcLogins, sessions: Sessions) -> None:
    """End the login of an access or refresh token, when it is this client's; a token of nobody's is no error."""
    login = find_login(token, logins)
    if login is not None and token_hash(token) not in (*login.current, login.previous):
        return
    if login is None:
        session = sessions.find(token_hash(token))
        found = logins.find(session.login_id) if session is not None and session.login_id else None
        login = found if isinstance(found, OidcLogin) else None
    if login is not None and login.client_id == client_id:
        end_login(login, sessions)


def find_login(refresh_token: str, logins: OidcLogins) -> OidcLogin | None:
    """The login that a refresh token names, whether or not it is still good."""
    login_id, _, _ = refresh_token.partition(".")
    found = logins.find(login_id) if LOGIN_ID.fullmatch(login_id) else None
    return found if isinstance(found, OidcLogin) else None


def login_to_end(claims: Mapping[str, Any], refresh_token: str, logins: OidcLogins) -> OidcLogin | None:
    """The login that an ID token tells of, by its claims, or else the one that a good refresh token belongs to."""
    if "sid" in claims:
        found = logins.find(str(claims["sid"]))
        return found if isinstance(found, OidcLogin) and found.user_id == claims.get("sub") else None
    login = find_login(refresh_token, logins)
    return login if login is not None and token_hash(refresh_token) in (*login.current, login.previous) else None


def count_refused(attempts: SignInAttempts, source_ip: str, now_ms: int) -> None:
    """Nothing, unless too many codes and tokens from this address were refused lately.

    Counted apart from passwords: an app that keeps coming with a token that is over locks nobody out.

    Raises:
        TooManyAttemptsError: there were.
    """
    counter = address_counter(source_ip, now_ms)
    count_attempt(attempts, [replace(counter, key=f"token-{counter.key}")], now_ms)


def end_login(login: OidcLogin, sessions: Sessions) -> None:
    """End a login: its refresh tokens and its sessions."""
    any_session = Session(login.login_id, login.user_id, False, 0, 0, login.login_id)
    sessions.end_login(any_session)


def _is_for(code: AuthorizationCode, exchange: CodeExchange, now_ms: int) -> bool:
    return (
        now_ms < code.expires_time_ms
        and code.client_id == exchange.client_id
        and code.redirect_uri == exchange.redirect_uri
        and CODE_VERIFIER.fullmatch(exchange.code_verifier) is not None
        and hmac.compare_digest(code.code_challenge, code_challenge(exchange.code_verifier))
    )


def code_challenge(verifier: str) -> str:
    """What a client sends ahead of its verifier by the method S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refused_code() -> OAuthError:
    return OAuthError(INVALID_GRANT, "the code is not valid: it may be used once, within a minute, by who asked for it")


def _rotated(login: OidcLogin, sent: str, new: str, now_ms: int) -> OidcLogin | None:
    """The login after a refresh, None when the token was used before. All tokens are hashes here."""
    if sent in login.current:
        return replace(login, current=(new,), previous=sent, rotated_time_ms=now_ms, version=login.version + 1)
    is_retry = sent == login.previous and now_ms - login.rotated_time_ms < RETRY_MS
    if is_retry and len(login.current) < MOST_RETRIES:
        return replace(login, current=(*login.current, new), version=login.version + 1)
    return None


def _refresh_token(login_id: str, new: NewTokens) -> str:
    return f"{login_id}.{new.refresh_secret}"


def _session(login: OidcLogin, new: NewTokens, now_ms: int) -> Session:
    return Session(
        token_hash=token_hash(new.access_token),
        user_id=login.user_id,
        is_server=False,
        created_time_ms=now_ms,
        expires_time_ms=now_ms + new.access_lifetime_s * 1000,
        login_id=login.login_id,
    )
