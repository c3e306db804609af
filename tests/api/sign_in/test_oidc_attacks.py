"""What must not work: codes for others, open redirects, forged forms, stolen and used tokens. Source: RFC 9700."""

import base64
import hmac
import io
import json

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ACCOUNT, MAX_FAILURES_PER_ADDRESS
from chalicelib.sign_in.form_token import FORM_LIFETIME_S
from chalicelib.sign_in.logins import CODE_LIFETIME_S, MAX_RETRIES, RETRY_MS
from tests.api.conftest import ApiClient
from tests.api.sign_in.oidc_scene import BASE_URL, EMAIL, PASSWORD, USER_ID, Scene
from tests.fakes.oidc import signing_key
from tests.fakes.oidc_app import FORM, App, ReplyLike, alert_of, hidden_fields, query_of
from tests.fakes.services import FakeServices

AUTH_PATH = "/realms/tidepool/protocol/openid-connect/auth"


@pytest.fixture
def scene(api: ApiClient, fakes: FakeServices) -> Scene:
    return Scene(api, fakes)


@pytest.fixture
def app(scene: Scene) -> App:
    return scene.app()


def error_of(reply: ReplyLike) -> tuple[int, str]:
    """Status and code of a refusal, which no cache may keep."""
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json().keys() == {"error", "error_description"}
    return reply.status, reply.json()["error"]


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
        assert scene.fakes.oidc_logins.by_id == {}

    def test_a_second_address_is_refused(self, scene: Scene, app: App) -> None:
        reply = scene.browser().get(f"{app.page_path()}&redirect_uri=https%3A%2F%2Fevil.example")
        assert (reply.status, "location" in reply.headers) == (400, False)

    def test_nor_after_signing_out(self, app: App) -> None:
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

    def test_no_token_no_sign_in(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        self._is_asked_again(scene, browser.post(AUTH_PATH, {k: v for k, v in fields.items() if k != "form_token"}))
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"form_token": "9999999999.00"}))
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"form_token": "é.x"}))

    def test_another_browser_s_token_is_none(self, scene: Scene, app: App) -> None:
        attackers, victims = scene.browser(), scene.browser()
        fields = hidden_fields(attackers.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        self._is_asked_again(scene, victims.post(AUTH_PATH, fields))
        victims.get(app.page_path())
        self._is_asked_again(scene, victims.post(AUTH_PATH, fields))

    def test_another_request_s_token_is_none(self, scene: Scene, app: App) -> None:
        browser, other = scene.browser(), scene.app()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        challenge = other.parameters()["code_challenge"]
        self._is_asked_again(scene, browser.post(AUTH_PATH, fields | {"code_challenge": challenge}))

    def test_an_old_page_is_asked_for_again_and_then_works(self, scene: Scene, app: App) -> None:
        browser = scene.browser()
        fields = hidden_fields(browser.get(app.page_path()).body) | {"username": EMAIL, "password": PASSWORD}
        scene.pass_s(FORM_LIFETIME_S)
        reply = browser.post(AUTH_PATH, fields)
        self._is_asked_again(scene, reply)
        again = hidden_fields(reply.body) | {"username": EMAIL, "password": PASSWORD}
        assert app.returned(browser.post(AUTH_PATH, again))["code"]

    def test_two_pages_in_one_browser_both_work(self, scene: Scene, app: App) -> None:
        browser, other = scene.browser(), scene.app("aaps")
        pages = [(each, hidden_fields(browser.get(each.page_path()).body)) for each in (app, other)]
        for each, fields in pages:
            assert each.returned(browser.post(AUTH_PATH, fields | {"username": EMAIL, "password": PASSWORD}))["code"]

    def test_the_cookie_is_for_this_site_and_no_script(self, scene: Scene, app: App) -> None:
        cookie = scene.browser().get(app.page_path()).headers["set-cookie"]
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-strandline-sign-in=")
        assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/"} <= set(attributes)

    def _is_asked_again(self, scene: Scene, reply: ReplyLike) -> None:
        assert (reply.status, "location" in reply.headers) == (400, False)
        assert "open for too long" in alert_of(reply.body)
        assert PASSWORD not in reply.body.decode()
        assert scene.fakes.oidc_logins.by_id == {}
        assert scene.fakes.passwords.verified == []  # and nobody can guess passwords this way


class TestPasswords:
    """Wrong ones, and who may not sign in."""

    def test_unknown_user_and_wrong_password_are_told_alike(self, scene: Scene, app: App) -> None:
        wrong, unknown = app.sign_in(EMAIL, "wrong"), app.sign_in("nobody@example.org", "wrong")
        assert (wrong.status, unknown.status) == (401, 401)
        assert alert_of(wrong.body) == alert_of(unknown.body) == "E-mail address or password is wrong."
        assert len(scene.fakes.passwords.verified) == 2  # each took the time of a comparison

    def test_an_unverified_address_is_told_to_its_owner_only(self, scene: Scene, app: App) -> None:
        scene.change_account(email_verified=False)
        assert app.sign_in(EMAIL, "wrong").status == 401
        reply = app.sign_in(EMAIL, PASSWORD)
        assert (reply.status, "not been verified" in alert_of(reply.body)) == (403, True)

    def test_nobody_signs_in_to_a_custodial_account(self, scene: Scene, app: App) -> None:
        scene.change_account(roles=("custodial_account", "patient"))
        assert app.sign_in(EMAIL, PASSWORD).status == 401

    def test_guessing_is_stopped_and_the_owner_comes_in_later(self, scene: Scene, app: App) -> None:
        statuses = [app.sign_in(EMAIL, f"guess {n}").status for n in range(MAX_FAILURES_PER_ACCOUNT + 1)]
        assert statuses == [401] * MAX_FAILURES_PER_ACCOUNT + [429]
        locked = app.sign_in(EMAIL, PASSWORD)
        assert locked.status == 429
        assert "locked for now: please try again in 15 min" in alert_of(locked.body)
        scene.pass_s(int(locked.headers["retry-after"]))
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
    def test_a_code_is_of_no_use_to_others(self, scene: Scene, app: App, changes: dict[str, str]) -> None:
        code = scene.code(app)
        assert error_of(app.exchange(**({"code": code} | changes))) == (400, "invalid_grant")
        app.checked(app.exchange(code))  # and remains so to its owner

    @pytest.mark.parametrize("missing", ["code_verifier", "redirect_uri", "code", "grant_type"])
    def test_all_fields_are_needed(self, scene: Scene, app: App, missing: str) -> None:
        assert error_of(app.exchange(**({"code": scene.code(app)} | {missing: ""}))) == (400, "invalid_request")

    def test_a_code_is_good_for_a_minute(self, scene: Scene, app: App) -> None:
        code = scene.code(app)
        scene.pass_s(CODE_LIFETIME_S)
        assert error_of(app.exchange(code)) == (400, "invalid_grant")

    @pytest.mark.parametrize("later_s", [0, 3600])
    def test_a_code_that_comes_twice_ends_what_it_gave(self, scene: Scene, app: App, later_s: int) -> None:
        code = scene.code(app)
        tokens = app.checked(app.exchange(code))
        renewed = app.checked(app.refresh(tokens["refresh_token"]))
        scene.pass_s(later_s)
        assert error_of(app.exchange(code)) == (400, "invalid_grant")
        assert scene.status_of(renewed["access_token"]) == 401
        assert error_of(app.refresh(renewed["refresh_token"])) == (401, "invalid_grant")

    def test_a_code_stands_for_nothing_else(self, scene: Scene, app: App) -> None:
        code = scene.code(app)
        assert scene.status_of(code) == 401
        assert app.user_info(code).status == 401
        assert error_of(app.refresh(f"{code}.{code}")) == (401, "invalid_grant")


class TestRefreshTokens:
    """Only the last one is good; who comes with an older one ends the login."""

    def test_a_used_one_ends_the_login_for_everybody(self, scene: Scene, app: App) -> None:
        stolen = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        owners = app.checked(app.refresh(stolen))
        other_login = app.tokens(EMAIL, PASSWORD)
        scene.pass_s(RETRY_MS / 1000)
        assert error_of(app.refresh(stolen)) == (401, "invalid_grant")
        assert error_of(app.refresh(owners["refresh_token"])) == (401, "invalid_grant")
        assert scene.status_of(owners["access_token"]) == 401
        assert scene.status_of(other_login["access_token"]) == 200

    def test_so_does_one_from_before_the_last(self, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        second = app.checked(app.refresh(first))["refresh_token"]
        third = app.checked(app.refresh(second))["refresh_token"]
        assert error_of(app.refresh(first)) == (401, "invalid_grant")
        assert error_of(app.refresh(third)) == (401, "invalid_grant")

    def test_a_lost_answer_may_be_asked_for_again(self, scene: Scene, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        lost = app.checked(app.refresh(first))
        scene.pass_s(RETRY_MS / 1000 - 1)
        arrived = app.checked(app.refresh(first))
        assert app.checked(app.refresh(arrived["refresh_token"]))
        assert error_of(app.refresh(lost["refresh_token"])) == (401, "invalid_grant")

    def test_and_again_a_few_times(self, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        for _ in range(MAX_RETRIES):
            app.checked(app.refresh(first))
        assert error_of(app.refresh(first)) == (401, "invalid_grant")

    def test_another_client_s_is_refused(self, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        assert error_of(app.refresh(tokens["refresh_token"], client_id="aaps")) == (401, "invalid_grant")
        app.checked(app.refresh(tokens["refresh_token"]))

    @pytest.mark.parametrize("token", ["x", ".", "0" * 64, f"{'0' * 64}.x", "é" * 1000, "\0"])
    def test_what_is_none_is_refused(self, app: App, token: str) -> None:
        assert error_of(app.refresh(token)) == (401, "invalid_grant")

    def test_it_stands_for_nothing_else(self, scene: Scene, app: App) -> None:
        token = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        for candidate in (token, token.partition(".")[0], token.partition(".")[2]):
            assert scene.status_of(candidate) == 401
            assert app.user_info(candidate).status == 401

    def test_a_refusal_carries_the_challenge_that_a_401_has_to(self, app: App) -> None:
        assert app.refresh("x").headers["www-authenticate"] == 'Bearer error="invalid_grant"'

    def test_revoking_another_client_s_token_does_nothing(self, scene: Scene, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        for kind in ("access_token", "refresh_token"):
            assert app.post("revoke", {"token": tokens[kind], "client_id": "aaps"}).status == 200
        assert scene.status_of(tokens["access_token"]) == 200
        login_id = tokens["refresh_token"].partition(".")[0]
        assert app.post("revoke", {"token": f"{login_id}.guess", "client_id": "xdrip"}).status == 200
        assert scene.status_of(tokens["access_token"]) == 200


class TestTokenEndpoint:
    """Forms that are none, clients that are none, and too many of them."""

    def test_an_unknown_client_or_grant_is_refused(self, app: App) -> None:
        assert error_of(app.refresh("x", client_id="unknown")) == (400, "invalid_client")
        assert error_of(app.token_request({})) == (400, "invalid_client")
        password = {"grant_type": "password", "client_id": "xdrip", "username": EMAIL, "password": PASSWORD}
        assert error_of(app.token_request(password)) == (400, "unsupported_grant_type")

    @pytest.mark.parametrize("body", [b"\xff=1", b"&".join([b"a=1"] * 60), b"client_id=xdrip&client_id=aaps"])
    def test_what_is_no_form_is_refused(self, scene: Scene, app: App, body: bytes) -> None:
        reply = scene.send("POST", "/realms/tidepool/protocol/openid-connect/token", body, FORM)
        assert error_of(reply) == (400, "invalid_request")

    def test_so_is_what_is_large(self, scene: Scene) -> None:
        for endpoint in ("token", "auth", "revoke", "logout"):
            path = f"/realms/tidepool/protocol/openid-connect/{endpoint}"
            assert scene.send("POST", path, b"a=" + b"x" * 16384, FORM).status == 413

    def test_too_many_refusals_from_one_address_are_slowed_down(self, scene: Scene, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        statuses = [app.refresh("x").status for _ in range(MAX_FAILURES_PER_ADDRESS + 1)]
        assert statuses == [401] * MAX_FAILURES_PER_ADDRESS + [429]
        app.checked(app.refresh(tokens["refresh_token"]))  # who has a good token is not bothered
        assert app.returned(app.sign_in(EMAIL, PASSWORD))["code"]  # nor who signs in


class TestIdTokens:
    """What an ID token says is believed when it was signed here, by the one algorithm."""

    @pytest.fixture
    def tokens(self, app: App) -> dict[str, str]:
        return app.tokens(EMAIL, PASSWORD)

    def _ends_nothing(self, scene: Scene, app: App, tokens: dict[str, str], hint: str) -> None:
        reply = app.post("logout", {"id_token_hint": hint})
        assert reply.status == 200
        assert scene.status_of(tokens["access_token"]) == 200

    def test_alg_none_is_nothing(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
        payload = tokens["id_token"].split(".")[1]
        for algorithm in ("none", "None", "NONE"):
            header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
            self._ends_nothing(scene, app, tokens, f"{header}.{payload}.")

    def test_nor_is_one_signed_with_the_public_key_as_a_password(
        self, scene: Scene, app: App, tokens: dict[str, str]
    ) -> None:
        secret = RSAKey.import_key(signing_key()).as_pem(private=False)
        header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": signing_key()["kid"]}).encode())
        signed = b".".join([header.rstrip(b"="), tokens["id_token"].split(".")[1].encode()])
        signature = base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
        forged = b".".join([signed, signature]).decode()
        self._ends_nothing(scene, app, tokens, forged)

    def test_nor_one_signed_with_another_key(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
        claims = {"sub": USER_ID, "aud": "xdrip", "sid": tokens["refresh_token"].partition(".")[0]}
        for kid in ({"kid": signing_key()["kid"]}, {"kid": "another"}, {}):
            forged = jwt.encode({"alg": "RS256", **kid}, claims, RSAKey.generate_key(2048))
            self._ends_nothing(scene, app, tokens, forged)

    def test_nor_what_is_no_token(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
        for hint in ("x", "a.b.c", tokens["id_token"][:-4], "é"):
            self._ends_nothing(scene, app, tokens, hint)

    def test_an_id_token_is_no_access_token(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
        assert scene.status_of(tokens["id_token"]) == 401
        assert error_of(app.user_info(tokens["id_token"])) == (401, "invalid_token")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer x", "Basic {token}", "{token}"])
def test_user_info_needs_a_valid_bearer_token(scene: Scene, app: App, authorization: str) -> None:
    token = app.tokens(EMAIL, PASSWORD)["access_token"]
    path = "/realms/tidepool/protocol/openid-connect/userinfo"
    reply = scene.send("GET", path, None, {"Authorization": authorization.format(token=token)})
    assert error_of(reply) == (401, "invalid_token")
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_user_info_refuses_tokens_of_servers(scene: Scene, app: App) -> None:
    assert app.user_info(scene.fakes.sign_in("server", is_server=True)).status == 401


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
