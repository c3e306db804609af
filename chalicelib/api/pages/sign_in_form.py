"""The authorization endpoint of OpenID Connect: a person signs in, and returns to the app with a code.

A person who is signed in at this browser returns to a web app at once, and to any other app after one click: the
address of such an app is a scheme that others on the machine may claim. Source: auth-api 6, RFC 8252, 8.6.
"""

from dataclasses import replace

from chalicelib.accounts.password_sign_in import BasicCredentials, SignInSource
from chalicelib.accounts.password_sign_in import sign_in as sign_in_by_password
from chalicelib.accounts.sign_up import takes_accounts
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import SHOW_SIGN_IN
from chalicelib.api.pages.alerts import EXPIRED_FORM, NO_ALERT, Alert, refusal_alert
from chalicelib.api.pages.cookies import (
    KNOWN_COOKIE,
    SSO_COOKIE,
    cookie_of,
    set_cookie,
    set_sso_cookie,
)
from chalicelib.api.pages.sign_in_page import continue_page, failed_sign_ins_page, sign_in_page
from chalicelib.api.pages.visit import Visit, bound_form, location_of, open_session, redirect, reply_to_visit
from chalicelib.errors import (
    TooManyAttemptsError,
    UnavailableError,
    UnverifiedEmailError,
    WrongCredentialsError,
)
from chalicelib.sign_in.errors import INTERACTION_REQUIRED, LOGIN_REQUIRED, RefusedAuthorizationError
from chalicelib.sign_in.logins import grant_code
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.sso import used

FORM_FIELDS = ("username", "password", "keep", "account", "other", "form_token")
"""Fields of the forms beside the parameters of the app's request."""
ASKING_PROMPTS = frozenset({"consent", "select_account"})
"""Values of `prompt` by which an app wants the person to be asked, but not for the password."""
WRONG = Alert("E-mail address or password is wrong.", 401)
UNVERIFIED = Alert("The e-mail address of this account has not been verified yet.", 403)


def authorize(request: Request, parameters: Parameters, ports: SignInPorts) -> Reply:
    """The sign-in page, or a redirect to the app: with a code after a sign-in, with an error if the request cannot be
    granted. Without a trusted redirect address, a page that says so."""
    return reply_to_visit(request, parameters, ports, FORM_FIELDS, _reply)


def _reply(visit: Visit) -> Reply:
    entered, prompt = visit.entered, visit.authorization.prompt
    if visit.request.operation is not SHOW_SIGN_IN and "password" in entered:
        return _with_password(visit)
    if "none" in prompt:
        return _silently(visit)
    if not visit.needs_no_password or "other" in entered:
        return _form(visit, visit.authorization.login_hint)
    if visit.authorization.client.signs_in_silently and not prompt & ASKING_PROMPTS:
        return _as_signed_in(visit)
    is_agreed = visit.browser is not None and entered.get("account") == visit.browser.account.user_id
    if is_agreed and visit.has_valid_form() and visit.request.operation is not SHOW_SIGN_IN:
        return _as_signed_in(visit)
    return _continue_form(visit)


def _silently(visit: Visit) -> Reply:
    """The redirect to an app that wants no page to be shown.

    Raises:
        RefusedAuthorizationError: a page would have to be shown.
    """
    if not visit.needs_no_password:
        raise RefusedAuthorizationError(LOGIN_REQUIRED, "nobody is signed in here, or the password has to be entered")
    if not visit.authorization.client.signs_in_silently:
        raise RefusedAuthorizationError(INTERACTION_REQUIRED, "the person has to agree")
    return _as_signed_in(visit)


def _as_signed_in(visit: Visit) -> Reply:
    """The redirect to the app with a code for the person who is signed in at this browser; the form if that ended."""
    if visit.browser is None:
        return _form(visit, "")
    session = used(visit.request.call, visit.browser.session)
    try:
        code = grant_code(visit.request.call, visit.authorization, session, visit.ports)
    except WrongCredentialsError as error:
        if "none" in visit.authorization.prompt:
            raise RefusedAuthorizationError(LOGIN_REQUIRED, "the session has ended") from error
        return _form(visit, visit.authorization.login_hint)
    reply = redirect(location_of(visit, code))
    cookie = set_sso_cookie(visit.request, session, cookie_of(visit.request, SSO_COOKIE))
    return replace(reply, headers={**reply.headers, "Set-Cookie": cookie})


def _with_password(visit: Visit) -> Reply:
    """The redirect to the app if the password is right; the form again otherwise."""
    request, entered, ports = visit.request, visit.entered, visit.ports
    credentials = BasicCredentials(entered.get("username", "").strip(), entered["password"])
    if not visit.has_valid_form():
        return _form(visit, credentials.username, EXPIRED_FORM)
    known = cookie_of(request, KNOWN_COOKIE) or request.services.new_token()
    try:
        made = sign_in_by_password(request.call, credentials, SignInSource(request.source_ip, known), ports.accounts)
        opened = open_session(visit, made.account, is_kept="keep" in entered)
    except WrongCredentialsError:
        return _form(visit, credentials.username, WRONG)
    except UnverifiedEmailError:
        return _form(visit, credentials.username, UNVERIFIED)
    except (TooManyAttemptsError, UnavailableError) as error:
        return _form(visit, credentials.username, refusal_alert(error, "Sign-in is locked for now: please"))
    location, failed = opened.location, made.failures_elsewhere
    reply = failed_sign_ins_page(visit.authorization.client, location, failed) if failed else redirect(location)
    cookies = [set_cookie(request, KNOWN_COOKIE, known), opened.cookie]
    return replace(reply, headers={"Set-Cookie": cookies, **reply.headers})


def _form(visit: Visit, username: str, alert: Alert = NO_ALERT) -> Reply:
    """The page on which a person enters the password."""
    form, cookie = bound_form(visit)
    form = replace(
        form,
        username=username,
        is_kept="keep" in visit.entered,
        takes_accounts=takes_accounts(visit.request.services.settings.sign_up),
    )
    page = sign_in_page(form, alert.text, alert.status)
    return Reply(page.body, page.status, {"Set-Cookie": cookie, **page.headers, **alert.headers})


def _continue_form(visit: Visit) -> Reply:
    """The page on which a person who is signed in agrees to go on."""
    form, cookie = bound_form(visit)
    if visit.browser is not None:
        account = visit.browser.account
        form = replace(form, username=account.email or account.user_id, account=account.user_id)
    page = continue_page(form)
    return Reply(page.body, page.status, {"Set-Cookie": cookie, **page.headers})
