"""The page of a link to a new password. Source: confirm 6."""

from collections.abc import Mapping
from html import escape

from chalicelib.accounts.proof import is_proven
from chalicelib.api.messages import Reply, Request
from chalicelib.api.pages.account_forms import (
    DIFFERENT,
    PASSWORD_RULE,
    dead_link_page,
    hidden,
    password_fields,
)
from chalicelib.api.pages.alerts import BUSY, alert_paragraph
from chalicelib.api.pages.sign_in_page import account_page
from chalicelib.confirmations.password_reset import require_reset_key, reset_password
from chalicelib.errors import ConfirmationNotFoundError, InvalidFieldsError, UnavailableError

_CHECK = """
<p>Nobody had confirmed your address before. If you did not make this account yourself, see in it who may read the \
data and which devices have access: somebody else may have set that up.</p>"""
"""The advice for a person whose address anybody could have signed up with."""


def show_new_password(request: Request, key: str) -> Reply:
    """The form for a new password. Showing it changes nothing: programs that check mail open links, too."""
    try:
        found = require_reset_key(request.call, key, request.services.confirmations)
    except ConfirmationNotFoundError:
        return dead_link_page()
    return _form(found.proof.email, key)


def set_new_password(request: Request, fields: Mapping[str, str]) -> Reply:
    """Set the password of a form that was sent, or show the form again."""
    key, password, ports = fields.get("key", ""), fields.get("password", ""), request.services.confirmations
    try:
        proof = require_reset_key(request.call, key, ports, password).proof
        email, was_proven = proof.email, is_proven(proof, ports.accounts)
        if password != fields.get("repeated"):
            return _form(email, key, DIFFERENT, 400)
        reset_password(request.call, key, None, password, ports)
    except ConfirmationNotFoundError:
        return dead_link_page()
    except InvalidFieldsError:
        return _form(email, key, PASSWORD_RULE, 400)
    except UnavailableError:
        return _form("", key, BUSY, 503)
    advice = "" if was_proven else _CHECK
    body = f"""<h1>Your password is set</h1>
<p>You are signed out everywhere. Go back to your app and sign in with the new password.</p>{advice}"""
    return account_page("Your password is set", body)


def _form(email: str, key: str, alert: str = "", status: int = 200) -> Reply:
    whose = f"<p>for <strong>{escape(email)}</strong></p>\n" if email else ""
    body = f"""<h1>Choose a new password</h1>
{whose}{alert_paragraph(alert)}<form method="post" action="new-password">
{hidden("key", key)}
{password_fields()}
<button>Set the password</button>
</form>"""
    return account_page("Choose a new password", body, status)
