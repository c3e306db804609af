"""Signing in, refreshing, asking about tokens and signing out."""

import base64
from dataclasses import replace

import pytest

from chalicelib import services as wiring
from chalicelib.access.call import token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.roles import CUSTODIAL_ACCOUNT
from chalicelib.engine.definitions import ACCOUNTS
from tests.api.accounts.sign_ins import ANNA, TOKEN, USER_ID, basic, login
from tests.api.conftest import ApiClient
from tests.fakes.engine import refuse
from tests.fakes.processes import watched
from tests.fakes.services import SERVER_SECRET, START_MS, FakeServices

THIRTY_DAYS_S = 30 * 24 * 3600

MISSING = {"code": 400, "reason": "Missing id and/or password"}
NO_MATCH = {"code": 401, "reason": "No user matched the given details"}
NO_TOKEN = {"code": 401, "reason": "No x-tidepool-session-token was found"}


@pytest.fixture
def anna(fakes: FakeServices) -> Account:
    """Anna has an account."""
    fakes.accounts.create(ANNA)
    return ANNA


def server_token(api: ApiClient) -> str:
    """The token of a server that has signed in."""
    headers = {"X-Tidepool-Server-Name": "a server", "X-Tidepool-Server-Secret": SERVER_SECRET}
    reply = api.request("POST", "/auth/serverlogin", **headers)
    assert (reply.status, reply.body) == (200, b"")
    return reply.headers[TOKEN]


