"""Restricted tokens: their life, and what they open."""

from typing import Any

import pytest

from chalicelib.engine.definitions import ACCOUNTS
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import SERVER_SECRET, START_MS, FakeServices

OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
PATH = f"/v1/users/{OWNER}/restricted_tokens"
UNAUTHENTICATED = "unauthenticated"
UNAUTHORIZED = "unauthorized"


@pytest.fixture
def owner(fakes: FakeServices) -> str:
    """The owner's session token."""
    return fakes.sign_in(OWNER)


def create(api: ApiClient, token: str, body: Any = None) -> Any:
    """A new restricted token."""
    reply = api.request("POST", PATH, {} if body is None else body, token=token)
    assert reply.status == 201, reply.body
    return reply.json()


class TestCreate:
    """POST /v1/users/{userId}/restricted_tokens."""

    def test_the_owner_creates_a_restricted_token_for_an_hour(self, api: ApiClient, owner: str) -> None:
        assert create(api, owner) == {
            "id": f"{1:032x}",
            "userId": OWNER,
            "createdTime": "2026-01-01T00:00:00Z",
            "expirationTime": "2026-01-01T01:00:00Z",
        }

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"paths": ["/export", "/"]}, {"paths": ["/export", "/"]}),
            ({"paths": None, "expirationTime": None}, {"expirationTime": "2026-01-01T01:00:00Z"}),
            ({"expirationTime": "2020-01-01T00:00:00.5+01:00"}, {"expirationTime": "2019-12-31T23:00:00.5Z"}),
        ],
    )
    def test_what_may_be_said(self, api: ApiClient, owner: str, body: Any, expected: dict[str, Any]) -> None:
        created = create(api, owner, body)
        assert expected.items() <= created.items()
        assert ("paths" in created) == ("paths" in expected)

    def test_a_server_creates_a_restricted_token_for_ninety_days(self, api: ApiClient, fakes: FakeServices) -> None:
        body = {"expirationTime": "2026-04-01T00:00:01Z"}
        created = api.request("POST", PATH, body, X_Tidepool_Service_Secret=SERVER_SECRET).json()
        assert created["expirationTime"] == "2026-04-01T00:00:01Z"

    @pytest.mark.parametrize(
        ("body", "errors"),
        [
            ({"paths": []}, [("length-out-of-range", "/paths")]),
            ({"paths": ["/"] * 11}, [("length-out-of-range", "/paths")]),
            ({"paths": ["/a", "b", ""]}, [("value-not-matches", "/paths/1"), ("value-not-matches", "/paths/2")]),
            ({"paths": ["/" + "x" * 2048]}, [("length-out-of-range", "/paths/0")]),
            ({"paths": "/a"}, [("type-not-array", "/paths")]),
            ({"paths": [1]}, [("type-not-string", "/paths/0")]),
            ({"expirationTime": "soon"}, [("value-not-parsable", "/expirationTime")]),
            ({"expirationTime": 1}, [("type-not-time", "/expirationTime")]),
            ({"expirationTime": "2026-04-01T00:00:02Z"}, [("value-not-before", "/expirationTime")]),
            ({"id": "x", "b/c": 1}, [("not-parsed", "/b~1c"), ("not-parsed", "/id")]),
            ({"paths": ["b"], "id": "x"}, [("not-parsed", "/id")]),
        ],
    )
    def test_every_broken_rule_is_named(
        self, api: ApiClient, fakes: FakeServices, owner: str, body: Any, errors: list[tuple[str, str]]
    ) -> None:
        reply = api.request("POST", PATH, body, token=owner)
        assert reply.status == 400
        named = reply.json().get("errors", [reply.json()])
        assert [(error["code"], error["source"]["pointer"]) for error in named] == errors
        assert fakes.items(ACCOUNTS, sort_key="RESTRICTED") == []

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b"", {"code": "json-not-found", "title": "json not found", "detail": "json not found"}),
            (b"{", {"code": "json-malformed", "title": "json is malformed", "detail": "json is malformed"}),
            (b"[]", {"code": "json-malformed", "title": "json is malformed", "detail": "json is malformed"}),
            (b"null", {"detail": "object is missing"}),
        ],
    )
    def test_a_body_that_is_not_an_object_is_refused(
        self, api: ApiClient, owner: str, body: bytes, expected: Any
    ) -> None:
        reply = api.request("POST", PATH, body, token=owner)
        assert (reply.status, reply.json()) == (400, expected)

    def test_the_user_id_has_a_form(self, api: ApiClient, server: str) -> None:
        reply = api.request("POST", "/v1/users/nobody/restricted_tokens", {}, token=server)
        assert reply.status == 400
        assert reply.json()["code"] == "parameter-invalid"


