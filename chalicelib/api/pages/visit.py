"""The visit of a person whom an app sends to a page of sign-in, and the way back to the app. Source: auth-api 6.

Nothing is ever sent to an address that is not a redirect address of the client.
"""

from collections.abc import Callable, Mapping, Sequence

from chalicelib.accounts.account import Account
from chalicelib.api.messages import Reply, Request
from chalicelib.api.pages.cookies import FORM_COOKIE, SSO_COOKIE, cookie_of, set_cookie, set_sso_cookie
from chalicelib.api.pages.sign_in_page import Form, refusal_page
from chalicelib.frozen import frozen
from chalicelib.sign_in.authorization_request import AuthorizationRequest, authorization_request, return_address
from chalicelib.sign_in.claims import read_id_token
from chalicelib.sign_in.errors import RefusedAuthorizationError, UntrustedRedirectError
from chalicelib.sign_in.form_token import form_token, is_valid_form
from chalicelib.sign_in.logins import grant_code
from chalicelib.sign_in.parameters import Parameters
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.sso import SignedInBrowser, end_sso_session, opening_of, signed_in_browser, suffices


@frozen
class Visit:
    """A request of an app that may be granted, and what the browser sent with it."""

    request: Request
    authorization: AuthorizationRequest
    entered: Mapping[str, str]
    """The fields of the form that the person filled in, if any."""
    browser: SignedInBrowser | None
    """Session and account that are signed in at this browser; None without."""
    ports: SignInPorts

    @property
    def needs_no_password(self) -> bool:
        """Whether the session of the browser is enough for this request."""
        hint = self.authorization.id_token_hint
        claims = (read_id_token(hint, self.ports) or {"sub": ""}) if hint else {}
        return suffices(self.request.call, self.browser, self.authorization, claims.get("sub"))

    def has_valid_form(self, page: str = "") -> bool:
        """Whether the form was made here, for this page, browser and request, and has not expired. The sign-in page has
        no name."""
        token, cookie = self.entered.get("form_token", ""), cookie_of(self.request, FORM_COOKIE)
        fields = form_fields(self.authorization.parameters, page)
        return is_valid_form(token, cookie, fields, self.request.now_ms // 1000)


@frozen
class OpenedSession:
    """The session of a person who has just signed in: where the browser goes, and the header with its cookie."""

    location: str
    cookie: str


def reply_to_visit(
    request: Request,
    parameters: Parameters,
    ports: SignInPorts,
    fields: Sequence[str],
    reply: Callable[[Visit], Reply],
) -> Reply:
    """The reply to a visit, or a redirect to the app with an error if its request cannot be granted. Without a trusted
    redirect address, a page that says so. `fields` are those of the page's form beside the parameters of the app."""
    entered = {name: parameters[name][0] for name in fields if parameters.get(name)}
    requested = {name: values for name, values in parameters.items() if name not in fields}
    try:
        client, address = return_address(requested, ports.provider.clients)
        authorization = authorization_request(requested, client, address)
        browser = signed_in_browser(request.call, cookie_of(request, SSO_COOKIE), ports)
        return reply(Visit(request, authorization, entered, browser, ports))
    except UntrustedRedirectError as error:
        return refusal_page(f"This cannot go on: {error}.", 400)
    except RefusedAuthorizationError as error:
        response = {"error": error.code, "error_description": error.description}
        return redirect(address.location(ports.provider.issuer, response))


def open_session(visit: Visit, account: Account, *, is_kept: bool) -> OpenedSession:
    """Open the session of a person who has proven at this browser who they are, with a code for the app. Somebody else
    who was signed in here is signed out.

    Raises:
        WrongCredentialsError: the account was deleted or given another password meanwhile.
        UnavailableError: a store does not answer.
    """
    call, cookie = visit.request.call, visit.request.services.new_token()
    opening = opening_of(call, account, cookie, is_kept=is_kept, before=visit.browser)
    code = grant_code(call, visit.authorization, opening, visit.ports)
    if visit.browser is not None and opening.replaced is None:
        end_sso_session(visit.browser.session, visit.ports)
    return OpenedSession(location_of(visit, code), set_sso_cookie(visit.request, opening.session, cookie))


def location_of(visit: Visit, code: str) -> str:
    """The address at which the app receives a code."""
    return visit.authorization.return_address.location(visit.ports.provider.issuer, {"code": code})


def redirect(location: str) -> Reply:
    """A redirect by 303, with which a browser does not send the form, and the password in it, again."""
    headers = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Reply(status=303, headers=headers)


def bound_form(visit: Visit, page: str = "") -> tuple[Form, str]:
    """A form that is bound to this browser, and the header with the cookie that binds it."""
    cookie = cookie_of(visit.request, FORM_COOKIE) or visit.request.services.new_token()
    token = form_token(cookie, form_fields(visit.authorization.parameters, page), visit.request.now_ms // 1000)
    return Form(visit.authorization, token), set_cookie(visit.request, FORM_COOKIE, cookie)


def form_fields(parameters: Mapping[str, str], page: str) -> dict[str, str]:
    """The fields that the token of a form signs: the token of one page serves no other."""
    return {**parameters, "page": page} if page else dict(parameters)
