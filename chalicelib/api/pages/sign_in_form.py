"""The authorization endpoint of OpenID Connect: a person signs in, and returns to the app with a code.

Nothing is ever sent to an address that is not a redirect address of the client. A person who is signed in at this
browser returns to a web app at once, and to any other app after one click: the address of such an app is a scheme that
others on the machine may claim. Source: auth-api 6, RFC 8252, 8.6.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from chalicelib.accounts.password_sign_in import BasicCredentials, SignInSource
from chalicelib.accounts.password_sign_in import sign_in as sign_in_by_password
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import SHOW_SIGN_IN
from chalicelib.api.pages.cookies import (
    FORM_COOKIE,
    KNOWN_COOKIE,
    SSO_COOKIE,
    cookie_of,
    set_cookie,
    set_sso_cookie,
)
from chalicelib.api.pages.sign_in_page import Form, continue_page, failed_sign_ins_page, refusal_page, sign_in_page
from chalicelib.errors import (
    NoSpaceError,
    StrandlineError,
    TooManyAttemptsError,
    UnavailableError,
    UnverifiedEmailError,
    WrongCredentialsError,
)
from chalicelib.frozen import frozen
from chalicelib.sign_in.authorization_request import AuthorizationRequest, authorization_request, return_address
from chalicelib.sign_in.claims import read_id_token
from chalicelib.sign_in.errors import (
    INTERACTION_REQUIRED,
    LOGIN_REQUIRED,
    RefusedAuthorizationError,
    UntrustedRedirectError,
)
from chalicelib.sign_in.form_token import form_token, is_valid_form
from chalicelib.sign_in.logins import grant_code
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.sso import (
    SignedInBrowser,
    end_sso_session,
    opening_of,
    signed_in_browser,
    suffices,
    used,
)

FORM_FIELDS = ("username", "password", "keep", "account", "other", "form_token")
"""Fields of the forms beside the parameters of the app's request."""
ASKING_PROMPTS = frozenset({"consent", "select_account"})
"""Values of `prompt` by which an app wants the person to be asked, but not for the password."""


@frozen
class Alert:
    """What the page says above the form about the try before, with the status and headers of the reply."""

    text: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


NO_ALERT = Alert("", 200)
EXPIRED_FORM = Alert(
    "This page was open for too long, or your browser keeps no cookies. Please enter your password again.", 400
)


