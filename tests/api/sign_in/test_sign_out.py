"""Signing out in a browser, cross-origin requests of web apps, and their pages. Source: auth-api 6."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import services as wiring
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.sign_in.sso import IDLE_LIFETIME_S
from tests.api.sign_in.oidc_scene import BASE_URL, EMAIL, PASSWORD, USER_ID, Scene
from tests.api.sign_in.web_app import (
    AUTH_PATH,
    COOKIE,
    LOGOUT_PATH,
    OTHER_EMAIL,
    WEB_APP,
    blip,
    sign_out,
    signed_in,
    silently,
)
from tests.fakes.oidc_app import App, Browser, alert_of, hidden_fields


@pytest.fixture
def scene(web_scene: Scene) -> Scene:
    """The scene with a web app."""
    return web_scene


class TestSignOut:
    """Signing out ends the session and the web logins that were opened in it, never an app's login."""

    def test_an_id_token_of_the_session_ends_it_at_once(self, scene: Scene, browser: Browser) -> None:
        first = signed_in(scene, browser)
        app = blip(scene, "/")
        second = app.checked(app.exchange(silently(scene, browser, app)["code"]))
        phone = scene.app()
        page = browser.get(phone.page_path())
        phones = phone.checked(
            phone.exchange(phone.returned(browser.post(AUTH_PATH, hidden_fields(page.body)))["code"])
        )
        reply = sign_out(browser, id_token_hint=first["id_token"], state="s")
        assert (reply.status, reply.headers["location"]) == (303, f"{WEB_APP}/?state=s")
        assert COOKIE not in browser.cookies
        assert [scene.status_of(tokens["access_token"]) for tokens in (first, second, phones)] == [401, 401, 200]
        assert phone.refresh(phones["refresh_token"]).status == 200
        assert silently(scene, browser)["error"] == "login_required"
        assert scene.fakes.items(ACCOUNTS, partition="SSO#") == []

    def test_an_expired_id_token_does_so_too(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser, keep="1")
        scene.pass_s(IDLE_LIFETIME_S * 3)
        assert sign_out(browser, id_token_hint=tokens["id_token"]).status == 303
        assert silently(scene, browser)["error"] == "login_required"

    def test_the_id_token_of_a_login_that_ended_before_does_so_too(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        assert scene.api.request("POST", "/auth/logout", token=tokens["access_token"]).status == 200
        assert sign_out(browser, id_token_hint=tokens["id_token"]).status == 303
        assert silently(scene, browser)["error"] == "login_required"

    def test_without_a_hint_a_page_asks(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        page = sign_out(browser)
        assert (page.status, b"Sign out?" in page.body) == (200, True)
        assert scene.status_of(tokens["access_token"]) == 200
        reply = browser.post(LOGOUT_PATH, hidden_fields(page.body))
        assert (reply.status, reply.headers["location"]) == (303, f"{WEB_APP}/")
        assert scene.status_of(tokens["access_token"]) == 401
        assert silently(scene, browser)["error"] == "login_required"

    def test_the_hint_of_another_session_ends_its_own_login_and_asks(self, scene: Scene, browser: Browser) -> None:
        mine, theirs = signed_in(scene, browser), signed_in(scene, scene.browser(), OTHER_EMAIL)
        page = sign_out(browser, id_token_hint=theirs["id_token"])
        assert (page.status, b"Sign out?" in page.body) == (200, True)
        assert scene.status_of(mine["access_token"]) == 200
        assert scene.status_of(theirs["access_token"]) == 401
        assert browser.post(LOGOUT_PATH, hidden_fields(page.body)).status == 303

    @pytest.mark.parametrize("changes", [{"form_token": ""}, {"form_token": "9999999999.00"}, {"state": "x"}], ids=str)
    def test_a_forged_confirmation_asks_again(self, scene: Scene, browser: Browser, changes: dict[str, str]) -> None:
        tokens = signed_in(scene, browser)
        fields = hidden_fields(sign_out(browser).body)
        assert b"Sign out?" in browser.post(LOGOUT_PATH, fields | changes).body
        assert b"Sign out?" in browser.get(f"{LOGOUT_PATH}?{urlencode(fields)}").body
        assert scene.status_of(tokens["access_token"]) == 200

    def test_the_form_of_another_site_is_repeated_as_a_link(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        fields = {
            "client_id": "blip",
            "post_logout_redirect_uri": f"{WEB_APP}/",
            "id_token_hint": tokens["id_token"],
        }
        without_cookies = scene.browser()
        reply = without_cookies.post(LOGOUT_PATH, fields)
        assert reply.headers["location"].startswith(f"{BASE_URL}{LOGOUT_PATH}?")
        reply = browser.get(reply.headers["location"].removeprefix(BASE_URL))
        assert (reply.status, reply.headers["location"]) == (303, f"{WEB_APP}/")
        assert silently(scene, browser)["error"] == "login_required"

    def test_nobody_is_asked_when_nobody_is_signed_in(self, browser: Browser, scene: Scene) -> None:
        assert sign_out(browser).headers["location"] == f"{WEB_APP}/"
        assert b"You are signed out" in browser.get(LOGOUT_PATH).body

    @pytest.mark.parametrize("url", ["https://evil.example/", f"{WEB_APP}.evil.example/", f"{WEB_APP}/#x", "x"])
    def test_no_foreign_address_is_returned_to(self, scene: Scene, browser: Browser, url: str) -> None:
        tokens = signed_in(scene, browser)
        for hint in ({}, {"id_token_hint": tokens["id_token"]}):
            reply = sign_out(browser, post_logout_redirect_uri=url, **hint)
            assert (reply.status, "location" in reply.headers) == (400, False)

    @pytest.mark.parametrize("ending", ["password", "sessions", "deletion"])
    def test_a_new_password_and_the_end_of_all_sessions_end_it(
        self, scene: Scene, browser: Browser, ending: str
    ) -> None:
        tokens = signed_in(scene, browser)
        server = scene.fakes.sign_in("server", is_server=True)
        if ending == "password":
            body: Any = {"updates": {"password": "another-password"}}
            assert scene.api.request("PUT", f"/auth/user/{USER_ID}", body, token=tokens["access_token"]).status == 200
        elif ending == "sessions":
            assert scene.api.request("DELETE", f"/auth/user/{USER_ID}/sessions", token=server).status == 204
        else:
            body = {"password": PASSWORD}
            path = f"/auth/user/{USER_ID}"
            assert scene.api.request("DELETE", path, body, token=tokens["access_token"]).status == 204
        assert silently(scene, browser)["error"] == "login_required"
        assert scene.fakes.items(ACCOUNTS, partition="SSO#") == []

    def test_a_session_that_ends_meanwhile_grants_no_code(
        self, scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        signed_in(scene, browser)
        add_code = scene.fakes.oidc_logins.add_code

        def after_the_end(code: Any, opening: Any) -> bool:
            scene.fakes.sessions.end_all(USER_ID)
            return add_code(code, opening)

        monkeypatch.setattr(scene.fakes.oidc_logins, "add_code", after_the_end)
        assert silently(scene, browser)["error"] == "login_required"
        assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []


class TestCors:
    """Tokens are asked for with cookies by pages of registered web apps; no other route takes any."""

    @pytest.mark.parametrize(
        ("origin", "is_allowed", "takes_cookies"),
        [
            (WEB_APP, True, True),
            (BASE_URL, True, True),
            ("https://app.example.org", True, False),
            ("https://evil.example", False, False),
            (f"{WEB_APP}.evil.example", False, False),
            ("http://localhost:3000", False, False),
            ("null", False, False),
        ],
    )
    def test_by_origin(self, scene: Scene, origin: str, is_allowed: bool, takes_cookies: bool) -> None:
        path = "/realms/tidepool/protocol/openid-connect/token"
        preflight = {"Access-Control-Request-Method": "POST", "Origin": origin}
        for reply in (
            scene.api.request("POST", path, b"", Origin=origin),
            scene.api.request("OPTIONS", path, **preflight),
        ):
            assert reply.headers.get("access-control-allow-origin") == (origin if is_allowed else None)
            assert ("access-control-allow-credentials" in reply.headers) == takes_cookies
        for reply in (
            scene.api.request("GET", "/info", Origin=origin),
            scene.api.request("OPTIONS", "/info", **preflight),
        ):
            assert "access-control-allow-credentials" not in reply.headers

    def test_no_cookies_from_everywhere(self, scene: Scene) -> None:
        scene.fakes.settings = replace(scene.fakes.settings, cors_origins=("*",))
        wiring.override(scene.fakes.services)
        path = "/realms/tidepool/protocol/openid-connect/token"
        reply = scene.api.request("POST", path, b"", Origin="https://evil.example")
        assert reply.headers["access-control-allow-origin"] == "https://evil.example"
        assert "access-control-allow-credentials" not in reply.headers

    def test_pages_of_this_machine_where_they_are_allowed(self, scene: Scene) -> None:
        scene.fakes.settings = replace(scene.fakes.settings, allows_local_web_apps=True)
        wiring.override(scene.fakes.services)
        path = "/realms/tidepool/protocol/openid-connect/token"
        for origin, is_allowed in {
            "http://localhost:3000": True,
            "http://127.0.0.1:1": True,
            "http://localhost.evil.example": False,
            "http://localhost:3000/": False,
            "https://evil.example": False,
        }.items():
            reply = scene.api.request("POST", path, b"", Origin=origin)
            assert ("access-control-allow-credentials" in reply.headers) == is_allowed
        app = App(scene.send, "blip", "http://localhost:3000/a", more={"response_mode": "fragment"})
        assert scene.browser().get(app.page_path()).status == 200


class TestPages:
    """The pages: escaped, without scripts, not to be framed; only the frames of keycloak-js may be."""

    def test_the_question_escapes_what_it_repeats(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        page = sign_out(browser, state='"><script>alert(1)</script>')
        assert b"<script" not in page.body
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert f"form-action 'self' {WEB_APP};" in page.headers["content-security-policy"]

    def test_an_error_keeps_the_choice_to_be_kept(self, scene: Scene, browser: Browser) -> None:
        fields = hidden_fields(browser.get(blip(scene).page_path()).body)
        reply = browser.post(AUTH_PATH, fields | {"username": EMAIL, "password": "wrong", "keep": "1"})
        assert alert_of(reply.body) == "E-mail address or password is wrong."
        assert b'name="keep" value="1" checked' in reply.body

    @pytest.mark.parametrize("page", ["3p-cookies/step1.html", "3p-cookies/step2.html", "login-status-iframe.html"])
    def test_the_frames_of_keycloak_are_static_and_may_be_framed(self, scene: Scene, page: str) -> None:
        reply = scene.api.request("GET", f"/realms/tidepool/protocol/openid-connect/{page}")
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert "x-frame-options" not in reply.headers
        policy = reply.headers["content-security-policy"]
        assert re.fullmatch(r"default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]+='; base-uri 'none'", policy)
        assert "set-cookie" not in reply.headers
        assert scene.api.request("GET", f"/realms/other/protocol/openid-connect/{page}").status == 404