class TestServers:
    """Requests of servers about tokens."""

    def test_a_list_is_newest_first_and_paged(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str
    ) -> None:
        ids = []
        for _ in range(3):
            ids.append(create(api, owner)["id"])
            fakes.now_ms += 1000
        assert [token["id"] for token in api.request("GET", PATH, token=server).json()] == ids[::-1]
        page = api.request("GET", f"{PATH}?size=2&page=1", token=server).json()
        assert [token["id"] for token in page] == [ids[0]]
        assert api.request("GET", f"{PATH}?page=7", token=server).json() == []

    @pytest.mark.parametrize("query", ["size=0", "page=-1", "unknown=1", "restricted_token=1"])
    def test_a_query_has_rules(self, api: ApiClient, server: str, query: str) -> None:
        assert api.request("GET", f"{PATH}?{query}", token=server).status == 400

    def test_a_restricted_token_is_read_and_changed(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str
    ) -> None:
        created = create(api, owner, {"paths": ["/a"]})
        path = f"/v1/restricted_tokens/{created['id']}"
        assert api.request("GET", path, token=server).json() == created
        fakes.now_ms += 60_000
        change = {"paths": ["/b"], "expirationTime": "2026-01-02T00:00:00Z"}
        expected = created | {"expirationTime": "2026-01-02T00:00:00Z", "modifiedTime": "2026-01-01T00:01:00Z"}
        assert api.request("PUT", path, change, X_Tidepool_Service_Secret=SERVER_SECRET).json() == expected
        assert api.request("GET", path, token=server).json() == expected
        assert api.request("PUT", path, {"paths": []}, token=server).status == 400

    def test_a_servers_session_extends_a_token_no_further_than_itself(
        self, api: ApiClient, fakes: FakeServices, server: str
    ) -> None:
        created = api.request("POST", PATH, {}, X_Tidepool_Service_Secret=SERVER_SECRET).json()
        path, change = f"/v1/restricted_tokens/{created['id']}", {"expirationTime": "2026-03-01T00:00:00Z"}
        assert api.request("PUT", path, change, token=server).json()["expirationTime"] == "2026-01-01T01:00:00Z"
        api.request("PUT", path, change, X_Tidepool_Service_Secret=SERVER_SECRET)
        sooner = {"expirationTime": "2026-02-01T00:00:00Z"}
        assert api.request("PUT", path, sooner, token=server).json()["expirationTime"] == "2026-02-01T00:00:00Z"

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_an_unknown_restricted_token_is_not_found(self, api: ApiClient, server: str, method: str) -> None:
        reply = api.request(method, "/v1/restricted_tokens/unknown", {}, token=server)
        assert reply.status == 404
        assert reply.json()["detail"] == 'resource with id "unknown" not found'

    def test_all_restricted_tokens_of_a_user_are_deleted(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str
    ) -> None:
        for _ in range(2):
            create(api, owner)
        reply = api.request("DELETE", PATH, token=server)
        assert (reply.status, reply.body) == (204, b"")
        assert fakes.items(ACCOUNTS, sort_key="RESTRICTED") == []


class TestDelete:
    """DELETE /v1/restricted_tokens/{id}."""

    @pytest.mark.parametrize("caller", [OWNER, "server"])
    def test_owner_and_server_may_delete_a_restricted_token(
        self, api: ApiClient, fakes: FakeServices, owner: str, caller: str
    ) -> None:
        path = f"/v1/restricted_tokens/{create(api, owner)['id']}"
        token = fakes.sign_in(caller, is_server=caller == "server")
        for _ in range(2):
            reply = api.request("DELETE", path, token=token)
            assert (reply.status, reply.body) == (200, b"")
        assert fakes.items(ACCOUNTS, sort_key="RESTRICTED") == []

    def test_another_user_may_not_delete_a_restricted_token(
        self, api: ApiClient, fakes: FakeServices, owner: str
    ) -> None:
        fakes.grant(OWNER, OTHER, ["custodian", "view", "upload"])
        path = f"/v1/restricted_tokens/{create(api, owner)['id']}"
        reply = api.request("DELETE", path, token=fakes.sign_in(OTHER))
        assert (reply.status, reply.json()["code"]) == (403, UNAUTHORIZED)
        assert len(fakes.items(ACCOUNTS, partition="RESTRICTED#")) == 1


