"""Signing out in a browser: at once if an app proves that its user asks, otherwise after a question."""

from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.oidc import END_SESSION
from chalicelib.api.pages.cookies import FORM_COOKIE, SSO_COOKIE, cookie_of, remove_sso_cookie, set_cookie
from chalicelib.api.pages.sign_in_page import sign_out_page, signed_out_page
from chalicelib.api.pages.visit import redirect
from chalicelib.sign_in.end_session import PARAMETERS, end_session, is_from_web_app
from chalicelib.sign_in.form_token import form_token, is_valid_form
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.sso import SignedInBrowser, signed_in_browser


def sign_out(request: Request, parameters: Mapping[str, str], ports: SignInPorts) -> Reply:
    """A page that asks or confirms, or a redirect to the app.

    Raises:
        OAuthError: the address to return to is not one of the client's.
    """
    browser = signed_in_browser(request.call, cookie_of(request, SSO_COOKIE), ports)
    outcome = end_session(parameters, browser, ports, is_confirmed=_is_confirmed(request, parameters))
    if outcome.must_ask and browser is not None:
        return _question(request, parameters, browser)
    if _is_form_of_web_app(request, parameters, ports):
        # Browsers send no cookie with a form of another site, but send it when they follow a link.
        fields = {name: value for name, value in parameters.items() if name in PARAMETERS}
        return redirect(f"{ports.provider.issuer}/protocol/openid-connect/logout?{urlencode(fields)}")
    reply = signed_out_page() if outcome.return_url is None else redirect(outcome.return_url)
    if not outcome.has_ended:
        return reply
    return Reply(reply.body, reply.status, {**reply.headers, "Set-Cookie": remove_sso_cookie(request)})


def _is_confirmed(request: Request, parameters: Mapping[str, str]) -> bool:
    """Whether the person pressed the button of the page that asks."""
    token, cookie = parameters.get("form_token", ""), cookie_of(request, FORM_COOKIE)
    is_form = request.operation is not END_SESSION
    return is_form and is_valid_form(token, cookie, _repeated(parameters), request.now_ms // 1000)


def _is_form_of_web_app(request: Request, parameters: Mapping[str, str], ports: SignInPorts) -> bool:
    is_form = request.operation is not END_SESSION and not cookie_of(request, SSO_COOKIE)
    return is_form and is_from_web_app(parameters, ports)


def _question(request: Request, parameters: Mapping[str, str], browser: SignedInBrowser) -> Reply:
    fields, cookie = _repeated(parameters), cookie_of(request, FORM_COOKIE) or request.services.new_token()
    token = form_token(cookie, fields, request.now_ms // 1000)
    page = sign_out_page(fields, token, browser.account.email or browser.account.user_id)
    return Reply(page.body, page.status, {**page.headers, "Set-Cookie": set_cookie(request, FORM_COOKIE, cookie)})


def _repeated(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that the page repeats. No other form has these fields, so its token serves no other form."""
    return {name: parameters[name] for name in PARAMETERS if parameters.get(name)}
