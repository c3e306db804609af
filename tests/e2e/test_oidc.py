"""Signing in by OpenID Connect as each app does, from the discovery document to the end of the login."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.access.call import token_hash
from tests.e2e.client import PASSWORD, Client, Reply, User
from tests.fakes.oidc_app import App, Browser, alert_of, apps

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.conftest import Platform

CLIENT_IDS = ("tidepool-loop", "xdrip", "aaps", "tidepool-uploader-sso")


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


def app_of(platform: "Platform", client_id: str) -> App:
    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        return Client(platform.base_url).request(method, path, body, headers)

    return next(app for app in apps(send, platform.base_url) if app.client_id == client_id)


def get_user(platform: "Platform", access_token: str) -> tuple[int, Any]:
    """`GET /auth/user`, as TidepoolKit calls it."""
    reply = Client(platform.base_url, access_token).request("GET", "/auth/user")
    return reply.status, reply.json() if reply.status == 200 else None


@pytest.mark.parametrize("client_id", CLIENT_IDS)
def test_an_app_signs_in_refreshes_and_signs_out(platform: "Platform", user: User, client_id: str) -> None:
    app = app_of(platform, client_id)
    info = Client(platform.base_url).request("GET", "/info").json()
    assert app.discover()["issuer"] == f"{info['auth']['url']}/realms/{info['auth']['realm']}"
    first = app.tokens(user.email, PASSWORD)
    claims = app.claims(first, time.time())
    assert (claims["sub"], claims["email"]) == (user.id, user.email)
    assert app.user_info(first["access_token"]).json()["sub"] == user.id
    status, account = get_user(platform, first["access_token"])
    assert (status, account["userid"]) == (200, user.id)
    assert {"userid", "username", "emails", "emailVerified", "roles", "termsAccepted"} <= account.keys()
    second = app.checked(app.refresh(first["refresh_token"]))
    assert app.claims(second, time.time(), is_first=False)["sub"] == user.id
    assert get_user(platform, second["access_token"])[0] == 200
    assert app.post("revoke", {"token": second["refresh_token"], "client_id": client_id}).status == 200
    assert {get_user(platform, tokens["access_token"])[0] for tokens in (first, second)} == {401}
    refused = app.refresh(second["refresh_token"])
    assert (refused.status, refused.json()["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize("client_id", CLIENT_IDS)
def test_an_app_goes_on_after_its_access_token_has_expired(
    platform: "Platform", user: User, services: "Services", client_id: str
) -> None:
    app = app_of(platform, client_id)
    tokens = app.tokens(user.email, PASSWORD)
    session = services.accounts.sessions.find(token_hash(tokens["access_token"]))
    assert session is not None
    # An hour passes: the token is stored again with an end in the past.
    assert services.accounts.sessions.add(replace(session, expires_time_ms=services.now_ms()))
    assert get_user(platform, tokens["access_token"])[0] == 401
    refreshed = app.checked(app.refresh(tokens["refresh_token"]))
    assert get_user(platform, refreshed["access_token"])[0] == 200


def test_an_authorization_code_works_once(platform: "Platform", user: User) -> None:
    app = app_of(platform, "xdrip")
    code = app.returned(app.sign_in(user.email, PASSWORD))["code"]
    tokens = app.checked(app.exchange(code))
    again = app.exchange(code)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert get_user(platform, tokens["access_token"])[0] == 401


def test_a_wrong_password_gives_no_code(platform: "Platform", user: User) -> None:
    app = app_of(platform, "xdrip")
    browser = Browser(app.send)
    reply = app.sign_in(user.email, "another-password", browser)
    assert (reply.status, "location" in reply.headers) == (401, False)
    assert "wrong" in alert_of(reply.body)
    assert app.returned(app.sign_in(user.email, PASSWORD, browser))["code"]
