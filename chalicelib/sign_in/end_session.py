"""The end-session endpoint: a person signs out, and returns to the app. Source: auth-api 6.

OpenID Connect RP-Initiated Logout 1.0. An app proves by an ID token that its user asks. Without one, or with one of
another session, the person is asked: any site may send a browser here.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib.frozen import frozen
from chalicelib.sign_in.claims import read_id_token
from chalicelib.sign_in.errors import INVALID_REQUEST, OAuthError
from chalicelib.sign_in.logins import end_login, login_to_end
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.sso import SignedInBrowser, end_sso_session, opened_in

PARAMETERS = ("client_id", "id_token_hint", "post_logout_redirect_uri", "state")
"""The parameters that the page of a sign-out repeats."""


@frozen
class SignOut:
    """The outcome of a request to sign out."""

    return_url: str | None
    """Address to which the app wants its user to return; None if it names none."""
    has_ended: bool
    """True if the session of the browser has ended."""
    must_ask: bool = False
    """True if the person has to confirm the end of the session of the browser."""


def end_session(
    parameters: Mapping[str, str], browser: SignedInBrowser | None, ports: SignInPorts, *, is_confirmed: bool = False
) -> SignOut:
    """End the login that an ID token or a refresh token belongs to, and the session of the browser that it was opened
    in. A token that belongs to no login is not an error, and neither is an expired ID token.

    Raises:
        OAuthError: the address to return to is not one of the client's. The login has ended all the same.
    """
    claims = _hinted_claims(parameters, ports)
    login = login_to_end(claims, parameters.get("refresh_token", ""), ports.logins)
    if login is not None:
        end_login(login, ports)
    is_hinted = browser is not None and "sid" in claims and opened_in(browser.session, str(claims["sid"]), ports)
    has_ended = browser is not None and (is_confirmed or is_hinted)
    if browser is not None and has_ended:
        end_sso_session(browser.session, ports)
    url = _return_url(parameters, claims, ports)
    return SignOut(url, has_ended, must_ask=browser is not None and not has_ended)


def is_from_web_app(parameters: Mapping[str, str], ports: SignInPorts) -> bool:
    """Whether an ID token that was issued to a web app asks for a sign-out."""
    client = ports.provider.clients.get(str(_hinted_claims(parameters, ports).get("aud")))
    return client is not None and client.signs_in_silently


def _hinted_claims(parameters: Mapping[str, str], ports: SignInPorts) -> Mapping[str, Any]:
    hint = parameters.get("id_token_hint")
    return (read_id_token(hint, ports) if hint else None) or {}


def _return_url(parameters: Mapping[str, str], claims: Mapping[str, Any], ports: SignInPorts) -> str | None:
    url = parameters.get("post_logout_redirect_uri")
    if not url:
        return None
    client = ports.provider.clients.get(str(claims["aud"]) if claims else parameters.get("client_id", ""))
    if client is None or not client.accepts(url):
        raise OAuthError(INVALID_REQUEST, "post_logout_redirect_uri is not an address of the client")
    if "state" not in parameters:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'state': parameters['state']})}"