@frozen
class Visit:
    """A request of an app that may be granted, and what the browser sent with it."""

    request: Request
    authorization: AuthorizationRequest
    entered: Mapping[str, str]
    """The fields of the form that the person filled in, if any."""
    browser: SignedInBrowser | None
    """Who is signed in at this browser."""
    ports: SignInPorts

    @property
    def needs_no_password(self) -> bool:
        """Whether the session of the browser is enough for this request."""
        hint = self.authorization.id_token_hint
        claims = (read_id_token(hint, self.ports) or {"sub": ""}) if hint else {}
        return suffices(self.request.call, self.browser, self.authorization, claims.get("sub"))

    @property
    def has_valid_form(self) -> bool:
        """Whether the form was made here, for this browser and this request, and has not expired."""
        token, cookie = self.entered.get("form_token", ""), cookie_of(self.request, FORM_COOKIE)
        return is_valid_form(token, cookie, self.authorization.parameters, self.request.now_ms // 1000)


def authorize(request: Request, parameters: Parameters, ports: SignInPorts) -> Reply:
    """The sign-in page, or a redirect to the app: with a code after a sign-in, with an error if the request cannot be
    granted. Without a trusted redirect address, a page that says so."""
    entered = {name: parameters[name][0] for name in FORM_FIELDS if parameters.get(name)}
    requested = {name: values for name, values in parameters.items() if name not in FORM_FIELDS}
    try:
        client, address = return_address(requested, ports.provider.clients)
        authorization = authorization_request(requested, client, address)
        browser = signed_in_browser(request.call, cookie_of(request, SSO_COOKIE), ports)
        return _reply(Visit(request, authorization, entered, browser, ports))
    except UntrustedRedirectError as error:
        return refusal_page(f"This cannot go on: {error}.", 400)
    except RefusedAuthorizationError as error:
        response = {"error": error.code, "error_description": error.description}
        return redirect(address.location(ports.provider.issuer, response))


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
    if is_agreed and visit.has_valid_form and visit.request.operation is not SHOW_SIGN_IN:
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
    reply = redirect(_location(visit, code))
    cookie = set_sso_cookie(visit.request, session, cookie_of(visit.request, SSO_COOKIE))
    return replace(reply, headers={**reply.headers, "Set-Cookie": cookie})


def _location(visit: Visit, code: str) -> str:
    return visit.authorization.return_address.location(visit.ports.provider.issuer, {"code": code})


def redirect(location: str) -> Reply:
    """A redirect by 303, with which a browser does not send the form, and the password in it, again."""
    headers = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Reply(status=303, headers=headers)


def _with_password(visit: Visit) -> Reply:
    """The redirect to the app if the password is right; the form again otherwise."""
    request, entered, ports = visit.request, visit.entered, visit.ports
    credentials = BasicCredentials(entered.get("username", "").strip(), entered["password"])
    if not visit.has_valid_form:
        return _form(visit, credentials.username, EXPIRED_FORM)
    known = cookie_of(request, KNOWN_COOKIE) or request.services.new_token()
    cookie = request.services.new_token()
    try:
        made = sign_in_by_password(request.call, credentials, SignInSource(request.source_ip, known), ports.accounts)
        opening = opening_of(request.call, made.account, cookie, is_kept="keep" in entered, before=visit.browser)
        code = grant_code(request.call, visit.authorization, opening, ports)
    except (WrongCredentialsError, UnverifiedEmailError, TooManyAttemptsError, UnavailableError) as error:
        return _form(visit, credentials.username, _alert(error))
    if visit.browser is not None and opening.replaced is None:
        end_sso_session(visit.browser.session, ports)  # somebody else was signed in at this browser
    location, failed = _location(visit, code), made.failures_elsewhere
    reply = failed_sign_ins_page(visit.authorization.client, location, failed) if failed else redirect(location)
    cookies = [set_cookie(request, KNOWN_COOKIE, known), set_sso_cookie(request, opening.session, cookie)]
    return replace(reply, headers={"Set-Cookie": cookies, **reply.headers})


def _alert(error: StrandlineError) -> Alert:
    """The alert about a failed sign-in."""
    match error:
        case WrongCredentialsError():
            return Alert("E-mail address or password is wrong.", 401)
        case UnverifiedEmailError():
            return Alert("The e-mail address of this account has not been verified yet.", 403)
        case TooManyAttemptsError():
            minutes = -(-error.retry_after_s // 60)
            text = f"Too many tries. Sign-in is locked for now: please try again in {minutes} min."
            return Alert(text, 429, {"Retry-After": str(error.retry_after_s)})
        case NoSpaceError():
            return Alert("The disk of this server is full. Please try again when its owner has made space.", 507)
    return Alert("Something is busy here. Please try again.", 503)


def _form(visit: Visit, username: str, alert: Alert = NO_ALERT) -> Reply:
    """The page on which a person enters the password."""
    form, cookie = _bound(visit)
    form = replace(form, username=username, is_kept="keep" in visit.entered)
    page = sign_in_page(form, alert.text, alert.status)
    return Reply(page.body, page.status, {"Set-Cookie": cookie, **page.headers, **alert.headers})


def _continue_form(visit: Visit) -> Reply:
    """The page on which a person who is signed in agrees to go on."""
    form, cookie = _bound(visit)
    if visit.browser is not None:
        account = visit.browser.account
        form = replace(form, username=account.email or account.user_id, account=account.user_id)
    page = continue_page(form)
    return Reply(page.body, page.status, {"Set-Cookie": cookie, **page.headers})


def _bound(visit: Visit) -> tuple[Form, str]:
    """A form that is bound to this browser, and the header with the cookie that binds it."""
    cookie = cookie_of(visit.request, FORM_COOKIE) or visit.request.services.new_token()
    token = form_token(cookie, visit.authorization.parameters, visit.request.now_ms // 1000)
    return Form(visit.authorization, token), set_cookie(visit.request, FORM_COOKIE, cookie)
