"""What OpenID Connect refuses, in OAuth's own words (RFC 6749, sections 4.1.2.1 and 5.2).

InvalidRequestError
├── OAuthError                       a code that clients understand, and a sentence for whoever reads a log
│   ├── RefusedRefreshTokenError     the login is over: sign in again
│   └── RefusedAuthorizationError    told to the app, by way of its redirect address
└── UntrustedRedirectError           told to the person only: nobody else is known
"""

from chalicelib.errors import InvalidRequestError

INVALID_CLIENT = "invalid_client"
INVALID_GRANT = "invalid_grant"
INVALID_REQUEST = "invalid_request"
INVALID_SCOPE = "invalid_scope"
LOGIN_REQUIRED = "login_required"
UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"


class OAuthError(InvalidRequestError):
    """A refusal with its code."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class RefusedRefreshTokenError(OAuthError):
    """A refresh token that stands for nothing, or was used before."""

    def __init__(self) -> None:
        super().__init__(INVALID_GRANT, "the refresh token is not valid: sign in again")


class RefusedAuthorizationError(OAuthError):
    """What an app asked the sign-in page for cannot be; it may be told at its own, known address."""


class UntrustedRedirectError(InvalidRequestError):
    """The client is not known, or the address to return to is not one of its own: nothing is ever sent there."""
