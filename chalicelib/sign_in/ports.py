"""The ports of sign-in by OpenID Connect: a store of logins, and a signer of tokens. Source: auth-api 6."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from chalicelib.access.call import Session
from chalicelib.accounts.ports import AccountPorts
from chalicelib.frozen import frozen
from chalicelib.sign_in.provider import Provider

SIGNING_ALGORITHM = "RS256"
"""The algorithm that every client of OpenID Connect has to support."""


@frozen
class AuthorizationCode:
    """A login before its first tokens, with what the client has to prove to redeem the code."""

    login_id: str
    """The hash of the code."""
    user_id: str
    client_id: str
    scope: str
    redirect_uri: str
    code_challenge: str
    nonce: str | None
    signed_in_s: int
    expires_time_ms: int
    sso_session_id: str = ""
    """The same as `OidcLogin.sso_session_id`."""


@frozen
class OidcLogin:
    """A user signed in to one app. `version` counts the refreshes."""

    login_id: str
    user_id: str
    client_id: str
    scope: str
    signed_in_s: int
    expires_time_ms: int
    current_hashes: tuple[str, ...]
    """Hashes of the refresh tokens of which the client has one; more than one only after retries."""
    previous_hash: str = ""
    """The hash of the refresh token that was used last."""
    rotated_time_ms: int = 0
    """Time at which that token was first used."""
    version: int = 1
    is_signed: bool = True
    """True if all refresh tokens of the login are signed; False for a login that an earlier version opened, whose first
    ones were random texts."""

    sso_session_id: str = ""
    """The session of the browser with which a login to a web app ends; empty for an app's login."""

    def has_valid(self, refresh_token_hash: str) -> bool:
        """Whether the hash is that of a current refresh token, or of the one before."""
        return refresh_token_hash in (*self.current_hashes, self.previous_hash)


class OidcLogins(Protocol):
    """Codes and logins by id, strongly consistent. `Sessions.end_login` and `Sessions.end_all` also remove them."""

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """The code until it is redeemed, from then on the login; None if there is neither. It may have expired."""
        ...

    def of_user(self, user_id: str) -> list[OidcLogin]:
        """The logins of a user, without codes, in any order; expired ones may be included."""
        ...

    def add_code(self, code: AuthorizationCode, opening: "SsoOpening | SsoSession") -> bool:
        """Store a code together with the session of the browser that it was granted in, all or nothing.

        False if there is no such account, its password has another version, or the session has ended.
        """
        ...

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """Replace the code by the login and its first session, all or nothing.

        False if the code was redeemed before, or the code or the account is gone.
        """
        ...

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> bool:
        """Store the login after a refresh and its new session, all or nothing; False when the account is gone.

        Raises:
            WriteConflictError: the stored login is not `old` any more, by version, or it is gone.
        """
        ...


@frozen
class SsoSession:
    """A person signed in at a browser (single sign-on), known by the hash of the browser's cookie.

    The id stays the same when the person enters the password again and the browser gets another cookie.
    """

    session_id: str
    cookie_hash: str
    user_id: str
    password_version: int
    """Of the password that opened it, with whose change it ends."""
    signed_in_s: int
    """Time at which the person last entered the password."""
    is_kept: bool
    """True if the person asked to be kept signed in."""
    expires_time_ms: int


@frozen
class SsoOpening:
    """A session to be stored, in place of that of the cookie that the browser had before."""

    session: SsoSession
    replaced: SsoSession | None = None


class SsoSessions(Protocol):
    """Sessions of browsers, strongly consistent. `Sessions.end_login` with their id and `end_all` also remove them."""

    def find(self, cookie_hash: str) -> SsoSession | None:
        """The session, which may have expired; None if there is none."""
        ...

    def remove(self, session: SsoSession) -> None:
        """Remove a session, so that it grants no code any more; its logins stay."""
        ...

    def logins(self, session: SsoSession) -> dict[str, bool]:
        """The logins that were opened in a session, by id: whether they end with it. They may have ended."""
        ...


class TokenKind(Enum):
    """The kinds of signed tokens, by the `typ` in their header: none passes for another. Source: RFC 9068, 2.1."""

    ACCESS = "at+jwt"
    REFRESH = "rt+jwt"
    ID = "JWT"


class SignedTokens(Protocol):
    """Tokens that are signed with a key of the stage."""

    def sign(self, kind: TokenKind, claims: Mapping[str, Any]) -> str:
        """The claims as a JWT."""
        ...

    def read(self, kind: TokenKind, token: str) -> Mapping[str, Any] | None:
        """The claims of a token of this kind that this stage signed, expired or not; None for any other text."""
        ...

    def public_keys(self) -> list[dict[str, Any]]:
        """The public keys of the tokens that are in use, as JSON Web Keys, the current one first."""
        ...


@frozen
class SignInPorts:
    """The ports of sign-in by OpenID Connect, and those of the accounts that sign in."""

    accounts: AccountPorts
    logins: OidcLogins
    sso_sessions: SsoSessions
    signed_tokens: SignedTokens
    provider: Provider
    new_token: Callable[[], str]
    """Makes a random token."""
