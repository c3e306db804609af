"""The authorization endpoint of OpenID Connect: a person signs in, and goes back to the app with a code.

Nothing is ever sent to an address that is not one of the client's own. Source: auth-api 6.
"""

import re
from http.cookies import CookieError, SimpleCookie

from chalicelib.accounts.password_sign_in import BasicCredentials, sign_in
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import SHOW_SIGN_IN, SIGN_IN, UPLOAD_REDIRECT
from chalicelib.api.routes.oidc_form import clients_of, form_of, issuer_of
from chalicelib.api.routes.oidc_page import refusal_page, sign_in_page
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import (
    TooManyAttemptsError,
    UnavailableError,
    UnverifiedEmailError,
    WrongCredentialsError,
)
from chalicelib.sign_in.authorization_request import (
    AuthorizationRequest,
    Parameters,
    authorization_request,
    return_address,
)
from chalicelib.sign_in.errors import OAuthError, RefusedAuthorizationError, UntrustedRedirectError
from chalicelib.sign_in.form_token import FORM_LIFETIME_S, form_token, is_valid_form
from chalicelib.sign_in.logins import grant_code

COOKIE = "strandline-sign-in"
COOKIE_VALUE = re.compile("[A-Za-z0-9_-]{32,64}")
UPLOADER_ADDRESS = "tidepooluploader://localhost/keycloak-redirect"
"""What the Uploader registers with the operating system."""
SIGN_IN_FIELDS = ("username", "password", "form_token")
"""Fields of the form that are not part of what the app asked for."""

blueprint = ApiBlueprint(__name__)


@blueprint.operation(SHOW_SIGN_IN)
def show_sign_in(request: Request) -> Reply:
    """The form, or why there is none: on a page when the app is not known, else told to the app."""
    return _answered(request, request.query)


@blueprint.operation(SIGN_IN)
def sign_in_and_return(request: Request) -> Reply:
    """The way back to the app with a code, or the form again; an app may also ask for the form this way."""
    try:
        return _answered(request, form_of(request))
    except OAuthError as error:
        return refusal_page(f"The app asked for something that cannot be: {error.description}.", 400)


@blueprint.operation(UPLOAD_REDIRECT)
def hand_to_uploader(_request: Request) -> Reply:
    """The way on into the Uploader, with the code in the fragment: browsers take a fragment along when they are sent
    on (RFC 9110, section 10.2.2), and no server sees it."""
    return _redirect(UPLOADER_ADDRESS)


def _answered(request: Request, parameters: Parameters) -> Reply:
    issuer = issuer_of(request)
    filled_in = {name: parameters[name][0] for name in SIGN_IN_FIELDS if parameters.get(name)}
    asked = {name: values for name, values in parameters.items() if name not in SIGN_IN_FIELDS}
    try:
        client, answer_to = return_address(asked, clients_of(request))
    except UntrustedRedirectError as error:
        return refusal_page(f"This cannot go on: {error}.", 400)
    try:
        wanted = authorization_request(asked, client, answer_to)
    except RefusedAuthorizationError as error:
        answer = {"error": error.code, "error_description": error.description}
        return _redirect(answer_to.location(issuer, answer))
    if request.operation is SHOW_SIGN_IN or "password" not in filled_in:
        return _form(request, wanted, wanted.login_hint)
    username = filled_in.get("username", "")
    if not is_valid_form(filled_in.get("form_token", ""), _cookie(request), wanted, request.now_ms // 1000):
        alert = "This page was open for too long, or your browser keeps no cookies. Please enter your password again."
        return _form(request, wanted, username, alert, 400)
    return _signed_in(request, issuer, wanted, BasicCredentials(username.strip(), filled_in["password"]))


def _signed_in(request: Request, issuer: str, wanted: AuthorizationRequest, credentials: BasicCredentials) -> Reply:
    services = request.services
    try:
        account = sign_in(
            credentials,
            request.source_ip,
            accounts=services.accounts.accounts,
            passwords=services.accounts.passwords,
            attempts=services.accounts.sign_in_attempts,
            now_ms=request.now_ms,
        )
        code = services.new_token()
        grant_code(wanted, account, code, services.sign_in.logins, request.now_ms)
    except WrongCredentialsError:
        alert = "E-mail address or password is wrong."
        return _form(request, wanted, credentials.username, alert, 401)
    except UnverifiedEmailError:
        alert = "The e-mail address of this account has not been verified yet."
        return _form(request, wanted, credentials.username, alert, 403)
    except TooManyAttemptsError as error:
        minutes = -(-error.retry_after_s // 60)
        alert = f"Too many tries. Sign-in is locked for now: please try again in {minutes} min."
        return _form(request, wanted, credentials.username, alert, 429, {"Retry-After": str(error.retry_after_s)})
    except UnavailableError:
        return _form(request, wanted, credentials.username, "Something is busy here. Please try again.", 503)
    return _redirect(wanted.return_address.location(issuer, {"code": code}))


def _form(
    request: Request,
    wanted: AuthorizationRequest,
    username: str,
    alert: str = "",
    status: int = 200,
    more_headers: dict[str, str] | None = None,
) -> Reply:
    cookie = _cookie(request) or request.services.new_token()
    page = sign_in_page(wanted, form_token(cookie, wanted, request.now_ms // 1000), username, alert, status)
    headers = {"Set-Cookie": _set_cookie(request, cookie), **page.headers, **(more_headers or {})}
    return Reply(page.body, page.status, headers)


def _redirect(location: str) -> Reply:
    """See there: by 303 a browser never sends the form, and the password in it, along."""
    return Reply(
        status=303, headers={"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


def _cookie_name(request: Request) -> str:
    # The prefix makes browsers take the cookie over TLS from this host only; without TLS they would not take it at all.
    return f"__Host-{COOKIE}" if request.services.settings.base_url.startswith("https:") else COOKIE


def _cookie(request: Request) -> str:
    """The cookie that this browser was given; empty when it has none."""
    try:
        sent = SimpleCookie(request.headers.get("cookie", "")).get(_cookie_name(request))
    except CookieError:
        return ""
    return sent.value if sent is not None and COOKIE_VALUE.fullmatch(sent.value) else ""


def _set_cookie(request: Request, value: str) -> str:
    name = _cookie_name(request)
    secure = "; Secure" if name != COOKIE else ""
    return f"{name}={value}; Path=/; Max-Age={FORM_LIFETIME_S}; HttpOnly; SameSite=Lax{secure}"
