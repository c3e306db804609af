"""The page of a link that proves an address, or claims a custodial account. Source: confirm 6."""

from collections.abc import Mapping
from html import escape

from chalicelib.accounts.account import Account
from chalicelib.accounts.proof import account_of
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
from chalicelib.confirmations.sign_up import confirm_sign_up, require_sign_up_key
from chalicelib.errors import ClaimRefusedError, ConfirmationNotFoundError, TooManyAttemptsError, UnavailableError

INVALID_PASSWORD = 1003
ALERTS = {1002: PASSWORD_RULE, INVALID_PASSWORD: PASSWORD_RULE}
WRONG_BIRTHDAY = "The birthday is not the one in the profile of this account."


def show_verify_email(request: Request, key: str) -> Reply:
    """The form that proves an address. Showing it changes nothing: programs that check mail open links, too."""
    try:
        return _form(_account(request, key), key)
    except ConfirmationNotFoundError:
        return dead_link_page()


def verify_email(request: Request, fields: Mapping[str, str]) -> Reply:
    """Prove the address by a form that was sent, or show the form again."""
    key = fields.get("key", "")
    try:
        account = _account(request, key)
        if fields.get("password") != fields.get("repeated"):
            return _form(account, key, DIFFERENT, 400)
        confirm_sign_up(request.call, key, dict(fields), request.services.confirmations)
    except ConfirmationNotFoundError:
        return dead_link_page()
    except ClaimRefusedError as error:
        return _form(account, key, ALERTS.get(error.code, WRONG_BIRTHDAY), 400)
    except TooManyAttemptsError:
        return _form(account, key, "Too many tries. Please try again in a quarter of an hour.", 429)
    except UnavailableError:
        return _form(None, key, BUSY, 503)
    body = """<h1>Your address is confirmed</h1>
<p>Go back to your app and sign in.</p>"""
    return account_page("Your address is confirmed", body)


def _account(request: Request, key: str) -> Account:
    ports = request.services.confirmations
    return account_of(require_sign_up_key(request.call, key, ports).proof, ports.accounts)


def _form(account: Account | None, key: str, alert: str = "", status: int = 200) -> Reply:
    claims = account is not None and (account.is_custodial or account.password_hash is None)
    claim = f"""{password_fields()}
<label for="birthday">Birthday of the person whose account it is</label>
<input id="birthday" name="birthday" type="date" autocomplete="bday" required>
"""
    whose = f"<p><strong>{escape(account.email or '')}</strong></p>\n" if account is not None else ""
    body = f"""<h1>Confirm your e-mail address</h1>
{whose}{alert_paragraph(alert)}<form method="post" action="verify-email">
{hidden("key", key)}
{claim if claims else ""}<button>Confirm the address</button>
</form>"""
    return account_page("Confirm your e-mail address", body, status)
