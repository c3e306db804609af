"""Errors of confirmations and invitations: `{"code": <status>, "reason": <text>}`. Source: confirm 1."""

from typing import Any

from chalicelib import errors
from chalicelib.api.errors.limits import status_and_reason_of_limit
from chalicelib.errors import FieldError

NOT_DECODED = "Error decoding the confirmation"


def confirm_failure(error: Exception) -> tuple[int, Any]:
    """The status and body of an error. A caller without permission gets 401 here, as one without a token does."""
    status, reason = _status_and_reason(error)
    if isinstance(error, errors.ClaimRefusedError):
        return status, {"code": status, "error": error.code, "reason": reason}
    return status, {"code": status, "reason": reason}


def _status_and_reason(error: Exception) -> tuple[int, str]:
    match error:
        case errors.InvalidTokenError():
            return 401, "The x-tidepool-session-token was invalid"
        case errors.UnauthenticatedError():
            return 401, "No x-tidepool-session-token was found"
        case errors.ConfirmationExistsError():
            return 403, "User already has an existing valid signup confirmation"
        case errors.InvitationRefusedError():
            return 403, "Forbidden to perform requested operation"
        case errors.MalformedCredentialError() | errors.UnauthorizedError():
            return 401, "Not authorized for requested operation"
        case errors.InvitationNotFoundError():
            return 404, "No matching invite was found"
        case errors.ConfirmationNotFoundError():
            return 404, "No matching confirmation was found"
        case errors.NotFoundError():
            return 404, "Nothing found"
        case errors.InvitationExistsError():
            return 409, "There is already an existing invite"
        case errors.MemberExistsError():
            return 409, "The user is already an existing member"
        case errors.TooManyInvitationsError():
            return 409, "There are too many invitations"
        case errors.ClaimRefusedError():
            return 409, error.resource_id
        case errors.ConflictError():
            return 409, "Error saving the confirmation"
        case errors.InvalidFieldsError():
            return 400, f"{NOT_DECODED}: {'; '.join(map(_worded, error.errors))}"
        case errors.InvalidRequestError():
            return 400, NOT_DECODED
    return status_and_reason_of_limit(error) or (500, "Error finding the confirmation")


def _worded(fault: FieldError) -> str:
    return f"{fault.pointer}: {fault.detail}" if fault.pointer else fault.detail
