"""Attacks with tokens: stolen, used, forged ones, and those of another kind. Source: RFC 9700."""

import base64
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ADDRESS
from chalicelib.sign_in.logins import MAX_RETRIES, RETRY_MS
from tests.api.sign_in.oidc_scene import EMAIL, ISSUER, PASSWORD, USER_ID, Scene, error_of
from tests.fakes.oidc_app import FORM, App, claims_of
from tests.fakes.services import signing_key


class TestRefreshTokens:
    """Only the last one is good; who comes with an older one ends the login."""

    def test_a_used_refresh_token_ends_the_login(self, scene: Scene, app: App) -> None:
        stolen = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        owners = app.checked(app.refresh(stolen))
        other_login = app.tokens(EMAIL, PASSWORD)
        scene.pass_s(RETRY_MS / 1000)
        assert error_of(app.refresh(stolen)) == (401, "invalid_grant")
        assert error_of(app.refresh(owners["refresh_token"])) == (401, "invalid_grant")
        assert scene.status_of(owners["access_token"]) == 401
        assert scene.status_of(other_login["access_token"]) == 200

    def test_a_refresh_token_before_the_last_ends_the_login(self, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        second = app.checked(app.refresh(first))["refresh_token"]
        third = app.checked(app.refresh(second))["refresh_token"]
        assert error_of(app.refresh(first)) == (401, "invalid_grant")
        assert error_of(app.refresh(third)) == (401, "invalid_grant")

    def test_a_refresh_may_be_repeated_after_a_lost_reply(self, scene: Scene, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        lost = app.checked(app.refresh(first))
        scene.pass_s(RETRY_MS / 1000 - 1)
        arrived = app.checked(app.refresh(first))
        assert app.checked(app.refresh(arrived["refresh_token"]))
        assert error_of(app.refresh(lost["refresh_token"])) == (401, "invalid_grant")

    def test_a_refresh_may_be_repeated_a_few_times(self, app: App) -> None:
        first = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        for _ in range(MAX_RETRIES):
            app.checked(app.refresh(first))
        assert error_of(app.refresh(first)) == (401, "invalid_grant")

    def test_the_refresh_token_of_another_client_is_refused(self, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        assert error_of(app.refresh(tokens["refresh_token"], client_id="aaps")) == (401, "invalid_grant")
        app.checked(app.refresh(tokens["refresh_token"]))

    def test_the_refresh_token_of_an_account_whose_deletion_was_cut_off_is_refused(
        self, scene: Scene, app: App
    ) -> None:
        refresh_token = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        scene.fakes.accounts.delete(scene.account, scene.fakes.now_ms)
        assert error_of(app.refresh(refresh_token)) == (401, "invalid_grant")

    @pytest.mark.parametrize("token", ["x", ".", "0" * 64, f"{'0' * 64}.x", "é" * 1000, "\0"])
    def test_a_text_that_is_no_refresh_token_is_refused(self, app: App, token: str) -> None:
        assert error_of(app.refresh(token)) == (401, "invalid_grant")

    def test_a_refresh_token_is_not_accepted_as_another_token(self, scene: Scene, app: App) -> None:
        token = app.tokens(EMAIL, PASSWORD)["refresh_token"]
        for candidate in (token, token.partition(".")[0], token.partition(".")[2], token.rpartition(".")[0]):
            assert scene.status_of(candidate) == 401
            assert app.user_info(candidate).status == 401

    def test_a_401_has_a_challenge(self, app: App) -> None:
        assert app.refresh("x").headers["www-authenticate"] == 'Bearer error="invalid_grant"'

    def test_revoking_another_client_s_token_does_nothing(self, scene: Scene, app: App) -> None:
        tokens = app.tokens(EMAIL, PASSWORD)
        for kind in ("access_token", "refresh_token"):
            assert app.post("revoke", {"token": tokens[kind], "client_id": "aaps"}).status == 200
        assert scene.status_of(tokens["access_token"]) == 200
        login_id = claims_of(tokens["refresh_token"])["sid"]
        assert app.post("revoke", {"token": f"{login_id}.guess", "client_id": "xdrip"}).status == 200
        assert scene.status_of(tokens["access_token"]) == 200


class TestTokenEndpoint:
    """Malformed forms, unknown clients, and too many of them."""

    def test_an_unknown_client_or_grant_is_refused(self, app: App) -> None:
        assert error_of(app.refresh("x", client_id="unknown")) == (400, "invalid_client")
        assert error_of(app.token_request({})) == (400, "invalid_client")
        password = {"grant_type": "password", "client_id": "xdrip", "username": EMAIL, "password": PASSWORD}
        assert error_of(app.token_request(password)) == (400, "unsupported_grant_type")

    @pytest.mark.parametrize("body", [b"\xff=1", b"&".join([b"a=1"] * 60), b"client_id=xdrip&client_id=aaps"])
    def test_a_body_that_is_not_a_form_is_refused(self, scene: Scene, app: App, body: bytes) -> None:
        reply = scene.send("POST", "/realms/tidepool/protocol/openid-connect/token", body, FORM)
        assert error_of(reply) == (400, "invalid_request")

    def test_a_large_form_is_refused(self, scene: Scene) -> None:
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
    """An ID token is believed when it was signed here, by the one algorithm."""

    @pytest.fixture
    def tokens(self, app: App) -> dict[str, str]:
        return app.tokens(EMAIL, PASSWORD)

    def _ends_nothing(self, scene: Scene, app: App, tokens: dict[str, str], hint: str) -> None:
        reply = app.post("logout", {"id_token_hint": hint})
        assert reply.status == 200
        assert scene.status_of(tokens["access_token"]) == 200

    def test_an_id_token_without_a_signature_is_refused(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
        payload = tokens["id_token"].split(".")[1]
        for algorithm in ("none", "None", "NONE"):
            header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
            self._ends_nothing(scene, app, tokens, f"{header}.{payload}.")

    def test_an_id_token_signed_with_the_public_key_as_a_secret_is_refused(
        self, scene: Scene, app: App, tokens: dict[str, str]
    ) -> None:
        secret = RSAKey.import_key(signing_key()).as_pem(private=False)
        header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": signing_key()["kid"]}).encode())
        signed = b".".join([header.rstrip(b"="), tokens["id_token"].split(".")[1].encode()])
        signature = base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
        forged = b".".join([signed, signature]).decode()
        self._ends_nothing(scene, app, tokens, forged)

    def test_an_id_token_signed_with_another_key_is_refused(
        self, scene: Scene, app: App, tokens: dict[str, str]
    ) -> None:
        claims = {"sub": USER_ID, "aud": "xdrip", "iss": ISSUER, "sid": claims_of(tokens["refresh_token"])["sid"]}
        for kid in ({"kid": signing_key()["kid"]}, {"kid": "another"}, {}):
            forged = jwt.encode({"alg": "RS256", **kid}, claims, RSAKey.generate_key(2048))
            self._ends_nothing(scene, app, tokens, forged)

    def test_a_text_that_is_no_id_token_is_refused(self, scene: Scene, app: App, tokens: dict[str, str]) -> None:
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
