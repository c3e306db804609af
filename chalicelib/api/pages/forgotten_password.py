"""The page for a person who has forgotten the password. Source: confirm 5 and 6.

The answer is the same for every address, known or not.
"""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from chalicelib.accounts.bodies import email_address
from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.account_pages import SHOW_FORGOTTEN_PASSWORD
from chalicelib.api.pages.alerts import EXPIRED_PAGE, NO_ALERT, Alert, alert_paragraph, refusal_alert
from chalicelib.api.pages.cookies import FORM_COOKIE, cookie_of, set_cookie
from chalicelib.api.pages.sign_in_page import account_page, hidden_inputs
from chalicelib.api.pages.visit import form_fields
from chalicelib.confirmations.password_reset import order_mail
from chalicelib.errors import InvalidUserDetailsError, TooManyAttemptsError, UnavailableError
from chalicelib.mail.message import MailKind
from chalicelib.mail.texts import RESET_DAYS
from chalicelib.sign_in.authorization_request import authorization_request, return_address
from chalicelib.sign_in.errors import RefusedAuthorizationError, UntrustedRedirectError
from chalicelib.sign_in.form_token import form_token, is_valid_form
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts

PAGE = "reset-credentials"
FIELDS = ("username", "form_token")
TITLE = "Forgot your password?"
NO_ADDRESS = Alert("This is not an e-mail address.", 400)


def forgotten_password(request: Request, parameters: Parameters, ports: SignInPorts) -> Reply:
    """The form that asks for the address; once it is sent, a page that says that a mail comes. A stage without mail
    says whom to ask instead. The request of the app is kept, so that the person returns to the sign-in page."""
    entered = {name: parameters[name][0] for name in FIELDS if parameters.get(name)}
    kept = _kept_request({name: values for name, values in parameters.items() if name not in FIELDS}, ports)
    if not request.services.confirmations.terms.is_on:
        return _page_without_mail(kept)
    if request.operation is SHOW_FORGOTTEN_PASSWORD or "username" not in entered:
        return _form(request, kept, kept.get("login_hint", ""))
    email = entered["username"].strip()
    token, cookie, now_s = entered.get("form_token", ""), cookie_of(request, FORM_COOKIE), request.now_ms // 1000
    if not is_valid_form(token, cookie, form_fields(kept, PAGE), now_s):
        return _form(request, kept, email, EXPIRED_PAGE)
    try:
        source, confirmations = SignInSource(request.source_ip), request.services.confirmations
        order_mail(request.call, MailKind.PASSWORD_RESET, email_address(email), source, confirmations)
    except InvalidUserDetailsError:
        return _form(request, kept, email, NO_ADDRESS)
    except (TooManyAttemptsError, UnavailableError) as error:
        return _form(request, kept, email, refusal_alert(error))
    return _page_about_mail(kept, email)


def _kept_request(parameters: Parameters, ports: SignInPorts) -> dict[str, str]:
    """The parameters of a request that the sign-in page takes; empty for any other, which leads nowhere."""
    try:
        client, address = return_address(parameters, ports.provider.clients)
        return authorization_request(parameters, client, address).parameters
    except (UntrustedRedirectError, RefusedAuthorizationError):
        return {}


def _form(request: Request, kept: Mapping[str, str], email: str, alert: Alert = NO_ALERT) -> Reply:
    cookie = cookie_of(request, FORM_COOKIE) or request.services.new_token()
    token = form_token(cookie, form_fields(kept, PAGE), request.now_ms // 1000)
    body = f"""<h1>{TITLE}</h1>
<p>Enter the e-mail address of your account. You get a mail with a link to a new password.</p>
{alert_paragraph(alert.text)}<form method="post" action="{PAGE}">
{hidden_inputs({**kept, "form_token": token})}
<label for="username">E-mail address</label>
<input id="username" name="username" type="email" autocomplete="username" autocapitalize="none" spellcheck="false" \
maxlength="254" required value="{escape(email)}" autofocus>
<button>Send the link</button>
</form>
{_way_back(kept)}"""
    page = account_page(TITLE, body, alert.status)
    headers = {"Set-Cookie": set_cookie(request, FORM_COOKIE, cookie), **page.headers, **alert.headers}
    return Reply(page.body, page.status, headers)


def _page_about_mail(kept: Mapping[str, str], email: str) -> Reply:
    body = f"""<h1>Check your mail</h1>
<p>If <strong>{escape(email)}</strong> has an account here, a mail with a link is on its way. The link works once, \
within {RESET_DAYS} days.</p>
<p>Nothing came? Check the spam folder, or try another address of yours.</p>
{_way_back(kept)}"""
    return account_page("Check your mail", body)


def _page_without_mail(kept: Mapping[str, str]) -> Reply:
    body = f"""<h1>{TITLE}</h1>
<p>This server sends no mail. Ask its owner for a link with which you choose a new password.</p>
{_way_back(kept)}"""
    return account_page(TITLE, body)


def _way_back(kept: Mapping[str, str]) -> str:
    if not kept:
        return "<p>Then go back to your app and sign in there.</p>"
    return (
        f'<p class="more"><a href="../protocol/openid-connect/auth?{escape(urlencode(kept))}">Back to sign-in</a></p>'
    )
