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
    """When that token was first used."""
    version: int = 1
    is_signed: bool = True
    """Whether all refresh tokens of the login are signed; False for a login that an earlier version opened, whose first
    ones were random texts."""

    def has_valid(self, refresh_token_hash: str) -> bool:
        """Whether the hash is that of a current refresh token, or of the one before."""
        return refresh_token_hash in (*self.current_hashes, self.previous_hash)


class OidcLogins(Protocol):
    """Codes and logins by id, strongly consistent. `Sessions.end_login` and `Sessions.end_all` also remove them."""

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """The code until it is redeemed, from then on the login; None if there is neither. It may have expired."""
        ...

    def add_code(self, code: AuthorizationCode, password_version: int) -> bool:
        """Store a code; False if there is no such account, or its password has another version."""
        ...

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """Replace the code by the login and its first session, all or nothing.

        False if the code was redeemed before, or the code or the account is gone.
        """
        ...

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> None:
        """Store the login after a refresh and its new session, all or nothing.

        Raises:
            WriteConflictError: the stored login is not `old` any more, by version, or it or the account is gone.
        """
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
    signed_tokens: SignedTokens
    provider: Provider
    new_token: Callable[[], str]
    """Makes a random token."""
