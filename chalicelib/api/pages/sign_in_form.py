"""The authorization endpoint of OpenID Connect: a person fills in the sign-in form, and returns to the app with a code.

Nothing is ever sent to an address that is not a redirect address of the client. Source: auth-api 6.
"""

import re
from collections.abc import Mapping
from dataclasses import field, replace

from chalicelib.accounts.password_sign_in import SOURCE_LIFETIME_S, BasicCredentials, SignInSource
from chalicelib.accounts.password_sign_in import sign_in as sign_in_by_password
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import SHOW_SIGN_IN
from chalicelib.api.pages.sign_in_page import failed_sign_ins_page, refusal_page, sign_in_page
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
from chalicelib.sign_in.errors import RefusedAuthorizationError, UntrustedRedirectError
from chalicelib.sign_in.form_token import FORM_LIFETIME_S, form_token, is_valid_form
from chalicelib.sign_in.logins import grant_code
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts

COOKIE = "strandline-sign-in"
KNOWN_COOKIE = "strandline-known"
"""The cookie by which a browser is known after a sign-in, so that nobody keeps its user out by guessing elsewhere. It
signs nobody in."""
COOKIE_VALUE = re.compile("[A-Za-z0-9_-]{32,64}")
COOKIE_LIFETIMES_S = {COOKIE: FORM_LIFETIME_S, KNOWN_COOKIE: SOURCE_LIFETIME_S}
FORM_FIELDS = ("username", "password", "form_token")
"""Fields of the form beside the parameters of the app's request."""


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


def authorize(request: Request, parameters: Parameters, ports: SignInPorts) -> Reply:
    """The sign-in page, or a redirect to the app: with a code after a sign-in, with an error if the request cannot be
    granted. Without a trusted redirect address, a page that says so."""
    entered = {name: parameters[name][0] for name in FORM_FIELDS if parameters.get(name)}
    requested = {name: values for name, values in parameters.items() if name not in FORM_FIELDS}
    try:
        client, address = return_address(requested, ports.provider.clients)
        authorization = authorization_request(requested, client, address)
    except UntrustedRedirectError as error:
        return refusal_page(f"This cannot go on: {error}.", 400)
    except RefusedAuthorizationError as error:
        response = {"error": error.code, "error_description": error.description}
        return redirect(address.location(ports.provider.issuer, response))
    if request.operation is SHOW_SIGN_IN or "password" not in entered:
        return _form(request, authorization, authorization.login_hint)
    username = entered.get("username", "")
    token = entered.get("form_token", "")
    if not is_valid_form(token, _cookie(request, COOKIE), authorization, request.now_ms // 1000):
        return _form(request, authorization, username, EXPIRED_FORM)
    return _signed_in(request, authorization, BasicCredentials(username.strip(), entered["password"]), ports)


def redirect(location: str) -> Reply:
    """A redirect by 303, with which a browser does not send the form, and the password in it, again."""
    headers = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Reply(status=303, headers=headers)


def _signed_in(
    request: Request, authorization: AuthorizationRequest, credentials: BasicCredentials, ports: SignInPorts
) -> Reply:
    browser = _cookie(request, KNOWN_COOKIE) or request.services.new_token()
    source = SignInSource(request.source_ip, browser)
    try:
        made = sign_in_by_password(request.call, credentials, source, ports.accounts)
        code = grant_code(request.call, authorization, made.account, ports)
    except (WrongCredentialsError, UnverifiedEmailError, TooManyAttemptsError, UnavailableError) as error:
        return _form(request, authorization, credentials.username, _alert(error))
    location = authorization.return_address.location(ports.provider.issuer, {"code": code})
    failed = made.failures_elsewhere
    reply = failed_sign_ins_page(authorization.client, location, failed) if failed else redirect(location)
    return replace(reply, headers={"Set-Cookie": _set_cookie(request, KNOWN_COOKIE, browser), **reply.headers})


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


def _form(
    request: Request,
    authorization: AuthorizationRequest,
    username: str,
    alert: Alert = NO_ALERT,
) -> Reply:
    cookie = _cookie(request, COOKIE) or request.services.new_token()
    token = form_token(cookie, authorization, request.now_ms // 1000)
    page = sign_in_page(authorization, token, username, alert.text, alert.status)
    return Reply(
        page.body, page.status, {"Set-Cookie": _set_cookie(request, COOKIE, cookie), **page.headers, **alert.headers}
    )


def _cookie_name(request: Request, cookie: str) -> str:
    # Browsers accept a cookie with the prefix over TLS only, and only from this host; without TLS they would reject it.
    return f"__Host-{cookie}" if request.services.settings.base_url.startswith("https:") else cookie


def _cookie(request: Request, cookie: str) -> str:
    """The value of one of the cookies that this browser was given; empty if it has none."""
    from http.cookies import CookieError, SimpleCookie  # imported late: few requests need it

    try:
        sent = SimpleCookie(request.headers.get("cookie", "")).get(_cookie_name(request, cookie))
    except CookieError:
        return ""
    return sent.value if sent is not None and COOKIE_VALUE.fullmatch(sent.value) else ""


def _set_cookie(request: Request, cookie: str, value: str) -> str:
    name = _cookie_name(request, cookie)
    secure = "; Secure" if name != cookie else ""
    return f"{name}={value}; Path=/; Max-Age={COOKIE_LIFETIMES_S[cookie]}; HttpOnly; SameSite=Lax{secure}"