class TestDelegation:
    """A restricted token opens no more and lasts no longer than the credential that it is made with."""

    def made_with(self, api: ApiClient, parent: dict[str, Any], body: Any) -> Reply:
        """The reply to a request that makes a token with another one."""
        return api.request("POST", f"{PATH}?restricted_token={parent['id']}", body)

    @pytest.fixture
    def parent(self, api: ApiClient, owner: str) -> Any:
        """A token that opens the restricted tokens of its owner for ten minutes."""
        return create(api, owner, {"paths": [PATH], "expirationTime": "2026-01-01T00:10:00Z"})

    def test_a_session_makes_no_token_that_outlasts_it(self, api: ApiClient, owner: str) -> None:
        created = create(api, owner, {"expirationTime": "2026-03-01T00:00:00Z"})
        assert created["expirationTime"] == "2026-01-01T01:00:00Z"

    def test_a_servers_session_makes_no_token_that_outlasts_it(self, api: ApiClient, server: str) -> None:
        created = create(api, server, {"expirationTime": "2026-03-01T00:00:00Z"})
        assert created["expirationTime"] == "2026-01-01T01:00:00Z"

    def test_a_restricted_token_gives_its_paths_and_end_to_one_that_names_none(
        self, api: ApiClient, parent: dict[str, Any]
    ) -> None:
        made = self.made_with(api, parent, {"expirationTime": "2026-03-01T00:00:00Z"}).json()
        assert (made["paths"], made["expirationTime"]) == ([PATH], "2026-01-01T00:10:00Z")
        assert api.request("GET", f"/data/{OWNER}?restricted_token={made['id']}").status == 401

    def test_a_restricted_token_makes_one_for_a_path_below_its_own(
        self, api: ApiClient, parent: dict[str, Any]
    ) -> None:
        made = self.made_with(api, parent, {"paths": [f"{PATH}/below"]}).json()
        assert made["paths"] == [f"{PATH}/below"]

    @pytest.mark.parametrize("path", ["/", "//", "/v1", f"{PATH}more", f"/data/{OWNER}"])
    def test_a_restricted_token_makes_none_for_a_path_that_it_does_not_open(
        self, api: ApiClient, fakes: FakeServices, parent: dict[str, Any], path: str
    ) -> None:
        reply = self.made_with(api, parent, {"paths": [f"{PATH}/below", path]})
        assert (reply.status, reply.json()["code"]) == (403, UNAUTHORIZED)
        assert [token.id for token in fakes.restricted_tokens.of_user(OWNER)] == [parent["id"]]

    @pytest.mark.parametrize("way", ["sign out", "end all sessions", "new password"])
    def test_restricted_tokens_end_with_the_login_that_made_them(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str, way: str
    ) -> None:
        refreshed = api.request("GET", "/auth/login", token=owner).headers["x-tidepool-session-token"]
        tokens = [create(api, owner), create(api, refreshed)]
        tokens.append(self.made_with(api, tokens[1], {}).json())
        tokens.append(self.made_with(api, tokens[2], {}).json())
        match way:
            case "sign out":
                api.request("POST", "/auth/logout", token=owner)
            case "end all sessions":
                api.request("DELETE", f"/auth/user/{OWNER}/sessions", token=server)
            case _:
                updates = {"updates": {"password": "a-new-password"}}
                assert api.request("PUT", f"/auth/user/{OWNER}", updates, token=server).status == 200
        replies = [api.request("GET", f"/data/{OWNER}?restricted_token={token['id']}").status for token in tokens]
        assert replies == [401] * 4
        assert fakes.restricted_tokens.of_user(OWNER) == []

    def test_signing_out_leaves_the_tokens_of_other_logins(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str
    ) -> None:
        of_server = create(api, server)
        create(api, owner)
        api.request("POST", "/auth/logout", token=owner)
        assert [token.id for token in fakes.restricted_tokens.of_user(OWNER)] == [of_server["id"]]
        api.request("POST", "/auth/logout", token=server)
        assert fakes.restricted_tokens.of_user(OWNER) == []

    def test_deleting_a_restricted_token_ends_those_made_with_it(
        self, api: ApiClient, fakes: FakeServices, owner: str, parent: dict[str, Any]
    ) -> None:
        other = create(api, owner)
        child = self.made_with(api, parent, {}).json()
        self.made_with(api, child, {})
        assert api.request("DELETE", f"/v1/restricted_tokens/{parent['id']}", token=owner).status == 200
        assert [token.id for token in fakes.restricted_tokens.of_user(OWNER)] == [other["id"]]


ROUTES: tuple[tuple[str, str, bool], ...] = (
    ("POST", PATH, True),
    ("GET", PATH, False),
    ("DELETE", PATH, False),
    ("GET", f"/v1/restricted_tokens/{1:032x}", False),
    ("PUT", f"/v1/restricted_tokens/{1:032x}", False),
    ("DELETE", f"/v1/restricted_tokens/{1:032x}", True),
)


