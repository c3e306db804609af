"""Tests the sign-in page: its content, escaping, and security headers."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from chalicelib import services as wiring
from tests.api.sign_in.oidc_scene import BASE_URL, Scene
from tests.fakes.oidc_app import App, hidden_fields

NASTY = "\"><script>alert('x')</script>&amp;<b>"


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a name."""
        return [attributes for name, attributes in self.found if name == tag]


def policy_of(headers: dict[str, str]) -> dict[str, str]:
    """A content security policy by directive."""
    directives = (part.strip().partition(" ") for part in headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


def test_the_page_is_a_form_with_labels_and_no_script(scene: Scene, app: App) -> None:
    reply = scene.browser().get(app.page_path(login_hint="anna@example.org"))
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Elements(reply.body)
    assert page.named("html") == [{"lang": "en"}]
    assert page.named("script") == []
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)
    shown = [field for field in page.named("input") if field.get("type") != "hidden"]
    inputs = {field["id"]: field for field in shown if "id" in field}
    assert (
        {label["for"] for label in page.named("label") if "for" in label} == inputs.keys() == {"username", "password"}
    )
    assert [field["name"] for field in shown if "id" not in field] == ["keep"]
    assert re.search(
        r'<label class="choice"><input type="checkbox" name="keep" value="1"> Keep me', reply.body.decode()
    )
    assert inputs["username"]["value"] == "anna@example.org"
    assert inputs["username"]["autocomplete"] == "username"
    assert (inputs["password"]["type"], inputs["password"]["autocomplete"]) == ("password", "current-password")
    assert page.named("form") == [{"method": "post", "action": "auth"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    assert b"xDrip+" in reply.body
    assert b"prefers-color-scheme:dark" in reply.body


def test_a_person_is_not_asked_to_let_the_page_of_the_server_use_the_account(scene: Scene, app: App) -> None:
    own = scene.browser().get(App(scene.send, "strandline-web", f"{BASE_URL}/").page_path())
    assert b"to see your data" in own.body
    assert b"use your account" not in own.body
    assert b"to let <strong>xDrip+</strong> use your account" in scene.browser().get(app.page_path()).body


def test_the_page_loads_nothing_and_cannot_be_framed(scene: Scene, app: App) -> None:
    reply = scene.browser().get(app.page_path())
    policy = policy_of(dict(reply.headers))
    style = re.search(rb"<style>(.*?)</style>", reply.body, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self' xdrip:",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"


def test_the_form_may_redirect_to_the_web_page_of_the_client(scene: Scene) -> None:
    """Browsers hold a redirect after a form against the page's `form-action`, too."""
    reply = scene.browser().get(scene.app("tidepool-uploader-sso").page_path())
    assert policy_of(dict(reply.headers))["form-action"] == f"'self' {BASE_URL}"


@pytest.mark.parametrize("name", ["state", "nonce", "login_hint"])
def test_parameters_of_the_app_are_escaped(scene: Scene, app: App, name: str) -> None:
    reply = scene.browser().get(app.page_path(**{name: NASTY}))
    assert b"<script" not in reply.body
    assert b"<b>" not in reply.body
    assert hidden_fields(reply.body)[name] == NASTY


def test_an_entered_address_is_escaped(app: App) -> None:
    reply = app.sign_in(NASTY, NASTY)
    assert reply.status == 401
    assert b"<script" not in reply.body
    (username,) = [field for field in Elements(reply.body).named("input") if field.get("id") == "username"]
    assert username["value"] == NASTY
    assert NASTY not in reply.body.decode()


def test_an_app_may_request_the_page_by_post(scene: Scene, app: App) -> None:
    reply = scene.browser().post("/realms/tidepool/protocol/openid-connect/auth", app.parameters())
    assert reply.status == 200
    assert hidden_fields(reply.body)["state"] == app.state


def test_without_tls_the_cookie_is_not_marked_secure(scene: Scene, app: App) -> None:
    scene.fakes.settings = replace(scene.fakes.settings, base_url="http://127.0.0.1:8000")
    wiring.override(scene.fakes.services)
    cookie = scene.browser().get(app.page_path()).headers["set-cookie"]
    assert cookie.startswith("strandline-sign-in=")
    assert "Secure" not in cookie
