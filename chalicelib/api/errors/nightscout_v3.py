"""Errors of the Nightscout API's v3: `{"status": <status>, "message": <text>}`, without a message for some.

A request that can never succeed gets a 400: after most other statuses AndroidAPS sends the same request again, and
nothing else until it succeeds.

Source: nightscout-api 9, 11 and 17.
"""

from typing import Any

from chalicelib import errors
from chalicelib.api.errors.nightscout import nightscout_failure
from chalicelib.nightscout.v3.errors import (
    DeletedDocumentError,
    MissingPermissionError,
    ModifiedDocumentError,
    UnknownCollectionError,
    UnsupportedFormatError,
)

NO_CREDENTIAL = "Missing or bad access token or JWT"
WRONG_CREDENTIAL = "Bad access token or JWT"
UNKNOWN_PATH = "Bad operation or collection"


def nightscout_v3_failure(error: Exception) -> tuple[int, Any]:
    """The status and body of an error."""
    status, message = _status_and_message(error)
    return status, {"status": status} | ({"message": message} if message else {})


def _status_and_message(error: Exception) -> tuple[int, str]:
    match error:
        case errors.InvalidTokenError():
            return 401, WRONG_CREDENTIAL
        case errors.UnauthenticatedError() | errors.MalformedCredentialError():
            return 401, NO_CREDENTIAL
        case MissingPermissionError():
            return 403, str(error)
        case errors.UnauthorizedError():
            return 403, "Missing permission"
        case UnknownCollectionError():
            return 404, UNKNOWN_PATH
        case DeletedDocumentError():
            return 410, ""
        case errors.NotFoundError():
            return 404, ""
        case UnsupportedFormatError():
            return 406, str(error)
        case ModifiedDocumentError():
            return 412, ""
    status, body = nightscout_failure(error)
    return 400 if 400 < status < 429 else status, body["message"]
