"""The logins of a user: listed, and ended one by one. Source: auth-api 8."""

import pytest

from chalicelib.access.call import token_hash
from tests.api.accounts.sign_ins import TOKEN, login
from tests.api.sign_in.oidc_scene import CLIENT_IDS, EMAIL, PASSWORD, USER_ID, Scene

LOGINS = f"/v1/users/{USER_ID}/logins"


def signed_in(scene: Scene) -> str:
    """The token of a login by password."""
    return login(scene.api, EMAIL, PASSWORD).headers[TOKEN]


def test_logins_of_both_kinds_are_listed_with_the_last_used_first(scene: Scene) -> None:
    token = signed_in(scene)
    scene.pass_s(60)
    app = scene.app()
    tokens = app.tokens(EMAIL, PASSWORD)
    scene.pass_s(60)
    refreshed = scene.api.request("GET", "/auth/login", token=token).headers[TOKEN]
    by_password, by_app = scene.api.request("GET", LOGINS, token=refreshed).json()
    assert by_password == {
        "id": token_hash(token),
        "createdTime": "2026-01-01T00:00:00Z",
        "lastUsedTime": "2026-01-01T00:02:00Z",
        "kind": "password",
        "isCurrent": True,
    }
    assert by_app == {
        "id": by_app["id"],
        "client": app.client_id,
        "createdTime": "2026-01-01T00:01:00Z",
        "lastUsedTime": "2026-01-01T00:01:00Z",
        "kind": "openid",
        "isCurrent": False,
    }
    scene.pass_s(60)
    again = app.checked(app.refresh(tokens["refresh_token"]))["access_token"]
    first, _ = scene.api.request("GET", LOGINS, token=again).json()
    assert first == by_app | {"lastUsedTime": "2026-01-01T00:03:00Z", "isCurrent": True}


@pytest.mark.parametrize("client_id", CLIENT_IDS)
def test_ending_a_login_ends_all_its_tokens_and_no_others(scene: Scene, client_id: str) -> None:
    token, app = signed_in(scene), scene.app(client_id)
    tokens = app.tokens(EMAIL, PASSWORD)
    refreshed = app.checked(app.refresh(tokens["refresh_token"]))
    ids = {entry["kind"]: entry["id"] for entry in scene.api.request("GET", LOGINS, token=token).json()}
    for _ in range(2):
        ended = scene.api.request("DELETE", f"{LOGINS}/{ids['openid']}", token=token)
        assert (ended.status, ended.body) == (204, b"")
    assert [scene.status_of(given["access_token"]) for given in (tokens, refreshed)] == [401, 401]
    assert app.refresh(refreshed["refresh_token"]).status in (400, 401)
    assert [entry["kind"] for entry in scene.api.request("GET", LOGINS, token=token).json()] == ["password"]


def test_ending_ones_own_login_signs_out(scene: Scene) -> None:
    token = signed_in(scene)
    refreshed = scene.api.request("GET", "/auth/login", token=token).headers[TOKEN]
    assert scene.api.request("DELETE", f"{LOGINS}/{token_hash(token)}", token=refreshed).status == 204
    assert [scene.status_of(given) for given in (token, refreshed)] == [401, 401]


@pytest.mark.parametrize("id_", ["0" * 64, "nonsense", "%23", "x" * 2_000])
def test_an_unknown_login_ends_nothing(scene: Scene, id_: str) -> None:
    token = signed_in(scene)
    assert scene.api.request("DELETE", f"{LOGINS}/{id_}", token=token).status == 204
    assert scene.status_of(token) == 200


def test_a_part_of_a_key_is_no_login(scene: Scene) -> None:
    token = signed_in(scene)
    made = scene.api.request("POST", f"/v1/users/{USER_ID}/restricted_tokens", {}, token=token).json()["id"]
    assert scene.api.request("DELETE", f"{LOGINS}/{token_hash(token)}%23RESTRICTED", token=token).status == 204
    assert scene.api.request("GET", f"/data/{USER_ID}?restricted_token={made}").status == 200


def test_codes_and_ended_logins_are_not_listed(scene: Scene) -> None:
    token = signed_in(scene)
    scene.app().tokens(EMAIL, PASSWORD)
    assert len(scene.api.request("GET", LOGINS, token=token).json()) == 2
    scene.pass_s(scene.fakes.settings.refresh_token_lifetime_s)
    (left,) = scene.api.request("GET", LOGINS, token=signed_in(scene)).json()
    assert (left["kind"], left["isCurrent"]) == ("password", True)


def test_nobody_else_sees_or_ends_them(scene: Scene) -> None:
    token = signed_in(scene)
    other, server = scene.fakes.sign_in("bbbbbbbbbb"), scene.fakes.sign_in("server", is_server=True)
    scene.fakes.grant(USER_ID, "bbbbbbbbbb", ["custodian", "view", "upload"])
    made = scene.api.request("POST", f"/v1/users/{USER_ID}/restricted_tokens", {}, token=token).json()["id"]
    for method, path in (("GET", LOGINS), ("DELETE", f"{LOGINS}/{token_hash(token)}")):
        assert scene.api.request(method, path).status == 401
        assert scene.api.request(method, path, token=other).status == 403
        assert scene.api.request(method, path, token=server).status == 403
        assert scene.api.request(method, f"{path}?restricted_token={made}").status == 403
    assert scene.status_of(token) == 200
