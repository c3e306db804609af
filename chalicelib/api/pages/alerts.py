"""Alerts: what a page says above its form about the attempt before."""

from collections.abc import Mapping
from dataclasses import field
from html import escape

from chalicelib.errors import NoSpaceError, TooManyAttemptsError, UnavailableError
from chalicelib.frozen import frozen

BUSY = "Something is busy here. Please try again."


@frozen
class Alert:
    """The message above a form about the attempt before, with the status and headers of the reply."""

    text: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


NO_ALERT = Alert("", 200)
EXPIRED_FORM = Alert(
    "This page was open for too long, or your browser keeps no cookies. Please enter your password again.", 400
)
EXPIRED_PAGE = Alert("This page was open for too long, or your browser keeps no cookies. Please try again.", 400)


def alert_paragraph(text: str) -> str:
    """The alert as a page shows it; empty for nothing."""
    return f'<p class="alert" role="alert">{escape(text)}</p>\n' if text else ""


def refusal_alert(error: TooManyAttemptsError | UnavailableError, please: str = "Please") -> Alert:
    """The alert about a form that was refused for now; `please` begins what it asks for after too many attempts."""
    match error:
        case TooManyAttemptsError():
            minutes = -(-error.retry_after_s // 60)
            text = f"Too many tries. {please} try again in {minutes} min."
            return Alert(text, 429, {"Retry-After": str(error.retry_after_s)})
        case NoSpaceError():
            return Alert("The disk of this server is full. Please try again when its owner has made space.", 507)
    return Alert(BUSY, 503)
