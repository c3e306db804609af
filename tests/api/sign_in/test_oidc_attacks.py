"""Tests attacks: codes of others, open redirects, forged forms, stolen and used tokens. Source: RFC 9700."""

import io
import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from chalice.local import LambdaEventConverter

from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ACCOUNT, SOURCE_LIFETIME_S
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.sign_in.form_token import FORM_LIFETIME_S
from chalicelib.sign_in.logins import CODE_LIFETIME_S
from tests.api.sign_in.oidc_scene import BASE_URL, EMAIL, PASSWORD, Scene, error_of
from tests.fakes.oidc_app import App, ReplyLike, alert_of, hidden_fields, query_of

AUTH_PATH = "/realms/tidepool/protocol/openid-connect/auth"


class TestRedirects:
    """The only addresses that anyone is sent to are those of the client."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": "xdrip://callback/tidepool/"},
            {"redirect_uri": "xdrip://callback/tidepool?more=1"},
            {"redirect_uri": "XDRIP://callback/tidepool"},
            {"redirect_uri": "aaps://callback/tidepool"},
            {"redirect_uri": ""},
            {"redirect_uri": None},
            {"client_id": "unknown"},
            {"client_id": ""},
            {"client_id": None},
        ],
        ids=str,
    )
    def test_any_other_address_gets_a_page_and_nothing_is_sent_there(
        self, scene: Scene, app: App, changes: dict[str, str | None]
    ) -> None:
        # An error that could be told to the app must not lead there either.
        for more in ({}, {"response_type": "token"}, {"prompt": "none"}):
            reply = scene.browser().get(app.page_path(**changes, **more))
            assert (reply.status, "location" in reply.headers) == (400, False)
            assert "not known" in alert_of(reply.body) or "not its own" in alert_of(reply.body)
            assert hidden_fields(reply.body) == {}

    def test_the_form_cannot_change_the_address(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        reply = browser.post(AUTH_PATH, fields | {"redirect_uri": "https://evil.example/callback"})
        assert (reply.status, "location" in reply.headers) == (400, False)
        assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []

    def test_a_second_address_is_refused(self, scene: Scene, app: App) -> None:
        reply = scene.browser().get(f"{app.page_path()}&redirect_uri=https%3A%2F%2Fevil.example")
        assert (reply.status, "location" in reply.headers) == (400, False)

    def test_no_foreign_redirect_after_signing_out(self, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        fields = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://evil.example"}
        reply = app.post("logout", fields)
        assert ("location" in reply.headers, error_of(reply)) == (False, (400, "invalid_request"))

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"scope": "email"}, "invalid_scope"),
            ({"scope": None}, "invalid_scope"),
            ({"prompt": "none"}, "login_required"),
            ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
            ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
            ({"nonce": "n" * 1025}, "invalid_request"),
        ],
        ids=str,
    )
    def test_a_wrong_request_is_told_to_the_app(
        self, scene: Scene, app: App, changes: dict[str, str | None], error: str
    ) -> None:
        reply = scene.browser().get(app.page_path(**changes))
        assert reply.headers["location"].startswith("xdrip://callback/tidepool?")
        answer = {name: values[0] for name, values in query_of(reply).items()}
        assert (reply.status, answer["error"], answer["state"]) == (303, error, app.state)
        assert answer["iss"] == f"{BASE_URL}/realms/tidepool"
        assert "code" not in answer

    def test_a_parameter_that_is_sent_twice_is_refused(self, scene: Scene, app: App) -> None:
        reply = scene.browser().get(f"{app.page_path()}&scope=openid")
        assert query_of(reply)["error"] == ["invalid_request"]


class TestForms:
    """A form is good in the browser that got it, for the app that it was made for, for a while."""

    def test_a_form_without_its_token_does_not_sign_in(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        self._is_asked_again(scene, browser.post(AUTH_PATH, {k: v for k, v in fields.items() if k != "form_token"}))
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"form_token": "9999999999.00"}))
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"form_token": "é.x"}))

    def test_the_form_token_of_another_browser_is_refused(self, scene: Scene, app: App) -> None:
        attackers, victims = scene.browser(), scene.browser()
        fields = hidden_fields(attackers.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        self._is_asked_again(scene, victims.post(AUTH_PATH, fields))
        victims.get(app.page_path())
        self._is_asked_again(scene, victims.post(AUTH_PATH, fields))

    def test_the_form_token_of_another_request_is_refused(self, scene: Scene, app: App) -> None:
        browser, other = scene.browser(), scene.app()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        challenge = other.parameters()["code_challenge"]
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"code_challenge": challenge}))

    def test_an_expired_page_is_shown_again_and_then_works(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        scene.pass_s(FORM_LIFETIME_S)
        reply = browser.post(AUTH_PATH, fields)
        self._is_asked_again(scene, reply)
        again = hidden_fields(reply.body) | {"username": EMAIL, "password": PASSWORD}
        assert app.returned(browser.post(AUTH_PATH, again))["code"]

    def test_two_pages_in_one_browser_both_work(self, scene: Scene, app: App) -> None:
        browser, other = scene.browser(), scene.app("aaps")
        pages = [(client, hidden_fields(browser.get(client.page_path()).body)) for client in (app, other)]
        for client, fields in pages:
            assert client.returned(browser.post(AUTH_PATH, fields | {"username": EMAIL, "password": PASSWORD}))["code"]

    def test_the_cookie_is_same_site_and_hidden_from_scripts(self, scene: Scene, app: App) -> None:
        cookie = scene.browser().get(app.page_path()).headers["set-cookie"]
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-strandline-sign-in=")
        assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/"} <= set(attributes)

    def _is_asked_again(self, scene: Scene, reply: ReplyLike) -> None:
        assert (reply.status, "location" in reply.headers) == (400, False)
        assert "open for too long" in alert_of(reply.body)
        assert PASSWORD not in reply.body.decode()
        assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []
        assert scene.fakes.passwords.verified == []  # and nobody can guess passwords this way


class TestPasswords:
    """Wrong ones, and who may not sign in."""

    def test_an_unknown_user_and_a_wrong_password_get_the_same_error(self, scene: Scene, app: App) -> None:
        wrong, unknown = app.sign_in(EMAIL, "wrong"), app.sign_in("nobody@example.org", "wrong")
        assert (wrong.status, unknown.status) == (401, 401)
        assert alert_of(wrong.body) == alert_of(unknown.body) == "E-mail address or password is wrong."
        assert len(scene.fakes.passwords.verified) == 2  # each took the time of a comparison

    def test_an_unverified_address_is_reported_only_with_the_right_password(self, scene: Scene, app: App) -> None:
        scene.change_account(email_verified=False)
        assert app.sign_in(EMAIL, "wrong").status == 401
        reply = app.sign_in(EMAIL, PASSWORD)
        assert (reply.status, "not been verified" in alert_of(reply.body)) == (403, True)

    def test_nobody_signs_in_to_a_custodial_account(self, scene: Scene, app: App) -> None:
        scene.change_account(roles=("custodial_account", "patient"))
        assert app.sign_in(EMAIL, PASSWORD).status == 401

    def test_password_guessing_is_stopped_and_the_owner_can_sign_in_later(self, scene: Scene, app: App) -> None:
        statuses = [app.sign_in(EMAIL, f"guess {n}").status for n in range(MAX_FAILURES_PER_ACCOUNT + 1)]
        assert statuses == [401] * MAX_FAILURES_PER_ACCOUNT + [429]
        locked = app.sign_in(EMAIL, PASSWORD)
        assert locked.status == 429
        assert "locked for now: please try again in 15 min" in alert_of(locked.body)
        scene.pass_s(int(locked.headers["retry-after"]))
        assert app.returned(app.sign_in(EMAIL, PASSWORD))["code"]


class TestOthersGuess:
    """Others who guess a password keep its owner neither out nor in the dark."""

    def guess_here(self, app: App, times: int) -> list[int]:
        """The statuses of wrong passwords from the test's own address, each in a browser of its own."""
        return [app.sign_in(EMAIL, f"guess {number}").status for number in range(times)]

    def test_a_known_browser_gets_past_guesses_at_the_same_address(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        assert app.returned(app.sign_in(EMAIL, PASSWORD, browser))["code"]
        assert self.guess_here(app, MAX_FAILURES_PER_ACCOUNT + 1)[-1] == 429
        assert app.sign_in(EMAIL, PASSWORD).status == 429
        assert app.returned(app.sign_in(EMAIL, PASSWORD, browser))["code"]

    def test_a_known_browser_has_a_limit_too(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        app.sign_in(EMAIL, PASSWORD, browser)
        self.guess_here(app, MAX_FAILURES_PER_ACCOUNT)
        statuses = [app.sign_in(EMAIL, "guess", browser).status for _ in range(MAX_FAILURES_PER_ACCOUNT + 1)]
        assert statuses == [401] * MAX_FAILURES_PER_ACCOUNT + [429]

    def test_a_browser_is_known_for_its_account_alone(self, scene: Scene, app: App) -> None:
        other = replace(scene.account, user_id="aaaaaaaaaa", email="ben@example.org")
        scene.fakes.accounts.create(other)
        browser = scene.browser()
        assert app.returned(app.sign_in("ben@example.org", PASSWORD, browser))["code"]
        self.guess_here(app, MAX_FAILURES_PER_ACCOUNT)
        assert app.sign_in(EMAIL, PASSWORD, browser).status == 429

    def test_the_cookie_of_a_known_browser_is_kept_from_scripts_and_signs_nobody_in(
        self, scene: Scene, app: App
    ) -> None:
        browser = scene.browser()
        cookie = app.sign_in(EMAIL, PASSWORD, browser).headers["set-cookie"].splitlines()[0]
        assert cookie.startswith("__Host-strandline-known=")
        assert cookie.endswith(f"; Path=/; Max-Age={SOURCE_LIFETIME_S}; HttpOnly; SameSite=Lax; Secure")
        assert app.sign_in(EMAIL, "wrong", browser).status == 401

    def test_the_person_sees_failed_sign_ins_on_the_way_to_the_app(
        self, scene: Scene, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", "192.0.2.7")
            self.guess_here(app, 2)
        page = app.sign_in(EMAIL, PASSWORD)
        assert (page.status, page.headers["cache-control"]) == (200, "no-store")
        assert "2 sign-ins to your account failed elsewhere" in alert_of(page.body)
        found = re.search(r'<a href="([^"]*)">Continue to xDrip\+</a>', page.body.decode())
        assert found is not None
        location = unescape(found[1])
        assert location.startswith("xdrip://callback/tidepool?")
        assert app.checked(app.exchange(parse_qs(urlsplit(location).query)["code"][0]))
        assert app.returned(app.sign_in(EMAIL, PASSWORD))["code"]


class TestCodes:
    """A code is good once, for a minute, for who asked for it."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"code_verifier": "x" * 43},
            {"code_verifier": "short"},
            {"redirect_uri": "aaps://callback/tidepool"},
            {"client_id": "aaps"},
            {"code": "unknown"},
        ],
        ids=str,
    )
    def test_a_code_works_only_for_its_client(self, scene: Scene, app: App, changes: dict[str, str]) -> None:
        code = scene.code(app)
        assert error_of(app.exchange(**({"code": code} | changes))) == (400, "invalid_grant")
        app.checked(app.exchange(code))  # and remains so to its owner

    @pytest.mark.parametrize("missing", ["code_verifier", "redirect_uri", "code", "grant_type"])
    def test_all_fields_are_needed(self, scene: Scene, app: App, missing: str) -> None:
        assert error_of(app.exchange(**({"code": scene.code(app)} | {missing: ""}))) == (400, "invalid_request")

    def test_a_code_expires_after_a_minute(self, scene: Scene, app: App) -> None:
        code = scene.code(app)
        scene.pass_s(CODE_LIFETIME_S)
        assert error_of(app.exchange(code)) == (400, "invalid_grant")

    @pytest.mark.parametrize("later_s", [0, 3600])
    def test_a_second_use_of_a_code_ends_its_login(self, scene: Scene, app: App, later_s: int) -> None:
        code = scene.code(app)
        tokens = app.checked(app.exchange(code))
        renewed = app.checked(app.refresh(tokens["refresh_token"]))
        scene.pass_s(later_s)
        assert error_of(app.exchange(code)) == (400, "invalid_grant")
        assert scene.status_of(renewed["access_token"]) == 401
        assert error_of(app.refresh(renewed["refresh_token"])) == (401, "invalid_grant")

    def test_a_code_is_not_accepted_as_a_token(self, scene: Scene, app: App) -> None:
        code = scene.code(app)
        assert scene.status_of(code) == 401
        assert app.user_info(code).status == 401
        assert error_of(app.refresh(f"{code}.{code}")) == (401, "invalid_grant")


def test_the_log_has_no_token_code_or_address(scene: Scene, app: App, log: io.StringIO) -> None:
    code = scene.code(app)
    tokens = app.checked(app.exchange(code))
    app.refresh(tokens["refresh_token"])
    app.sign_in(EMAIL, "wrong")
    app.post("revoke", {"token": tokens["access_token"], "client_id": app.client_id})
    written = log.getvalue()
    assert "oidc.tokens" in written
    secrets = (code, *(tokens[name] for name in ("access_token", "refresh_token", "id_token")), EMAIL, app.state)
    assert [secret for secret in secrets if secret in written] == []
