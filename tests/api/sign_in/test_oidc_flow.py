"""Signing in by OpenID Connect, as each app does it. Source: auth-api 6, clients 2, 3, 4 and 5."""

from dataclasses import replace

import pytest

from chalicelib import services as wiring
from chalicelib.engine.definitions import ACCOUNTS
from tests.api.conftest import ApiClient
from tests.api.sign_in.oidc_scene import BASE_URL, CLIENT_IDS, EMAIL, ISSUER, PASSWORD, USER_ID, Scene
from tests.fakes.oidc_app import Browser, header_of, hidden_fields
from tests.fakes.services import FakeServices


@pytest.fixture(params=CLIENT_IDS)
def client_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_app_gets_the_tokens_and_claims_that_it_reads(scene: Scene, client_id: str) -> None:
    app = scene.app(client_id)
    tokens = app.tokens(EMAIL, PASSWORD)
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == app.scope
    assert tokens["expires_in"] == scene.fakes.settings.access_token_lifetime_s
    assert tokens["refresh_expires_in"] == scene.fakes.settings.refresh_token_lifetime_s
    assert tokens["refresh_token"]  # aaps counts on it without having asked for offline_access (clients 4)
    claims = app.claims(tokens, scene.now_s)
    assert claims["iss"] == ISSUER
    assert claims["auth_time"] == int(scene.now_s)
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (USER_ID, EMAIL, True)
    assert ("nonce" in claims) == (app.nonce is not None)


def test_the_access_token_is_valid_as_session_token_and_as_bearer_token(scene: Scene, client_id: str) -> None:
    app = scene.app(client_id)
    token = app.tokens(EMAIL, PASSWORD)["access_token"]
    user = scene.api.request("GET", "/auth/user", token=token).json()
    assert user["userid"] == USER_ID
    bearer = scene.api.request("GET", f"/v1/users/{USER_ID}/data_sets", Authorization=f"Bearer {token}")
    assert bearer.status == 200
    info = app.user_info(token)
    assert (info.status, info.json()) == (200, {"sub": USER_ID, "email": EMAIL, "email_verified": True})
    by_post = app.post("userinfo", {}, Authorization=f"Bearer {token}")
    assert by_post.json() == info.json()


def test_a_refresh_gives_new_tokens_and_ends_the_old_refresh_token(scene: Scene, client_id: str) -> None:
    app = scene.app(client_id)
    first = app.tokens(EMAIL, PASSWORD)
    scene.pass_s(first["expires_in"])
    assert scene.status_of(first["access_token"]) == 401
    second = app.checked(app.refresh(first["refresh_token"]))
    claims = app.claims(second, scene.now_s, is_first=False)
    assert claims["sub"] == USER_ID
    assert claims["auth_time"] == int(scene.now_s) - first["expires_in"]
    assert "nonce" not in claims
    assert second["scope"] == app.scope
    assert scene.status_of(second["access_token"]) == 200
    assert app.checked(app.refresh(second["refresh_token"]))


def test_a_login_lasts_as_long_as_it_is_refreshed(scene: Scene) -> None:
    app = scene.app()
    token = app.tokens(EMAIL, PASSWORD)["refresh_token"]
    for _ in range(3):
        scene.pass_s(scene.fakes.settings.refresh_token_lifetime_s - 1)
        token = app.checked(app.refresh(token))["refresh_token"]
    scene.pass_s(scene.fakes.settings.refresh_token_lifetime_s)
    assert app.refresh(token).status == 401


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_login(scene: Scene, client_id: str, kind: str) -> None:
    app = scene.app(client_id)
    tokens = app.tokens(EMAIL, PASSWORD)
    other = scene.app().tokens(EMAIL, PASSWORD)
    fields = {"token": tokens[kind], "token_type_hint": kind, "client_id": client_id}
    assert app.post("revoke", fields).status == 200
    assert scene.status_of(tokens["access_token"]) == 401
    assert app.refresh(tokens["refresh_token"]).status == 401
    assert scene.status_of(other["access_token"]) == 200
    assert app.post("revoke", fields).status == 200  # repeating it is not an error


def test_signing_out_by_the_auth_api_ends_the_refresh_token_too(scene: Scene) -> None:
    app = scene.app("tidepool-uploader-sso")
    tokens = app.tokens(EMAIL, PASSWORD)
    assert scene.api.request("POST", "/auth/logout", token=tokens["access_token"]).status == 200
    assert app.refresh(tokens["refresh_token"]).status == 401


def test_ending_all_sessions_ends_logins_and_codes(scene: Scene) -> None:
    app = scene.app()
    tokens, code = app.tokens(EMAIL, PASSWORD), scene.code(app)
    server = scene.fakes.sign_in("server", is_server=True)
    assert scene.api.request("DELETE", f"/auth/user/{USER_ID}/sessions", token=server).status == 204
    assert app.refresh(tokens["refresh_token"]).status == 401
    assert app.exchange(code).status == 400
    assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []


