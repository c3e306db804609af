"""Errors of the Nightscout API's v1 and v2: `{"status": <status>, "message": <text>}`.

Source: nightscout-api 2, 3 and 16.
"""

from typing import Any

from chalicelib import errors
from chalicelib.nightscout.document import InvalidIdError

UNAUTHORIZED = {"status": 401, "message": "Unauthorized", "description": "Invalid/Missing"}
"""The answer to a missing, a wrong and an insufficient credential alike."""


def nightscout_failure(error: Exception) -> tuple[int, Any]:
    """The status and body of an error."""
    match error:
        case errors.UnauthenticatedError() | errors.MalformedCredentialError() | errors.UnauthorizedError():
            return 401, UNAUTHORIZED
        case errors.NotFoundError():
            status, message = 404, "Not Found"
        case errors.ConflictError():
            status, message = 409, "Too many data sets of derived data are closed"
        case errors.MalformedJsonError():
            status, message = 400, "The body is not the JSON that is asked for"
        case InvalidIdError():
            return 400, {"status": 400, "message": str(error), "description": error.description}
        case errors.InvalidRequestError():
            status, message = 400, str(error) or "Bad Request"
        case errors.TooLargeError():
            status, message = 413, error.detail
        case errors.RequestQuotaError():
            status, message = 429, "Too many requests"
        case errors.TooManyAttemptsError():
            status, message = 429, "Too many wrong credentials"
        case errors.NoSpaceError():
            status, message = 507, "The disk of the server is full; nothing was stored"
        case errors.UnavailableError():
            status, message = 503, "The service is unavailable for the moment"
        case _:
            status, message = 500, "Internal Server Error"
    return status, {"status": status, "message": message}