class TestLogin:
    """POST /auth/login."""

    @pytest.mark.parametrize("path", ["/auth/login", "/auth/login/any-key-right-or-wrong"])
    @pytest.mark.parametrize("username", ["anna@example.org", "Anna@Example.ORG"])
    def test_the_right_password_opens_a_session(
        self, api: ApiClient, fakes: FakeServices, anna: Account, path: str, username: str
    ) -> None:
        reply = api.request("POST", path, authorization=basic(username, "pass:word 1"))
        assert reply.status == 200
        assert reply.json() == {
            "emailVerified": True,
            "emails": ["anna@example.org"],
            "roles": ["patient"],
            "termsAccepted": "2026-01-01T00:00:00+00:00",
            "userid": USER_ID,
            "username": "anna@example.org",
        }
        session = fakes.sessions.find(token_hash(reply.headers[TOKEN]))
        assert session is not None
        assert (session.user_id, session.is_server) == (USER_ID, False)
        assert session.expires_time_ms == START_MS + THIRTY_DAYS_S * 1000

    def test_the_token_itself_is_not_stored(self, api: ApiClient, fakes: FakeServices, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        assert token not in repr(fakes.items(ACCOUNTS))

    def test_any_authorization_scheme_is_accepted(self, api: ApiClient, anna: Account) -> None:
        authorization = basic("anna@example.org", "pass:word 1", scheme="Anything")
        assert api.request("POST", "/auth/login", authorization=authorization).status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"authorization": ""},
            {"authorization": "Basic"},
            {"authorization": "Basic "},
            {"authorization": "Basic ???"},
            {"authorization": "Basic " + base64.b64encode(b"no colon").decode()},
            {"authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
            {"authorization": basic("", "")},
        ],
    )
    def test_unreadable_credentials_are_refused_as_missing(self, api: ApiClient, headers: dict[str, str]) -> None:
        reply = api.request("POST", "/auth/login", **headers)
        assert (reply.status, reply.json()) == (400, MISSING)
        assert reply.headers["content-type"] == "application/json"

    @pytest.mark.parametrize(
        ("username", "password"),
        [
            ("anna@example.org", "pass:word 2"),
            ("anna@example.org", ""),
            ("", "pass:word 1"),
            ("nobody@example.org", "pass:word 1"),
            ("x" * 5000, "pass:word 1"),
            (USER_ID, "pass:word 1"),
        ],
    )
    def test_a_wrong_name_and_a_wrong_password_get_the_same_reply(
        self, api: ApiClient, fakes: FakeServices, anna: Account, username: str, password: str
    ) -> None:
        reply = login(api, username, password)
        assert (reply.status, reply.json()) == (401, NO_MATCH)
        assert TOKEN not in reply.headers
        assert fakes.items(ACCOUNTS, sort_key="SESSION") == []

    def test_an_unknown_name_takes_the_time_of_a_wrong_password(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        login(api, "nobody@example.org")
        login(api, "anna@example.org", "wrong")
        assert fakes.passwords.verified == [None, ANNA.password_hash]

    @pytest.mark.parametrize(
        "account",
        [
            replace(ANNA, roles=(CUSTODIAL_ACCOUNT, "patient")),
            replace(ANNA, roles=(CUSTODIAL_ACCOUNT, "patient"), password_hash=None),
            replace(ANNA, password_hash=None),
        ],
    )
    def test_nobody_signs_in_to_a_custodial_account(
        self, api: ApiClient, fakes: FakeServices, account: Account
    ) -> None:
        fakes.accounts.create(account)
        reply = login(api)
        assert (reply.status, reply.json()) == (401, NO_MATCH)
        assert len(fakes.passwords.verified) == 1

    def test_an_unverified_address_is_reported_only_with_the_right_password(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.accounts.create(replace(ANNA, email_verified=False))
        reply = login(api)
        expected = {"code": 403, "reason": "The user hasn't verified this account yet"}
        assert (reply.status, reply.json()) == (403, expected)
        assert login(api, password="wrong").json() == NO_MATCH

    def test_a_password_hashed_with_older_parameters_is_hashed_again(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        fakes.passwords.parameters = "stronger"
        assert login(api).status == 200
        stored = fakes.accounts.find(USER_ID)
        assert stored == replace(ANNA, password_hash="stronger:pass:word 1", version=2)
        assert login(api).status == 200
        assert fakes.accounts.find(USER_ID) == stored


class TestRefresh:
    """GET /auth/login."""

    def test_a_refreshed_token_lasts_as_long_as_the_login(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        first = login(api).headers[TOKEN]
        fakes.now_ms += 600_000
        reply = api.request("GET", "/auth/login", token=first)
        second = reply.headers[TOKEN]
        assert reply.status == 200
        assert reply.json() == {
            "expires_at": START_MS // 1000 + THIRTY_DAYS_S,
            "isserver": False,
            "userid": USER_ID,
        }
        assert second != first
        for token in (first, second):
            assert api.request("GET", "/auth/user", token=token).status == 200

    def test_no_refresh_outlasts_the_login(self, api: ApiClient, fakes: FakeServices, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        fakes.now_ms += THIRTY_DAYS_S * 1000 - 1
        token = api.request("GET", "/auth/login", token=token).headers[TOKEN]
        fakes.now_ms += 1
        assert api.request("GET", "/auth/login", token=token).status == 401

    @pytest.mark.parametrize("token", [None, "", "unknown"])
    def test_without_a_valid_token_the_reply_is_empty(self, api: ApiClient, token: str | None) -> None:
        reply = api.request("GET", "/auth/login", token=token)
        assert (reply.status, reply.body) == (401, b"")

    def test_a_server_token_can_be_refreshed(self, api: ApiClient) -> None:
        reply = api.request("GET", "/auth/login", token=server_token(api))
        assert reply.json() == {"expires_at": START_MS // 1000 + 86_400, "isserver": True, "userid": "a server"}


class TestLogout:
    """POST /auth/logout."""

    def test_signing_out_ends_the_token_and_those_refreshed_from_it(self, api: ApiClient, anna: Account) -> None:
        first = login(api).headers[TOKEN]
        second = api.request("GET", "/auth/login", token=first).headers[TOKEN]
        third = api.request("GET", "/auth/login", token=second).headers[TOKEN]
        other = login(api).headers[TOKEN]
        reply = api.request("POST", "/auth/logout", {}, token=second)
        assert (reply.status, reply.body) == (200, b"")
        statuses = [api.request("GET", "/auth/user", token=token).status for token in (first, second, third, other)]
        assert statuses == [401, 401, 401, 200]

    @pytest.mark.parametrize("token", [None, "", "unknown"])
    def test_signing_out_needs_no_valid_token(self, api: ApiClient, token: str | None) -> None:
        reply = api.request("POST", "/auth/logout", token=token)
        assert (reply.status, reply.body) == (200, b"")

    def test_a_login_that_may_go_on_is_no_success(self, api: ApiClient, fakes: FakeServices, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        for call in ("GetItem", "Query", "TransactWriteItems"):
            with watched(fakes.calls, refuse(call)):
                assert api.request("POST", "/auth/logout", token=token).status == 503
        assert api.request("POST", "/auth/logout", token=token).status == 200
        assert api.request("GET", "/auth/user", token=token).status == 401


class TestServerLogin:
    """POST /auth/serverlogin."""

    def test_a_server_login_returns_a_server_token(self, api: ApiClient) -> None:
        reply = api.request("GET", "/auth/token", token=server_token(api))
        assert reply.json() == {"expires_at": START_MS // 1000 + 86_400, "isserver": True, "userid": "a server"}

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Tidepool-Server-Name": "a server"},
            {"X-Tidepool-Server-Secret": SERVER_SECRET},
            {"X-Tidepool-Server-Name": "", "X-Tidepool-Server-Secret": SERVER_SECRET},
            {"X-Tidepool-Server-Name": "x" * 101, "X-Tidepool-Server-Secret": SERVER_SECRET},
        ],
    )
    def test_name_and_secret_are_needed(self, api: ApiClient, headers: dict[str, str]) -> None:
        reply = api.request("POST", "/auth/serverlogin", **headers)
        assert (reply.status, reply.json()) == (400, MISSING)

    @pytest.mark.parametrize("secret", ["wrong", SERVER_SECRET + "x", "é"])
    def test_a_wrong_secret_is_refused(self, api: ApiClient, secret: str) -> None:
        headers = {"X-Tidepool-Server-Name": "a server", "X-Tidepool-Server-Secret": secret}
        reply = api.request("POST", "/auth/serverlogin", **headers)
        assert (reply.status, reply.json()) == (401, {"code": 401, "reason": "Wrong password"})
        assert TOKEN not in reply.headers


class TestTokenData:
    """GET /auth/token and /auth/token/{token}."""

    def test_a_user_may_check_their_own_token(self, api: ApiClient, anna: Account) -> None:
        reply = api.request("GET", "/auth/token", token=login(api).headers[TOKEN])
        expected = {"expires_at": START_MS // 1000 + THIRTY_DAYS_S, "isserver": False, "userid": USER_ID}
        assert (reply.status, reply.json()) == (200, expected)

    def test_a_server_asks_about_a_token(self, api: ApiClient, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        reply = api.request("GET", f"/auth/token/{token}", token=server_token(api))
        expected = {"expires_at": START_MS // 1000 + THIRTY_DAYS_S, "isserver": False, "userid": USER_ID}
        assert (reply.status, reply.json()) == (200, expected)

    @pytest.mark.parametrize("path", ["/auth/token", "/auth/token/whatever"])
    @pytest.mark.parametrize("token", [None, "", "unknown"])
    def test_a_valid_token_is_needed(self, api: ApiClient, path: str, token: str | None) -> None:
        reply = api.request("GET", path, token=token)
        assert (reply.status, reply.json()) == (401, NO_TOKEN)

    def test_a_user_may_not_ask_about_a_token(self, api: ApiClient, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        reply = api.request("GET", f"/auth/token/{token}", token=token)
        assert (reply.status, reply.json()) == (401, NO_TOKEN)

    def test_an_unknown_token_is_not_valid(self, api: ApiClient) -> None:
        reply = api.request("GET", "/auth/token/unknown", token=server_token(api))
        assert (reply.status, reply.json()) == (401, NO_TOKEN)

    def test_an_expired_token_is_not_valid(self, api: ApiClient, fakes: FakeServices, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        fakes.now_ms += THIRTY_DAYS_S * 1000
        reply = api.request("GET", f"/auth/token/{token}", token=server_token(api))
        assert (reply.status, reply.json()) == (401, NO_TOKEN)


class TestDeleteSessions:
    """DELETE /auth/user/{userId}/sessions."""

    def test_a_server_ends_all_sessions_of_a_user(self, api: ApiClient, anna: Account) -> None:
        tokens = [login(api).headers[TOKEN] for _ in range(3)]
        reply = api.request("DELETE", f"/auth/user/{USER_ID}/sessions", token=server_token(api))
        assert (reply.status, reply.body) == (204, b"")
        assert {api.request("GET", "/auth/user", token=token).status for token in tokens} == {401}

    def test_a_user_may_not_end_all_sessions(self, api: ApiClient, anna: Account) -> None:
        token = login(api).headers[TOKEN]
        reply = api.request("DELETE", f"/auth/user/{USER_ID}/sessions", token=token)
        expected = {"code": 401, "reason": "No x-tidepool-session-token was found"}
        assert (reply.status, reply.json()) == (401, expected)
        assert api.request("GET", "/auth/user", token=token).status == 200


def test_real_tokens_fit_headers_and_paths() -> None:
    tokens = {wiring.random_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_anyone_may_get_a_private_pair(api: ApiClient) -> None:
    pairs = [api.request("GET", "/auth/private").json() for _ in range(2)]
    assert all(set(pair) == {"name", "id", "hash"} for pair in pairs)
    assert [(pair["name"], len(pair["id"]), len(pair["hash"])) for pair in pairs] == [("", 10, 24)] * 2


def test_anyone_may_read_the_status(api: ApiClient) -> None:
    reply = api.request("GET", "/auth/status")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"OK", "text/plain; charset=utf-8")