def test_a_deleted_account_leaves_no_login(scene: Scene) -> None:
    app = scene.app()
    tokens = app.tokens(EMAIL, PASSWORD)
    body = {"password": PASSWORD}
    assert scene.api.request("DELETE", f"/auth/user/{USER_ID}", body, token=tokens["access_token"]).status == 204
    assert app.refresh(tokens["refresh_token"]).status == 401
    assert scene.fakes.items(ACCOUNTS, partition="OIDC#") == []
    assert scene.fakes.items(ACCOUNTS, sort_key="SESSION") == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ending_a_session_redirects_the_user_to_the_app(scene: Scene, method: str) -> None:
    app = scene.app("tidepool-uploader-sso")
    tokens = app.tokens(EMAIL, PASSWORD)
    scene.pass_s(tokens["expires_in"] * 2)  # an ID token tells who is to be signed out even when it is over
    fields = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": app.redirect_uri, "state": "s"}
    browser = Browser(scene.send)
    path = f"{app.path}/protocol/openid-connect/logout"
    if method == "POST":
        reply = browser.post(path, fields)
    else:
        reply = browser.get(path + "?" + "&".join(f"{name}={value}" for name, value in fields.items()))
    assert (reply.status, reply.headers["location"]) == (303, f"{app.redirect_uri}?state=s")
    assert app.refresh(tokens["refresh_token"]).status == 401


def test_a_refresh_token_ends_its_session_too(scene: Scene) -> None:
    app = scene.app()
    tokens = app.tokens(EMAIL, PASSWORD)
    reply = app.post("logout", {"refresh_token": tokens["refresh_token"], "client_id": app.client_id})
    assert (reply.status, b"signed out" in reply.body) == (200, True)
    assert scene.status_of(tokens["access_token"]) == 401


def test_the_configuration_names_endpoints_that_exist(scene: Scene) -> None:
    document = scene.app().discover()
    assert document["issuer"] == ISSUER
    endpoints = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {value.partition("/protocol/openid-connect/")[0] for value in endpoints.values()} == {ISSUER}
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["response_types_supported"] == ["code"]
    assert document["token_endpoint_auth_methods_supported"] == ["none"]


def test_published_keys_have_no_private_members(scene: Scene) -> None:
    app = scene.app()
    reply = scene.api.request("GET", f"{app.path}/protocol/openid-connect/certs")
    (key,) = reply.json()["keys"]
    assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
    header = header_of(app.tokens(EMAIL, PASSWORD)["id_token"])
    assert (header["alg"], header["kid"]) == ("RS256", key["kid"])


def test_info_names_the_issuer(scene: Scene) -> None:
    auth = scene.api.request("GET", "/info").json()["auth"]
    assert f"{auth['url']}/realms/{auth['realm']}" == ISSUER


def test_a_stage_without_an_address_offers_no_openid_connect(api: ApiClient, fakes: FakeServices) -> None:
    fakes.settings = replace(fakes.settings, base_url="")
    wiring.override(fakes.services)
    assert "auth" not in api.request("GET", "/info").json()
    assert api.request("GET", "/realms/tidepool/.well-known/openid-configuration").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/realms/other/.well-known/openid-configuration", 404),
        ("GET", "/realms/other/protocol/openid-connect/certs", 404),
        ("GET", "/realms/tidepool/account", 404),
        ("GET", "/realms", 404),
        ("PUT", "/realms/tidepool/protocol/openid-connect/token", 405),
    ],
)
def test_unknown_paths_and_methods_get_json(scene: Scene, method: str, path: str, status: int) -> None:
    reply = scene.api.request(method, path)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert reply.json().keys() == {"error", "error_description"}


@pytest.mark.parametrize("endpoint", ["token", "userinfo", "certs", "../../.well-known/openid-configuration"])
def test_pages_of_configured_origins_may_call_the_endpoints(scene: Scene, endpoint: str) -> None:
    path = "/realms/tidepool/protocol/openid-connect/" + endpoint
    path = path.replace("/protocol/openid-connect/../..", "")
    method = "POST" if endpoint == "token" else "GET"
    reply = scene.api.request(method, path, Origin="https://app.example.org")
    assert reply.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "access-control-allow-origin" not in scene.api.request(method, path, Origin="https://evil.example").headers


def test_the_settings_may_add_a_client_and_move_a_known_one(scene: Scene) -> None:
    addresses = {"xdrip": ("myxdrip://callback",), "my-app": ("https://my.example.org/back?from=strandline",)}
    scene.fakes.settings = replace(scene.fakes.settings, oidc_clients=addresses)
    wiring.override(scene.fakes.services)
    mine = scene.app()
    mine.client_id, mine.redirect_uri = "my-app", addresses["my-app"][0]
    reply = mine.sign_in(EMAIL, PASSWORD)
    assert reply.headers["location"].startswith("https://my.example.org/back?from=strandline&code=")
    assert scene.browser().get(scene.app().page_path()).status == 400
    moved = scene.browser().get(scene.app().page_path(redirect_uri="myxdrip://callback"))
    assert hidden_fields(moved.body)["redirect_uri"] == "myxdrip://callback"


def test_the_upload_redirect_leads_into_the_uploader(scene: Scene) -> None:
    app = scene.app("tidepool-uploader-sso")
    location = app.sign_in(EMAIL, PASSWORD).headers["location"]
    assert location.startswith(f"{BASE_URL}/upload-redirect#code=")
    reply = scene.api.request("GET", "/upload-redirect")
    assert (reply.status, reply.headers["location"]) == (303, "tidepooluploader://localhost/keycloak-redirect")
