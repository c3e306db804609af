"""Failures of the auth API: shape D, `{"code": <status>, "reason": <text>}`.

Source: errors 1 and 2.4, auth-api 2 and 5.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib import errors
from chalicelib.api.operations.accounts import (
    CHECK_TOKEN,
    CREATE_CLINIC_USER,
    CREATE_CUSTODIAL_USER,
    CREATE_USER,
    DELETE_USER,
    GET_TOKEN,
    LOGIN,
    REFRESH,
    SERVER_LOGIN,
    UPDATE_USER,
)
from chalicelib.api.operations.operation import Operation

MISSING_CREDENTIALS = "Missing id and/or password"
INVALID_DETAILS = "Invalid user details were given"
NOT_AUTHORIZED = "Not authorized for requested operation"
NO_TOKEN = "No x-tidepool-session-token was found"  # noqa: S105  a sentence, not a token
TOKEN_DEFECT = "Error generating the token"  # noqa: S105  the same
SIGN_IN_DEFECT = "Error updating token"
CREATION_DEFECT = "Error creating the user"


@dataclass(frozen=True, slots=True)
class Reasons:
    """What an operation says of a caller it refuses, and of a defect of its own; None is an empty body."""

    refused: str | None = NOT_AUTHORIZED
    defect: str | None = "Error finding user"


_DEFAULT = Reasons()
_REASONS: dict[str, Reasons] = {
    LOGIN.name: Reasons(defect=SIGN_IN_DEFECT),
    REFRESH.name: Reasons(refused=None, defect=SIGN_IN_DEFECT),
    SERVER_LOGIN.name: Reasons(defect=TOKEN_DEFECT),
    GET_TOKEN.name: Reasons(refused=NO_TOKEN, defect=TOKEN_DEFECT),
    CHECK_TOKEN.name: Reasons(refused=NO_TOKEN, defect=TOKEN_DEFECT),
    CREATE_USER.name: Reasons(defect=CREATION_DEFECT),
    CREATE_CUSTODIAL_USER.name: Reasons(defect=CREATION_DEFECT),
    CREATE_CLINIC_USER.name: Reasons(defect=CREATION_DEFECT),
    UPDATE_USER.name: Reasons(defect="Error updating user"),
    DELETE_USER.name: Reasons(refused=None, defect=None),
}


def auth_failure(operation: Operation, error: Exception) -> tuple[int, Any]:
    """Status and body of a refusal or a defect. A caller without permission gets 401 here, as one without a token."""
    status, reason = _status_and_reason(_REASONS.get(operation.name, _DEFAULT), error)
    return status, None if reason is None else {"code": status, "reason": reason}


def _status_and_reason(reasons: Reasons, error: Exception) -> tuple[int, str | None]:
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
            return 401, reasons.refused
        case errors.NotFoundError():
            return 404, "User not found"
        case errors.ConflictError():
            return 409, "User already exists"
        case errors.MalformedJsonError() | errors.InvalidFieldsError() | errors.InvalidUserDetailsError():
            return 400, INVALID_DETAILS
        case errors.InvalidRequestError():
            return 400, str(error) or INVALID_DETAILS
        case errors.TooLargeError():
            return 413, error.detail or "The body is too large"
        case errors.TooManyAttemptsError():
            return 429, "Too many attempts"
        case errors.UnavailableError():
            return 503, "Unavailable for the moment"
    return 500, reasons.defect
