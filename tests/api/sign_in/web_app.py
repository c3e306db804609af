"""Tidepool's web app in a browser, as keycloak-js signs its user in, and a second person."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.api.sign_in.oidc_scene import EMAIL, PASSWORD, Scene
from tests.fakes.oidc_app import App, Browser, ReplyLike, hidden_fields

WEB_APP = "https://web.example.org"
AUTH_PATH = "/realms/tidepool/protocol/openid-connect/auth"
LOGOUT_PATH = "/realms/tidepool/protocol/openid-connect/logout"
COOKIE = "__Secure-strandline-sso"
OTHER_EMAIL = "ben@example.org"


def blip(scene: Scene, page: str = "/patients/0123456789/data?x=1") -> App:
    """Tidepool's web app on one of its pages, as keycloak-js signs its user in."""
    return App(scene.send, "blip", f"{WEB_APP}{page}", "openid", {"response_mode": "fragment"})


def answer_of(reply: ReplyLike) -> dict[str, str]:
    """The parameters that a redirect brings to a web app."""
    assert reply.status == 303, reply.body
    return dict(parse_qsl(urlsplit(reply.headers["location"]).fragment))


def signed_in(scene: Scene, browser: Browser, email: str = EMAIL, **fields: str) -> dict[str, Any]:
    """The tokens of the web app after a sign-in by password in a browser."""
    app = blip(scene)
    page = browser.get(app.page_path(prompt="login"))
    entered = hidden_fields(page.body) | {"username": email, "password": PASSWORD} | fields
    return app.checked(app.exchange(answer_of(browser.post(AUTH_PATH, entered))["code"]))


def silently(scene: Scene, browser: Browser, app: App | None = None, **changes: str) -> dict[str, str]:
    """The answer to a web app that must not show a page."""
    app = app or blip(scene)
    return answer_of(browser.get(app.page_path(**{"prompt": "none"} | changes)))


def sign_out(browser: Browser, **parameters: str) -> ReplyLike:
    """The reply to a web app that signs its user out."""
    fields = {"client_id": "blip", "post_logout_redirect_uri": f"{WEB_APP}/"} | parameters
    return browser.get(f"{LOGOUT_PATH}?{urlencode(fields)}")