@pytest.mark.parametrize(("method", "path", "owner_may"), ROUTES)
def test_only_permitted_callers_may_use_restricted_tokens(
    api: ApiClient, fakes: FakeServices, method: str, path: str, owner_may: bool
) -> None:
    owner = fakes.sign_in(OWNER)
    create(api, owner)
    fakes.grant(OWNER, OTHER, ["custodian", "view", "upload"])
    for token in (None, "unknown"):
        reply = api.request(method, path, b"{", token=token)
        assert (reply.status, reply.json()["code"]) == (401, UNAUTHENTICATED)
    reply = api.request(method, path, b"{", token=fakes.sign_in(OTHER))
    assert (reply.status, reply.json()["code"]) == (403, UNAUTHORIZED)
    if not owner_may:
        reply = api.request(method, path, b"{", token=owner)
        assert (reply.status, reply.json()["code"]) == (403, UNAUTHORIZED)


class TestOpening:
    """A restricted token gives the access of its user to its paths."""

    def opens(self, api: ApiClient, token_id: str, path: str, query: str = "") -> int:
        """The status of a request that carries nothing but the restricted token."""
        return api.request("DELETE", f"{path}?restricted_token={token_id}{query}").status

    @pytest.mark.parametrize(
        ("paths", "opened"),
        [
            (None, True),
            (["/v1/restricted_tokens/unknown"], True),
            (["/v1/restricted_tokens"], True),
            (["/v1/restricted_tokens/"], True),
            (["/other", "/v1"], True),
            (["/"], True),
            (["/v1/restricted_tokens/unknow"], False),
            (["/v1/restricted_tokens/unknown/more"], False),
            (["/v1/restricted"], False),
            (["/other"], False),
        ],
    )
    def test_a_token_opens_its_paths_and_those_below(
        self, api: ApiClient, owner: str, paths: list[str] | None, opened: bool
    ) -> None:
        token_id = create(api, owner, {"paths": paths})["id"]
        assert self.opens(api, token_id, "/v1/restricted_tokens/unknown") == (200 if opened else 401)

    def test_a_restricted_token_expires(self, api: ApiClient, fakes: FakeServices, owner: str) -> None:
        token_id = create(api, owner)["id"]
        fakes.now_ms = START_MS + 3_599_999
        assert self.opens(api, token_id, "/v1/restricted_tokens/unknown") == 200
        fakes.now_ms += 1
        assert self.opens(api, token_id, "/v1/restricted_tokens/unknown") == 401

    def test_a_deleted_token_opens_nothing(self, api: ApiClient, owner: str) -> None:
        token_id = create(api, owner)["id"]
        api.request("DELETE", f"/v1/restricted_tokens/{token_id}", token=owner)
        assert self.opens(api, token_id, "/v1/restricted_tokens/unknown") == 401

    def test_a_restricted_token_never_acts_as_a_server(self, api: ApiClient, server: str) -> None:
        token_id = create(api, server)["id"]
        reply = api.request("GET", f"/v1/restricted_tokens/{token_id}?restricted_token={token_id}")
        assert reply.status == 403

    def test_a_restricted_token_sent_twice_is_malformed(self, api: ApiClient, owner: str) -> None:
        token_id = create(api, owner)["id"]
        path = "/v1/restricted_tokens/unknown"
        assert self.opens(api, token_id, path, f"&restricted_token={token_id}") == 403

    def test_a_session_comes_first(self, api: ApiClient, fakes: FakeServices, owner: str) -> None:
        token_id = create(api, owner)["id"]
        path = f"/v1/restricted_tokens/{token_id}?restricted_token={token_id}"
        assert api.request("DELETE", path, token=fakes.sign_in(OTHER)).status == 403
        assert api.request("DELETE", path, token="unknown").status == 200

    @pytest.mark.parametrize("path", ["/auth/user", f"/access/{OWNER}", f"/metadata/{OWNER}/profile"])
    def test_accounts_and_grants_do_not_read_it(self, api: ApiClient, owner: str, path: str) -> None:
        token_id = create(api, owner)["id"]
        assert api.request("GET", f"{path}?restricted_token={token_id}").status == 401

    def test_data_are_read_with_it(self, api: ApiClient, owner: str) -> None:
        token_id = create(api, owner, {"paths": [f"/data/{OWNER}"]})["id"]
        assert api.request("GET", f"/data/{OWNER}?restricted_token={token_id}").status == 200
        assert api.request("GET", f"/data/{OTHER}?restricted_token={token_id}").status == 401

    def test_deleting_a_user_deletes_their_restricted_tokens(
        self, api: ApiClient, fakes: FakeServices, server: str, owner: str
    ) -> None:
        create(api, owner)
        api.request("DELETE", f"/auth/user/{OWNER}", token=server)
        assert fakes.items(ACCOUNTS, sort_key="RESTRICTED") == []
