"""Sessions: tokens issued, refreshed, told about and revoked. Source: auth-api 2 and 3.

A token is a random string without a meaning; only its hash is stored, so a revoked one is refused at once.
"""

import hmac
from dataclasses import dataclass
from typing import Any

from chalicelib.access.call import Session, SessionReader, token_hash
from chalicelib.accounts.ports import RestrictedTokens, Sessions
from chalicelib.errors import InvalidTokenError, WrongCredentialsError, WrongServerSecretError


@dataclass(frozen=True, slots=True)
class Login:
    """Who signed in, and for how long; a user with the password that has this version."""

    user_id: str
    is_server: bool
    lifetime_s: int
    password_version: int | None = None


def open_session(login: Login, token: str, sessions: Sessions, now_ms: int) -> Session:
    """A new login's session, which `token` stands for.

    Raises:
        WrongCredentialsError: the account was deleted, or given another password, while it signed in.
    """
    session = Session(token_hash(token), login.user_id, login.is_server, now_ms, now_ms + login.lifetime_s * 1000)
    if not sessions.add(session, password_version=login.password_version):
        raise WrongCredentialsError
    return session


def refresh_session(old_token: str, token: str, sessions: Sessions, now_ms: int) -> Session:
    """A session of the same login under another token, for the remaining time of the login.

    The old token stays valid: requests under way carry it, and the answer with the new one may be lost.

    Raises:
        InvalidTokenError: the old token is not valid.

    Source: auth-api 2, route 3.
    """
    old = valid_session(old_token, sessions, now_ms)
    session = Session(
        token_hash=token_hash(token),
        user_id=old.user_id,
        is_server=old.is_server,
        created_time_ms=now_ms,
        expires_time_ms=old.expires_time_ms,
        login_id=old.login_id or old.token_hash,
    )
    if not sessions.add(session, parent_hash=old.token_hash):
        raise InvalidTokenError
    return session


def valid_session(token: str, sessions: SessionReader, now_ms: int) -> Session:
    """The session that a token stands for now.

    Raises:
        InvalidTokenError: none.
    """
    session = sessions.find(token_hash(token))
    if session is None or session.expires_time_ms <= now_ms:
        raise InvalidTokenError
    return session


def sign_out(token: str, sessions: Sessions) -> None:
    """End the login that a token belongs to: this token and those refreshed from it; an unknown token is no error."""
    session = sessions.find(token_hash(token))
    if session is not None:
        sessions.end_login(session)


def end_other_logins(user_id: str, token: str, sessions: Sessions) -> None:
    """End all logins of a user but the one that `token` belongs to, if it is one of theirs."""
    sessions.end_all(user_id, but=sessions.find(token_hash(token)))


def end_restricted_tokens(user_id: str, tokens: RestrictedTokens) -> None:
    """Remove all restricted tokens of a user, those included that are made with one of them meanwhile."""
    while listed := tokens.of_user(user_id):
        for token in listed:
            tokens.delete(token)


def token_data(session: Session) -> dict[str, Any]:
    """What a token stands for, as clients read it; `expires_at` is in seconds. Source: auth-api 2, routes 6 and 7."""
    return {"isserver": session.is_server, "userid": session.user_id, "expires_at": session.expires_time_ms // 1000}


def require_server_secret(sent: str, secret: str) -> None:
    """Nothing, when a server knows the secret of the stage; the time taken does not tell how much of it is right.

    Raises:
        WrongServerSecretError: it does not.

    Source: auth-api 2, route 5.
    """
    if not hmac.compare_digest(sent.encode(), secret.encode()):
        raise WrongServerSecretError
