"""Errors of OpenID Connect: `{"error", "error_description"}`. Source: auth-api 6, RFC 6749, 5.2, RFC 6750, 3.

A refused refresh token gets 401 with `invalid_grant`: TidepoolKit asks its user to sign in again only after a 401
(clients 2), and AppAuth, in xDrip+ and AndroidAPS, only after that code (clients 3).
"""

from typing import Any

from chalicelib import errors
from chalicelib.api.errors.limits import status_and_reason_of_limit
from chalicelib.sign_in.errors import INVALID_REQUEST, OAuthError, RefusedRefreshTokenError

TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


def oauth_failure(error: Exception) -> tuple[int, Any, dict[str, str]]:
    """The status, body and headers of an error, which no cache may store."""
    status, code, description = _status_and_texts(error)
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = f'Bearer error="{code}"'
    return status, {"error": code, "error_description": description}, headers


def _status_and_texts(error: Exception) -> tuple[int, str, str]:
    match error:
        case RefusedRefreshTokenError():
            return 401, error.code, error.description
        case OAuthError():
            return 400, error.code, error.description
        case errors.UnauthenticatedError():
            return 401, "invalid_token", "the access token is not valid"
        case errors.NotFoundError():
            return 404, "not_found", "there is no such realm"
        case errors.TooLargeError():
            return 413, INVALID_REQUEST, error.detail
        case errors.InvalidRequestError():
            return 400, INVALID_REQUEST, str(error)
    limit = status_and_reason_of_limit(error)
    if limit is not None:
        return limit[0], TEMPORARILY_UNAVAILABLE, limit[1][:1].lower() + limit[1][1:]
    return 500, "server_error", "internal server error"
