"""Refusals of OpenID Connect, with the error codes of OAuth. Source: RFC 6749, 4.1.2.1 and 5.2.

InvalidRequestError
├── OAuthError                       has a code for the client, and a sentence for the reader of a log
│   ├── RefusedRefreshTokenError     the login is over: sign in again
│   └── RefusedAuthorizationError    reported to the app, at its redirect address
└── UntrustedRedirectError           reported to the person only, since no address can be trusted
"""

from chalicelib.errors import InvalidRequestError

INVALID_CLIENT = "invalid_client"
INVALID_GRANT = "invalid_grant"
INVALID_REQUEST = "invalid_request"
INTERACTION_REQUIRED = "interaction_required"
INVALID_SCOPE = "invalid_scope"
LOGIN_REQUIRED = "login_required"
UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"


class OAuthError(InvalidRequestError):
    """A refusal with an error code of OAuth."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class RefusedRefreshTokenError(OAuthError):
    """The refresh token is unknown, expired, or was used before."""

    def __init__(self) -> None:
        super().__init__(INVALID_GRANT, "the refresh token is not valid: sign in again")


class RefusedAuthorizationError(OAuthError):
    """An app's authorization request cannot be granted. The app may be told so at its redirect address."""


class UntrustedRedirectError(InvalidRequestError):
    """The client is unknown, or the redirect address is not one of its own: nothing may be sent to that address."""
