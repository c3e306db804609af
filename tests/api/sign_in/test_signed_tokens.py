"""Access and refresh tokens are signed JWTs, found by their hash. Source: auth-api 6, RFC 9068."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey

from chalicelib.access.call import Session, token_hash
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.sign_in.logins import RETRY_MS
from chalicelib.sign_in.ports import OidcLogin
from tests.api.sign_in.oidc_scene import BASE_URL, EMAIL, ISSUER, PASSWORD, USER_ID, Scene, error_of
from tests.fakes.oidc_app import App, claims_of, header_of
from tests.fakes.services import signing_key

OLD_ACCESS_TOKEN, OLD_REFRESH_TOKEN = "an-opaque-text", f"{'a' * 64}.another-one"


def encoded(value: Mapping[str, Any]) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def tokens(app: App) -> dict[str, Any]:
    """The first tokens of a login."""
    return app.tokens(EMAIL, PASSWORD)


@pytest.fixture
def login_of_earlier_version(scene: Scene) -> OidcLogin:
    """A login with the texts that versions before signed tokens issued."""
    login = OidcLogin(
        login_id="a" * 64,
        user_id=USER_ID,
        client_id="xdrip",
        scope="openid",
        signed_in_s=int(scene.now_s),
        expires_time_ms=scene.fakes.now_ms + 86_400_000,
        current_hashes=(token_hash(OLD_REFRESH_TOKEN),),
    )
    fields = {"user_id": USER_ID, "login_id": login.login_id, "expires_at_s": int(scene.now_s) + 86_400}
    item = fields | {
        "pk": f"OIDC#{login.login_id}",
        "sk": "OIDC",
        "client_id": "xdrip",
        "scope": "openid",
        "signed_in_s": login.signed_in_s,
        "expires_time_ms": login.expires_time_ms,
        "current": login.current_hashes,
        "previous": "",
        "rotated_time_ms": 0,
        "version": 1,
    }
    table = scene.fakes.engine.accounts
    table.put(item)
    table.put({"pk": f"USER#{USER_ID}", "sk": f"SESSION#{login.login_id}#OIDC", "expires_at_s": item["expires_at_s"]})
    session = Session(
        token_hash(OLD_ACCESS_TOKEN), USER_ID, False, scene.fakes.now_ms, scene.fakes.now_ms + 3_600_000, login.login_id
    )
    scene.fakes.sessions.add(session)
    return login


def test_both_tokens_are_signed_by_a_published_key_and_name_user_client_and_login(
    scene: Scene, app: App, tokens: dict[str, Any]
) -> None:
    published = scene.api.request("GET", f"{app.path}/protocol/openid-connect/certs").json()
    access = jwt.decode(tokens["access_token"], KeySet.import_key_set(published), algorithms=["RS256"])
    refresh = jwt.decode(tokens["refresh_token"], KeySet.import_key_set(published), algorithms=["RS256"])
    now_s, settings = int(scene.now_s), scene.fakes.settings
    login_id = claims_of(tokens["id_token"])["sid"]
    shared = {
        "iss": ISSUER,
        "sub": USER_ID,
        "azp": app.client_id,
        "sid": login_id,
        "session_state": login_id,
        "iat": now_s,
    }
    assert access.claims.items() >= (shared | {"aud": BASE_URL, "exp": now_s + tokens["expires_in"]}).items()
    assert access.claims["exp"] - now_s == settings.access_token_lifetime_s
    assert refresh.claims.items() >= (shared | {"aud": ISSUER}).items()
    assert refresh.claims["exp"] - now_s == tokens["refresh_expires_in"]
    kinds = [header_of(tokens[name])["typ"] for name in ("access_token", "refresh_token", "id_token")]
    assert kinds == ["at+jwt", "rt+jwt", "JWT"]
    assert "email" not in access.claims


def test_two_tokens_of_the_same_second_differ(app: App, tokens: dict[str, Any]) -> None:
    again = app.checked(app.refresh(tokens["refresh_token"]))
    assert again["access_token"] != tokens["access_token"]
    assert again["refresh_token"] != tokens["refresh_token"]


def test_a_request_with_an_access_token_verifies_no_signature(
    scene: Scene, tokens: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jws, "deserialize_compact", lambda *_, **__: pytest.fail("a signature was verified"))
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("a signature was verified"))
    assert scene.status_of(tokens["access_token"]) == 200
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert scene.api.request("GET", f"/v1/users/{USER_ID}/data_sets", **bearer).status == 200


class TestForgedTokens:
    """A token that only looks like one of ours opens nothing and ends nothing."""

    def _is_refused(self, scene: Scene, app: App, tokens: dict[str, Any], forged: str) -> None:
        assert scene.status_of(forged) == 401
        assert app.user_info(forged).status == 401
        assert error_of(app.refresh(forged)) == (401, "invalid_grant")
        assert app.post("revoke", {"token": forged, "client_id": app.client_id}).status == 200
        assert scene.status_of(tokens["access_token"]) == 200

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    @pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512"])
    def test_another_algorithm(self, scene: Scene, app: App, tokens: dict[str, Any], kind: str, algorithm: str) -> None:
        header = header_of(tokens[kind]) | {"alg": algorithm}
        _, payload, signature = tokens[kind].split(".")
        for last in ("", signature):
            self._is_refused(scene, app, tokens, f"{encoded(header)}.{payload}.{last}")

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_another_key(self, scene: Scene, app: App, tokens: dict[str, Any], kind: str) -> None:
        header, claims = header_of(tokens[kind]), claims_of(tokens[kind])
        self._is_refused(scene, app, tokens, jwt.encode(header, claims, RSAKey.generate_key(2048)))

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    @pytest.mark.parametrize(
        "changes", [{"sub": "0000000000"}, {"exp": 9_999_999_999}, {"sid": "b" * 64}, {"jti": "x"}, {"sid": 1}], ids=str
    )
    def test_changed_claims(
        self, scene: Scene, app: App, tokens: dict[str, Any], kind: str, changes: dict[str, Any]
    ) -> None:
        header, _, signature = tokens[kind].split(".")
        forged = f"{header}.{encoded(claims_of(tokens[kind]) | changes)}.{signature}"
        self._is_refused(scene, app, tokens, forged)

    @pytest.mark.parametrize("typ", ["at+jwt", "JWT"])
    def test_a_token_of_another_kind_with_the_login_of_a_refresh_token(
        self, scene: Scene, app: App, tokens: dict[str, Any], typ: str
    ) -> None:
        key = RSAKey.import_key(dict(signing_key()))
        claims = claims_of(tokens["refresh_token"]) | {"jti": "another"}
        self._is_refused(scene, app, tokens, jwt.encode({"alg": "RS256", "kid": key.kid, "typ": typ}, claims, key))

    def test_the_text_of_an_earlier_version_for_a_login_that_never_had_one(
        self, scene: Scene, app: App, tokens: dict[str, Any]
    ) -> None:
        self._is_refused(scene, app, tokens, f"{claims_of(tokens['refresh_token'])['sid']}.guess")

    @pytest.mark.parametrize("audience", [BASE_URL, "https://evil.example/realms/tidepool", ["x"]])
    def test_a_refresh_token_for_another_audience(
        self, scene: Scene, app: App, tokens: dict[str, Any], audience: Any
    ) -> None:
        key = RSAKey.import_key(dict(signing_key()))
        claims = claims_of(tokens["refresh_token"]) | {"aud": audience}
        self._is_refused(scene, app, tokens, jwt.encode(header_of(tokens["refresh_token"]), claims, key))


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "id_token"])
def test_a_token_is_good_in_its_own_place_only(scene: Scene, app: App, tokens: dict[str, Any], kind: str) -> None:
    token = tokens[kind]
    assert (scene.status_of(token) == 200) == (kind == "access_token")
    assert (app.user_info(token).status == 200) == (kind == "access_token")
    app.post("logout", {"id_token_hint": token})
    assert (scene.status_of(tokens["access_token"]) == 401) == (kind == "id_token")
    other = app.tokens(EMAIL, PASSWORD)
    assert (app.refresh(other[kind]).status == 200) == (kind == "refresh_token")


def test_an_issued_refresh_token_that_was_used_long_ago_ends_its_login(scene: Scene, app: App) -> None:
    stolen = app.tokens(EMAIL, PASSWORD)["refresh_token"]
    owners = app.checked(app.refresh(stolen))
    scene.pass_s(RETRY_MS / 1000)
    assert error_of(app.refresh(stolen)) == (401, "invalid_grant")
    assert scene.status_of(owners["access_token"]) == 401
    assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []


class TestTokensOfEarlierVersions:
    """Opaque texts stay valid to their end, and a refresh replaces them by signed tokens."""

    def test_they_are_valid_and_refreshed_to_signed_ones(
        self, scene: Scene, app: App, login_of_earlier_version: OidcLogin
    ) -> None:
        assert scene.status_of(OLD_ACCESS_TOKEN) == 200
        tokens = app.checked(app.refresh(OLD_REFRESH_TOKEN))
        assert claims_of(tokens["refresh_token"])["sid"] == login_of_earlier_version.login_id
        assert scene.status_of(OLD_ACCESS_TOKEN) == 200
        assert app.checked(app.refresh(tokens["refresh_token"]))

    def test_a_used_one_ends_its_login(self, scene: Scene, app: App, login_of_earlier_version: OidcLogin) -> None:
        tokens = app.checked(app.refresh(OLD_REFRESH_TOKEN))
        scene.pass_s(RETRY_MS / 1000)
        assert error_of(app.refresh(OLD_REFRESH_TOKEN)) == (401, "invalid_grant")
        assert scene.status_of(tokens["access_token"]) == 401

    @pytest.mark.parametrize("token", [OLD_ACCESS_TOKEN, OLD_REFRESH_TOKEN])
    def test_revoking_either_ends_the_login(
        self, scene: Scene, app: App, login_of_earlier_version: OidcLogin, token: str
    ) -> None:
        assert app.post("revoke", {"token": token, "client_id": "xdrip"}).status == 200
        assert scene.status_of(OLD_ACCESS_TOKEN) == 401
        assert app.refresh(OLD_REFRESH_TOKEN).status == 401

    def test_a_stored_login_is_known_as_one(self, scene: Scene, login_of_earlier_version: OidcLogin) -> None:
        found = scene.fakes.oidc_logins.find(login_of_earlier_version.login_id)
        assert found == replace(login_of_earlier_version, is_signed=False)
