"""Sessions: issues, refreshes, describes and revokes tokens. Source: auth-api 2 and 3.

A token is a random text without meaning, and only its hash is stored. A revoked token is refused at once.
"""

import hmac
from typing import Any

from chalicelib.access.call import Call, RestrictedToken, Session, SessionReader, token_hash
from chalicelib.accounts.ports import AccountPorts, RestrictedTokens, Sessions
from chalicelib.errors import InvalidTokenError, WrongCredentialsError, WrongServerSecretError
from chalicelib.frozen import frozen


@frozen
class Login:
    """The sign-in of a user or server, with its lifetime and the version of the password."""

    user_id: str
    is_server: bool
    lifetime_s: int
    password_version: int | None = None


def open_session(call: Call, login: Login, token: str, ports: AccountPorts) -> Session:
    """Store the session of a new login under `token`.

    Raises:
        WrongCredentialsError: the account was deleted, or its password changed, during the sign-in.
    """
    expires_time_ms = call.now_ms + login.lifetime_s * 1000
    session = Session(token_hash(token), login.user_id, login.is_server, call.now_ms, expires_time_ms)
    if not ports.sessions.add(session, password_version=login.password_version):
        raise WrongCredentialsError
    return session


def refresh_session(call: Call, old_token: str, token: str, ports: AccountPorts) -> Session:
    """Store a session of the same login under another token, for the remaining time of the login.

    The old token stays valid: other requests may carry it, and the reply with the new one may be lost.

    Raises:
        InvalidTokenError: the old token is not valid.

    Source: auth-api 2, route 3.
    """
    old = valid_session(old_token, ports.sessions, call.now_ms)
    session = Session(
        token_hash=token_hash(token),
        user_id=old.user_id,
        is_server=old.is_server,
        created_time_ms=call.now_ms,
        expires_time_ms=old.expires_time_ms,
        login_id=old.login_id or old.token_hash,
    )
    if not ports.sessions.add(session, parent_hash=old.token_hash):
        raise InvalidTokenError
    return session


def valid_session(token: str, sessions: SessionReader, now_ms: int) -> Session:
    """The session of a token.

    Raises:
        InvalidTokenError: there is none, or it has expired.
    """
    session = sessions.find(token_hash(token))
    if session is None or session.expires_time_ms <= now_ms:
        raise InvalidTokenError
    return session


def sign_out(token: str, ports: AccountPorts) -> None:
    """End the login of a token, with all tokens that were refreshed from it; an unknown token is not an error."""
    session = ports.sessions.find(token_hash(token))
    if session is not None:
        ports.sessions.end_login(session)


def end_sessions(call: Call, user_id: str, ports: AccountPorts) -> None:
    """End all sessions of a user.

    Raises:
        UnauthorizedError: the caller may not end sessions of this user.
    """
    call.require(user_id)
    ports.sessions.end_all(user_id)


def end_other_logins(user_id: str, token: str, sessions: Sessions) -> None:
    """End all logins of a user except that of `token`, if the token is theirs."""
    sessions.end_all(user_id, keep=sessions.find(token_hash(token)))


def end_credentials(user_id: str, last: Session | RestrictedToken | None, ports: AccountPorts) -> None:
    """End all sessions, logins, restricted tokens and Nightscout credentials of a user.

    The login of `last`, the caller's credential, ends after all others, so that the caller can send the request again
    if a store does not answer in between.
    """
    end_restricted_tokens(user_id, ports.restricted_tokens)
    ports.nightscout_credentials.delete_all(user_id)
    if isinstance(last, Session) and last.user_id == user_id and not last.is_server:
        ports.sessions.end_all(user_id, keep=last)
    ports.sessions.end_all(user_id)


def end_restricted_tokens(user_id: str, tokens: RestrictedTokens) -> None:
    """Remove all restricted tokens of a user, including tokens that are created at the same time."""
    while left := tokens.of_user(user_id):
        for token in left:
            tokens.delete(token)


def token_data(session: Session) -> dict[str, Any]:
    """A session as clients read it; `expires_at` is in seconds. Source: auth-api 2, routes 6 and 7."""
    return {"isserver": session.is_server, "userid": session.user_id, "expires_at": session.expires_time_ms // 1000}


def require_server_secret(sent: str, secret: str) -> None:
    """Raise unless a server sent the secret of the stage. The comparison takes the same time for any wrong secret.

    Raises:
        WrongServerSecretError: the server sent another secret.

    Source: auth-api 2, route 5.
    """
    if not hmac.compare_digest(sent.encode(), secret.encode()):
        raise WrongServerSecretError
