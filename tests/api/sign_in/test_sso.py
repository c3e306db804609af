"""Single sign-on: a person who is signed in at a browser, and web apps that use it. Source: auth-api 6."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from chalicelib import services as wiring
from chalicelib.access.call import platform_call, token_hash
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.sign_in.sso import IDLE_LIFETIME_S, KEPT_LIFETIME_S, signed_in_browser
from tests.api.sign_in.oidc_scene import EMAIL, PASSWORD, USER_ID, Scene
from tests.api.sign_in.web_app import (
    AUTH_PATH,
    COOKIE,
    OTHER_EMAIL,
    WEB_APP,
    answer_of,
    blip,
    sign_out,
    signed_in,
    silently,
)
from tests.fakes.oidc_app import Browser, claims_of, hidden_fields


@pytest.fixture
def scene(web_scene: Scene) -> Scene:
    """The scene with a web app."""
    return web_scene


class TestSilentSignIn:
    """A web app gets a code without a page while its user is signed in at the browser."""

    def test_nobody_is_signed_in_at_a_new_browser(self, scene: Scene, browser: Browser) -> None:
        app = blip(scene)
        answer = silently(scene, browser, app)
        assert (answer["error"], answer["state"]) == ("login_required", app.state)
        assert browser.cookies == {}

    def test_after_a_sign_in_every_page_gets_tokens_of_its_own(self, scene: Scene, browser: Browser) -> None:
        first = signed_in(scene, browser)
        scene.pass_s(60)
        app = blip(scene, "/profile")
        tokens = app.checked(app.exchange(silently(scene, browser, app)["code"]))
        assert claims_of(tokens["access_token"])["sub"] == USER_ID
        claims = app.claims(tokens, scene.now_s)
        assert claims["auth_time"] == int(scene.now_s) - 60
        assert claims["sid"] != claims_of(first["id_token"])["sid"]
        assert scene.status_of(first["access_token"]) == 200

    def test_without_a_prompt_it_needs_no_page_either(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        assert answer_of(browser.get(blip(scene).page_path()))["code"]

    @pytest.mark.parametrize("prompt", ["none login", "login none", "none none x"])
    def test_none_goes_with_no_other_prompt(self, scene: Scene, browser: Browser, prompt: str) -> None:
        assert silently(scene, browser, prompt=prompt)["error"] == "invalid_request"

    def test_what_keycloak_sends_besides_changes_nothing(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        more = {
            "kc_action": "UPDATE_PASSWORD",
            "kc_idp_hint": "x",
            "ui_locales": "de",
            "acr_values": "1",
            "claims": '{"id_token":{"acr":{}}}',
        }
        assert silently(scene, browser, None, login_hint=EMAIL, **more)["code"]

    def test_the_answer_may_come_in_the_query(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        reply = browser.get(blip(scene).page_path(prompt="none", response_mode="query"))
        location = urlsplit(reply.headers["location"])
        assert {"x", "code"} <= dict(parse_qsl(location.query)).keys()
        assert location.fragment == ""

    def test_an_account_that_is_gone_is_signed_in_nowhere(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        account = scene.fakes.accounts.find(USER_ID)
        assert account is not None
        scene.fakes.accounts.delete(account, scene.fakes.now_ms)
        assert silently(scene, browser)["error"] == "login_required"

    def test_a_session_of_an_earlier_password_signs_nobody_in(self, scene: Scene, browser: Browser) -> None:
        """Not even while the change of the password has not ended it yet."""
        signed_in(scene, browser)
        cookie, ports = browser.cookies[COOKIE], scene.fakes.services.sign_in
        call = platform_call(scene.fakes.now_ms, scene.fakes.new_id)
        assert signed_in_browser(call, cookie, ports) is not None
        scene.change_account(password_version=7)
        assert signed_in_browser(call, cookie, ports) is None
        assert silently(scene, browser)["error"] == "login_required"

    def test_the_session_counts_for_the_user_whom_the_app_expects(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        other = signed_in(scene, scene.browser(), OTHER_EMAIL)
        assert silently(scene, browser, id_token_hint=tokens["id_token"])["code"]
        assert silently(scene, browser, id_token_hint=other["id_token"])["error"] == "login_required"
        assert silently(scene, browser, id_token_hint="x.y.z")["error"] == "login_required"
        assert silently(scene, browser, id_token_hint=tokens["access_token"])["error"] == "login_required"


class TestAskingAgain:
    """`prompt` and `max_age` ask a person who is signed in."""

    def test_login_asks_for_the_password(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        page = browser.get(blip(scene).page_path(prompt="login"))
        assert (page.status, b'name="password"' in page.body) == (200, True)

    @pytest.mark.parametrize("prompt", ["consent", "select_account", "select_account consent"])
    def test_consent_asks_for_a_click(self, scene: Scene, browser: Browser, prompt: str) -> None:
        signed_in(scene, browser)
        page = browser.get(blip(scene).page_path(prompt=prompt))
        assert f"Continue as {EMAIL}" in page.body.decode()
        assert answer_of(browser.post(AUTH_PATH, hidden_fields(page.body)))["code"]

    def test_max_age_asks_for_the_password_when_the_sign_in_is_older(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        scene.pass_s(100)
        assert silently(scene, browser, max_age="100")["code"]
        assert silently(scene, browser, max_age="99")["error"] == "login_required"
        page = browser.get(blip(scene).page_path(max_age="99"))
        assert b'name="password"' in page.body
        entered = hidden_fields(page.body) | {"username": EMAIL, "password": PASSWORD}
        app = blip(scene)
        assert answer_of(browser.post(AUTH_PATH, entered))["code"]
        tokens = app.checked(app.exchange(silently(scene, browser, app)["code"]))
        assert app.claims(tokens, scene.now_s)["auth_time"] == int(scene.now_s)

    @pytest.mark.parametrize("max_age", ["", "-1", "1.5", "x", "9" * 10])
    def test_a_max_age_that_is_no_number_is_refused(self, scene: Scene, browser: Browser, max_age: str) -> None:
        assert silently(scene, browser, max_age=max_age)["error"] == "invalid_request"


class TestApps:
    """Another app may have claimed the scheme of an app's address, so its user agrees by a click."""

    def test_an_app_gets_no_code_silently(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        uploader = {"redirect_uri": f"{WEB_APP}/upload-redirect"}
        for client_id, changes in {"xdrip": {}, "tidepool-loop": {}, "tidepool-uploader-sso": uploader}.items():
            reply = browser.get(scene.app(client_id).page_path(prompt="none", **changes))
            assert "error=interaction_required" in reply.headers["location"]
        assert "error=login_required" in scene.browser().get(scene.app().page_path(prompt="none")).headers["location"]

    def test_one_click_goes_on_without_the_password(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        app = scene.app()
        page = browser.get(app.page_path())
        assert f"Continue as {EMAIL}" in page.body.decode()
        assert b'name="password"' not in page.body
        answer = app.returned(browser.post(AUTH_PATH, hidden_fields(page.body)))
        assert claims_of(app.checked(app.exchange(answer["code"]))["access_token"])["sub"] == USER_ID

    def test_another_account_can_be_chosen(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        app = scene.app()
        page = browser.post(AUTH_PATH, hidden_fields(browser.get(app.page_path()).body) | {"other": "1"})
        entered = hidden_fields(page.body) | {"username": OTHER_EMAIL, "password": PASSWORD}
        answer = app.returned(browser.post(AUTH_PATH, entered))
        assert claims_of(app.checked(app.exchange(answer["code"]))["access_token"])["sub"] == "aaaaaaaaaa"

    def test_aaps_which_asks_for_a_login_gets_the_password_form(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        assert b'name="password"' in browser.get(scene.app("aaps").page_path()).body

    @pytest.mark.parametrize(
        "changes",
        [{"form_token": ""}, {"form_token": "9999999999.00"}, {"account": "aaaaaaaaaa"}, {"code_challenge": "c" * 43}],
        ids=str,
    )
    def test_a_forged_click_is_shown_the_page_again(
        self, scene: Scene, browser: Browser, changes: dict[str, str]
    ) -> None:
        signed_in(scene, browser)
        before = len(scene.fakes.items(ACCOUNTS, partition="OIDC#"))
        fields = hidden_fields(browser.get(scene.app().page_path()).body)
        reply = browser.post(AUTH_PATH, fields | changes)
        assert (reply.status, "location" in reply.headers) == (200, False)
        assert len(scene.fakes.items(ACCOUNTS, partition="OIDC#")) == before

    def test_a_click_in_a_request_by_get_is_none(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        fields = hidden_fields(browser.get(scene.app().page_path()).body)
        reply = browser.get(f"{AUTH_PATH}?{urlencode(fields)}")
        assert (reply.status, "location" in reply.headers) == (200, False)


class TestCookie:
    """The cookie of a session: hidden, of this site, new at each sign-in, and stored as a hash."""

    def test_its_attributes(self, scene: Scene, browser: Browser) -> None:
        app = blip(scene)
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        plain = browser.post(AUTH_PATH, fields).headers["set-cookie"].splitlines()[1]
        kept = browser.post(AUTH_PATH, fields | {"keep": "1"}).headers["set-cookie"].splitlines()[1]
        name, _, value = plain.partition(";")[0].partition("=")
        assert name == COOKIE
        assert plain.partition("; ")[2] == "Path=/realms/tidepool/; HttpOnly; SameSite=Lax; Secure"
        assert f"; Max-Age={KEPT_LIFETIME_S}; " in kept
        stored = scene.fakes.items(ACCOUNTS)
        assert value not in repr(stored)

    def test_on_this_machine_it_needs_no_tls(self, scene: Scene) -> None:
        scene.fakes.settings = replace(scene.fakes.settings, base_url="http://127.0.0.1:8000")
        wiring.override(scene.fakes.services)
        browser = scene.browser()
        signed_in(scene, browser)
        assert "strandline-sso" in browser.cookies

    def test_each_sign_in_gives_another_one_and_ends_the_old_one(self, scene: Scene, browser: Browser) -> None:
        first = signed_in(scene, browser)
        old = scene.browser()
        old.cookies = dict(browser.cookies)
        second = signed_in(scene, browser)
        assert browser.cookies[COOKIE] != old.cookies[COOKIE]
        assert silently(scene, old)["error"] == "login_required"
        assert [scene.status_of(tokens["access_token"]) for tokens in (first, second)] == [200, 200]
        sign_out(browser, id_token_hint=first["id_token"])  # it is the same session still
        assert [scene.status_of(tokens["access_token"]) for tokens in (first, second)] == [401, 401]

    def test_another_person_s_sign_in_ends_the_session_before(self, scene: Scene, browser: Browser) -> None:
        annas = signed_in(scene, browser)
        bens = signed_in(scene, browser, OTHER_EMAIL)
        assert scene.status_of(annas["access_token"]) == 401
        assert scene.status_of(bens["access_token"]) == 200
        assert len(scene.fakes.items(ACCOUNTS, partition="SSO#")) == 1

    @pytest.mark.parametrize("value", ["", "x", "x" * 43, "../", "é" * 43])
    def test_a_forged_one_signs_nobody_in(self, scene: Scene, browser: Browser, value: str) -> None:
        signed_in(scene, browser)
        forged = scene.browser()
        forged.cookies = {COOKIE: value}
        assert silently(scene, forged)["error"] == "login_required"

    def test_the_hash_that_is_stored_is_no_cookie(self, scene: Scene, browser: Browser) -> None:
        signed_in(scene, browser)
        forged = scene.browser()
        forged.cookies = {COOKIE: token_hash(browser.cookies[COOKIE])}
        assert silently(scene, forged)["error"] == "login_required"

    def test_it_opens_no_api_and_no_token_is_a_cookie(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        cookie = browser.cookies[COOKIE]
        header = {"Cookie": f"{COOKIE}={cookie}"}
        assert scene.api.request("GET", "/auth/user", **header).status == 401
        assert scene.status_of(cookie) == 401
        for name in ("access_token", "refresh_token", "id_token"):
            forged = scene.browser()
            forged.cookies = {COOKIE: tokens[name]}
            assert silently(scene, forged)["error"] == "login_required"

    @pytest.mark.parametrize(("fields", "lifetime_s"), [({}, IDLE_LIFETIME_S), ({"keep": "1"}, KEPT_LIFETIME_S)])
    def test_it_lasts_for_a_time_without_use(
        self, scene: Scene, browser: Browser, fields: dict[str, str], lifetime_s: int
    ) -> None:
        signed_in(scene, browser, **fields)
        for _ in range(2):
            scene.pass_s(lifetime_s - 1)
            assert silently(scene, browser)["code"]
        scene.pass_s(lifetime_s)
        assert silently(scene, browser)["error"] == "login_required"


class TestWebLogins:
    """A web app gets a new login with each load of a page, so its logins end soon without use."""

    def test_they_end_after_12_hours_without_a_refresh(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        app = blip(scene)
        assert tokens["refresh_expires_in"] == 12 * 3600
        scene.pass_s(12 * 3600 - 1)
        tokens = app.checked(app.refresh(tokens["refresh_token"]))
        scene.pass_s(12 * 3600)
        assert app.refresh(tokens["refresh_token"]).status == 401

    def test_a_refreshed_one_ends_with_its_session(self, scene: Scene, browser: Browser) -> None:
        tokens = signed_in(scene, browser)
        for _ in range(3):
            scene.pass_s(11 * 3600)
            silently(scene, browser)
            tokens = blip(scene).checked(blip(scene).refresh(tokens["refresh_token"]))
        listed = scene.fakes.items(ACCOUNTS, sort_key=f"SESSION#{token_hash(browser.cookies[COOKIE])}#WEB#")
        login_id = claims_of(tokens["id_token"])["sid"]
        assert [item["expires_at_s"] for item in listed if item["sk"].endswith(login_id)] == [int(scene.now_s) + 43_200]
        sign_out(browser, id_token_hint=tokens["id_token"])
        assert scene.status_of(tokens["access_token"]) == 401
