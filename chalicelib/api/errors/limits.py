"""Refusals of what exceeds a limit, or what cannot be done for the moment: the same words in several error formats.

Source: errors 2.4.
"""

from chalicelib import errors


def status_and_reason_of_limit(error: Exception) -> tuple[int, str] | None:
    """The status of such a refusal and its reason in words; None for any other error."""
    match error:
        case errors.TooLargeError():
            return 413, error.detail or "The body is too large"
        case errors.RequestQuotaError():
            return 429, "Too many requests"
        case errors.TooManyAttemptsError():
            return 429, "Too many attempts"
        case errors.NoSpaceError():
            return 507, "The disk of the server is full"
        case errors.UnavailableError():
            return 503, "Unavailable for the moment"
    return None
