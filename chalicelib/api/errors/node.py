"""Errors of metrics, access, metadata and notes, in shape E: a JSON string, `{"code", "message"}`, or an empty body.

A caller without permission gets 401 here, never 403. Source: errors 1, 2.4 and 8.
"""

from typing import Any

from chalicelib import errors
from chalicelib.errors import FieldError


def node_failure(error: Exception) -> tuple[int, Any]:
    """The status and body of an error."""
    match error:
        case errors.InvalidTokenError():
            return 401, "Invalid Token"
        case errors.UnauthenticatedError():
            return 401, "Session token must be set on header[x-tidepool-session-token]"
        case errors.WrongKindOfCallerError():
            return 401, "Insufficient Permissions"
        case errors.MalformedCredentialError() | errors.UnauthorizedError():
            return 401, "Unauthorized"
        case errors.GrantNotFoundError():
            return 404, {"code": "NotFound", "message": ""}
        case errors.NoteNotFoundError():
            return 404, {"message": {}}
        case errors.NotFoundError():
            return 404, None
        case errors.TooManySharersError():
            return 409, {
                "code": "Conflict",
                "message": "Too many users share with this one unasked",
            }
        case errors.ConflictError():
            return 409, {"code": "Conflict", "message": ""}
        case errors.MissingJsonError():
            return 400, "Must have a body"
        case errors.MalformedJsonError():
            return 400, _invalid_content(f"Invalid JSON: {error.__cause__ or error}")
        case errors.InvalidFieldsError():
            return 400, _invalid_content("; ".join(f"{_prefix(fault)}{fault.detail}" for fault in error.errors))
        case errors.InvalidRequestError():
            return 400, str(error)
        case errors.TooLargeError():
            return 413, {"code": "RequestEntityTooLarge", "message": error.detail}
        case errors.TooManyAttemptsError():
            return 429, {"code": "TooManyRequests", "message": ""}
        case errors.NoSpaceError():
            return 507, None
        case errors.UnavailableError():
            return 503, None
    return 500, None


def _invalid_content(message: str) -> dict[str, str]:
    return {"code": "InvalidContent", "message": message}


def _prefix(error: FieldError) -> str:
    location = error.pointer or error.parameter
    return f"{location}: " if location else ""
