"""The page on which a person creates an account, and goes on to the app that sent them. Source: auth-api 6, confirm 6.

It is where Keycloak has it, so the link *Sign up* of Tidepool's apps leads here.
"""

from dataclasses import replace
from datetime import UTC, datetime
from html import escape

from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import is_password
from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.accounts.sign_up import INVITATION, INVITATION_FIELD, sign_up, takes_accounts
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.account_pages import SHOW_CREATE_ACCOUNT
from chalicelib.api.pages.account_forms import DIFFERENT, PASSWORD_RULE, password_fields
from chalicelib.api.pages.alerts import EXPIRED_FORM, NO_ALERT, Alert, alert_paragraph, refusal_alert
from chalicelib.api.pages.cookies import KNOWN_COOKIE, cookie_of, set_cookie
from chalicelib.api.pages.sign_in_page import account_page
from chalicelib.api.pages.visit import Visit, bound_form, open_session, redirect, reply_to_visit
from chalicelib.api.sign_up import sign_up_rules
from chalicelib.confirmations.sign_up import order_proof
from chalicelib.errors import (
    InvalidUserDetailsError,
    SignUpClosedError,
    TooManyAttemptsError,
    UnavailableError,
    UserExistsError,
    WrongCredentialsError,
)
from chalicelib.sign_in.errors import INTERACTION_REQUIRED, RefusedAuthorizationError
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.provider import OWN_PAGE, OidcClient

PAGE = "registrations"
FIELDS = ("username", "password", "repeated", "invitation", "terms", "form_token")
"""Fields of the form beside the parameters of the app's request."""
UNANSWERED_TERMS = Alert("An account needs your agreement.", 400)
WRONG_INVITATION = Alert("The invitation code is wrong.", 403)
TAKEN = Alert("This address has an account already. Sign in, or ask for a new password.", 409)


def create_account(request: Request, parameters: Parameters, ports: SignInPorts) -> Reply:
    """The page; once the form is sent, a redirect to the app with a code. Where addresses are proven first, a page that
    says so; where nobody may sign up, one that says that."""
    return reply_to_visit(request, parameters, ports, FIELDS, _reply)


def _reply(visit: Visit) -> Reply:
    if "none" in visit.authorization.prompt:
        raise RefusedAuthorizationError(INTERACTION_REQUIRED, "an account is created on a page")
    if not takes_accounts(visit.request.services.settings.sign_up):
        return _closed_page(visit)
    if visit.request.operation is SHOW_CREATE_ACCOUNT or "password" not in visit.entered:
        return _form(visit)
    alert = _fault(visit)
    return _created(visit) if alert is None else _form(visit, alert)


def _fault(visit: Visit) -> Alert | None:
    """The fault of the form, as far as it shows without a look at the accounts."""
    entered = visit.entered
    if not visit.has_valid_form(PAGE):
        return EXPIRED_FORM
    if entered["password"] != entered.get("repeated"):
        return Alert(DIFFERENT, 400)
    if not is_password(entered["password"]):
        return Alert(PASSWORD_RULE, 400)
    return None if "terms" in entered else UNANSWERED_TERMS


def _created(visit: Visit) -> Reply:
    """Create the account, and sign its holder in where the address need not be proven first."""
    request, services = visit.request, visit.request.services
    known = cookie_of(request, KNOWN_COOKIE) or services.new_token()
    source, rules = SignInSource(request.source_ip, known), sign_up_rules(request)
    try:
        account = sign_up(request.call, _body(visit), source, rules, services.accounts)
    except InvalidUserDetailsError:
        return _form(visit, Alert("This is not an e-mail address that mail can be sent to.", 400))
    except SignUpClosedError:
        return _form(visit, WRONG_INVITATION)
    except UserExistsError:
        return _form(visit, TAKEN)
    except (TooManyAttemptsError, UnavailableError) as error:
        return _form(visit, refusal_alert(error))
    order_proof(account.email or "", services.confirmations)
    if not account.may_sign_in:
        return _waiting_page(visit, account)
    try:
        opened = open_session(visit, account, is_kept=False)
    except (WrongCredentialsError, UnavailableError):  # the account is there: its holder signs in
        return redirect(f"{visit.ports.provider.issuer}/protocol/openid-connect/auth?{visit.authorization.query}")
    reply = redirect(opened.location)
    return replace(
        reply, headers={"Set-Cookie": [set_cookie(request, KNOWN_COOKIE, known), opened.cookie], **reply.headers}
    )


