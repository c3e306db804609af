"""What sign-in by OpenID Connect needs of the outside: a store of logins, and keys that sign. Source: auth-api 6."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.access.call import Session
from chalicelib.accounts.ports import AccountPorts

SIGNING_ALGORITHM = "RS256"
"""The one that every client of OpenID Connect has to take."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A login before its first tokens: what the client that comes with the code has to prove."""

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


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """A user signed in to one app. `version` counts the refreshes."""

    login_id: str
    user_id: str
    client_id: str
    scope: str
    signed_in_s: int
    expires_time_ms: int
    current: tuple[str, ...]
    """Hashes of the refresh tokens of which the client has one: more than one only after a retry."""
    previous: str = ""
    """The hash of the refresh token that was used last."""
    rotated_time_ms: int = 0
    """When it was used first."""
    version: int = 1


class OidcLogins(Protocol):
    """Codes and logins by id, strongly consistent. `Sessions.end_login` and `Sessions.end_all` remove them, too."""

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """The code until it is redeemed, the login from then on; expired ones possibly included."""
        ...

    def add_code(self, code: AuthorizationCode, password_version: int) -> bool:
        """Store a code; False when there is no such account, or its password has another version."""
        ...

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """Put the login and its first session in the place of the code, all or nothing.

        False when the code was redeemed or is gone, or the account is.
        """
        ...

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> bool:
        """Store the login after a refresh and its new session, all or nothing.

        False when the stored login is not `old`, by version, or when it or the account is gone.
        """
        ...


class IdTokens(Protocol):
    """ID tokens, signed with a key of the stage's own."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a JWT."""
        ...

    def read(self, token: str) -> Mapping[str, Any] | None:
        """The claims of a token that this stage signed, expired or not; None for any other."""
        ...

    def public_keys(self) -> list[dict[str, Any]]:
        """The keys that tokens in use are signed with, as JSON Web Keys: the current one first."""
        ...


@dataclass(frozen=True, slots=True)
class SignInPorts:
    """The store of logins by OpenID Connect, the signer of ID tokens, and the ports of the accounts that sign in."""

    accounts: AccountPorts
    logins: OidcLogins
    id_tokens: IdTokens
