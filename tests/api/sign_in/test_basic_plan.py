"""The checks of the basic certification plan of OpenID Connect that apply to public clients with PKCE.

docs/sign-in.md lists the modules of the plan: those here, those that other tests have, and those that do not apply.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.api.sign_in.oidc_scene import EMAIL, PASSWORD, USER_ID, Scene
from tests.api.sign_in.web_app import AUTH_PATH, OTHER_EMAIL, answer_of, blip, signed_in, silently
from tests.fakes.oidc_app import App, Browser, hidden_fields


@pytest.fixture
def scene(web_scene: Scene) -> Scene:
    """The scene with a web app."""
    return web_scene


def tokens_of(scene: Scene, app: App, browser: Browser, **changes: str | None) -> dict[str, Any]:
    """The tokens after a sign-in by password with these changes of the request."""
    page = browser.get(app.page_path(**changes))
    assert page.status == 200, page.body
    reply = browser.post(AUTH_PATH, hidden_fields(page.body) | {"username": EMAIL, "password": PASSWORD})
    return app.checked(app.exchange(answer_of(reply)["code"]))


def test_the_flow_and_its_id_token(scene: Scene, browser: Browser) -> None:
    app = blip(scene)
    tokens = tokens_of(scene, app, browser)
    claims = app.claims(tokens, scene.now_s)
    assert claims["sub"] == USER_ID
    assert claims.keys() >= {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"}
    assert app.user_info(tokens["access_token"]).json()["sub"] == USER_ID
    by_post = app.post("userinfo", {}, Authorization=f"Bearer {tokens['access_token']}")
    assert by_post.json()["sub"] == USER_ID


@pytest.mark.parametrize("nonce", [None, ""])
def test_a_request_without_a_nonce_succeeds(scene: Scene, browser: Browser, nonce: str | None) -> None:
    app = blip(scene)
    app.nonce = None
    tokens = tokens_of(scene, app, browser, nonce=nonce)
    assert app.claims(tokens, scene.now_s, is_first=False).get("nonce") == nonce


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("openid profile", "openid profile"),
        ("openid email", "openid email"),
        ("email openid", "openid email"),
        ("openid profile email address phone", "openid email profile"),
        ("offline_access openid unknown", "openid offline_access"),
    ],
)
def test_scopes_in_any_order_with_unknown_ones(scene: Scene, browser: Browser, scope: str, granted: str) -> None:
    assert tokens_of(scene, blip(scene), browser, scope=scope)["scope"] == granted


@pytest.mark.parametrize(
    "more",
    [
        {"display": "page"},
        {"display": "popup"},
        {"ui_locales": "se"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"extra": "foobar"},
        {"claims": '{"userinfo":{"name":{"essential":true}}}'},
        {"login_hint": EMAIL},
    ],
    ids=str,
)
def test_a_request_with_parameters_that_may_be_ignored_succeeds(
    scene: Scene, browser: Browser, more: dict[str, str]
) -> None:
    app = blip(scene)
    assert app.claims(app.checked(app.exchange(_code(scene, app, browser, more))), scene.now_s)["sub"] == USER_ID


def _code(scene: Scene, app: App, browser: Browser, more: dict[str, str]) -> str:
    page = browser.get(app.page_path(**more))
    reply = browser.post(AUTH_PATH, hidden_fields(page.body) | {"username": EMAIL, "password": PASSWORD})
    return answer_of(reply)["code"]


def test_a_request_by_post_succeeds(scene: Scene, browser: Browser) -> None:
    app = blip(scene)
    page = browser.post(AUTH_PATH, app.parameters())
    assert page.status == 200
    reply = browser.post(AUTH_PATH, hidden_fields(page.body) | {"username": EMAIL, "password": PASSWORD})
    assert app.checked(app.exchange(answer_of(reply)["code"]))


def test_prompt_login_gives_a_later_time_of_the_sign_in(scene: Scene, browser: Browser) -> None:
    app, again = blip(scene), blip(scene)
    first = app.claims(tokens_of(scene, app, browser), scene.now_s)
    scene.pass_s(2)
    second = again.claims(tokens_of(scene, again, browser, prompt="login"), scene.now_s)
    assert (second["sub"], second["auth_time"] - first["auth_time"]) == (first["sub"], 2)


def test_prompt_none_without_and_with_a_session(scene: Scene, browser: Browser) -> None:
    assert silently(scene, browser)["error"] == "login_required"
    signed_in(scene, browser)
    assert silently(scene, browser)["code"]


def test_a_small_max_age_asks_again_and_a_large_one_does_not(scene: Scene, browser: Browser) -> None:
    signed_in(scene, browser)
    scene.pass_s(2)
    assert browser.get(blip(scene).page_path(max_age="1")).status == 200
    app = blip(scene)
    code = answer_of(browser.get(app.page_path(max_age="10000")))["code"]
    assert app.claims(app.checked(app.exchange(code)), scene.now_s)["auth_time"] == int(scene.now_s) - 2


def test_an_id_token_hint_of_the_user_and_of_another_one(scene: Scene, browser: Browser) -> None:
    mine, theirs = signed_in(scene, browser), signed_in(scene, scene.browser(), OTHER_EMAIL)
    assert silently(scene, browser, id_token_hint=mine["id_token"])["code"]
    assert silently(scene, browser, id_token_hint=theirs["id_token"])["error"] == "login_required"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://web.example.org/request"}, "request_uri_not_supported"),
    ],
    ids=str,
)
def test_what_is_not_supported_is_said_at_the_redirect_address(
    scene: Scene, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    reply = browser.get(blip(scene).page_path(**changes))
    assert dict(parse_qsl(urlsplit(reply.headers["location"]).fragment))["error"] == error


@pytest.mark.parametrize("later_s", [0, 30])
def test_a_code_that_comes_twice_is_refused_and_ends_the_tokens(scene: Scene, browser: Browser, later_s: int) -> None:
    app = blip(scene)
    code = _code(scene, app, browser, {})
    tokens = app.checked(app.exchange(code))
    scene.pass_s(later_s)
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.user_info(tokens["access_token"]).status == 401


def test_a_redirect_address_that_is_not_registered_gets_a_page(scene: Scene, browser: Browser) -> None:
    reply = browser.get(blip(scene).page_path(redirect_uri="https://other.example.org/"))
    assert (reply.status, "location" in reply.headers) == (400, False)


def test_a_refresh_token_gives_an_id_token_of_the_same_sign_in(scene: Scene, browser: Browser) -> None:
    app = blip(scene)
    first = tokens_of(scene, app, browser)
    scene.pass_s(5)
    second = app.checked(app.refresh(first["refresh_token"]))
    before, after = app.claims(first, scene.now_s), app.claims(second, scene.now_s, is_first=False)
    same = ("iss", "sub", "aud", "auth_time", "azp", "sid")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert after["iat"] == before["iat"] + 5