def _body(visit: Visit) -> dict[str, object]:
    """The form as a body of the API."""
    email = _email(visit)
    return {
        "username": email,
        "emails": [email],
        "password": visit.entered["password"],
        "termsAccepted": datetime.fromtimestamp(visit.request.now_ms // 1000, UTC).isoformat(),
        INVITATION_FIELD: visit.entered.get("invitation", "").strip(),
    }


def _email(visit: Visit) -> str:
    """The address in the form; before it is sent, the one that the app knows."""
    is_sent = "password" in visit.entered
    return visit.entered.get("username", "" if is_sent else visit.authorization.login_hint).strip()


def _form(visit: Visit, alert: Alert = NO_ALERT) -> Reply:
    form, cookie = bound_form(visit, PAGE)
    body = f"""<h1>Create account</h1>
<p>{_purpose(form.request.client)}</p>
{alert_paragraph(alert.text)}<form method="post" action="{PAGE}">
{form.hidden_inputs}
<label for="username">E-mail address</label>
<input id="username" name="username" type="email" autocomplete="username" autocapitalize="none" spellcheck="false" \
maxlength="254" required value="{escape(_email(visit))}" autofocus>
{password_fields("Password", focus="")}
{_invitation_field(visit)}<label class="choice"><input type="checkbox" name="terms" value="1" required\
{" checked" if "terms" in visit.entered else ""}> <span>I agree that the owner of this server keeps my account, \
and the diabetes data that I send.</span></label>
<button>Create account</button>
</form>
<p class="more"><a href="auth?{escape(form.request.query)}">Sign in instead</a></p>"""
    page = account_page("Create account", body, alert.status, form.action)
    return Reply(page.body, page.status, {"Set-Cookie": cookie, **page.headers, **alert.headers})


def _purpose(client: OidcClient) -> str:
    """The purpose of the account."""
    if client.client_id == OWN_PAGE:
        return "to keep your data here, or to see what others share with you"
    return f"and let <strong>{escape(client.name)}</strong> use it"


def _invitation_field(visit: Visit) -> str:
    if visit.request.services.settings.sign_up != INVITATION:
        return ""
    return f"""<label for="invitation">Invitation code</label>
<input id="invitation" name="invitation" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="256" \
required value="{escape(visit.entered.get("invitation", ""))}">
"""


def _closed_page(visit: Visit) -> Reply:
    body = f"""<h1>Create account</h1>
<p>This server takes no new accounts here. Ask its owner for one.</p>
<p class="more"><a href="auth?{escape(visit.authorization.query)}">Sign in instead</a></p>"""
    return account_page("Create account", body, 403)


def _waiting_page(visit: Visit, account: Account) -> Reply:
    """The page for a person whose address has to be proven before the first sign-in."""
    is_mailed = visit.request.services.confirmations.terms.is_on
    mailed = f"A mail is on its way to <strong>{escape(account.email or '')}</strong>. Open its link, then sign in."
    asked = "The owner of this server has to confirm your address. Then you can sign in."
    body = f"""<h1>Confirm your e-mail address</h1>
<p>{mailed if is_mailed else asked}</p>
<p class="more"><a href="auth?{escape(visit.authorization.query)}">Sign in</a></p>"""
    return account_page("Confirm your e-mail address", body)
