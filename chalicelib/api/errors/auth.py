"""Errors of the auth API, in shape D: `{"code": <status>, "reason": <text>}`.

Source: errors 1 and 2.4, auth-api 2 and 5.
"""

from typing import Any

from chalicelib import errors
from chalicelib.api.errors.limits import status_and_reason_of_limit
from chalicelib.api.operations.operation import Operation

MISSING_CREDENTIALS = "Missing id and/or password"
INVALID_DETAILS = "Invalid user details were given"


def auth_failure(operation: Operation, error: Exception) -> tuple[int, Any]:
    """The status and body of an error. A caller without permission gets 401 here, as one without a token does."""
    status, reason = _status_and_reason(operation, error)
    return status, None if reason is None else {"code": status, "reason": reason}


def _status_and_reason(operation: Operation, error: Exception) -> tuple[int, str | None]:
    match error:
        case errors.WrongCredentialsError():
            return 401, "No user matched the given details"
        case errors.UnverifiedEmailError():
            return 403, "The user hasn't verified this account yet"
        case errors.WrongPasswordError():
            return 403, MISSING_CREDENTIALS
        case errors.WrongServerSecretError():
            return 401, "Wrong password"
        case errors.SignUpClosedError():
            return 403, "Sign-up is not open"
        case errors.UnauthenticatedError() | errors.MalformedCredentialError() | errors.UnauthorizedError():
            return 401, operation.unauthorized_reason
        case errors.NotFoundError():
            return 404, "User not found"
        case errors.ConflictError():
            return 409, "User already exists"
        case errors.MalformedJsonError() | errors.InvalidFieldsError() | errors.InvalidUserDetailsError():
            return 400, INVALID_DETAILS
        case errors.InvalidRequestError():
            return 400, str(error) or INVALID_DETAILS
    return status_and_reason_of_limit(error) or (500, operation.defect_reason)
