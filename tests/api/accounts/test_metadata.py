"""Profiles and other collections: reading, writing, and the list of those one shares with."""

from typing import Any

import pytest

from chalicelib.accounts.profile import LIMIT_BYTES, MAX_COLLECTIONS
from chalicelib.engine.definitions import ACCOUNTS
from tests.api.accounts.metadata_requests import OWNER, PATH, PATIENT, STRANGER, VIEWER, put
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

PATIENT_FIELDS = {"birthday": "2000-01-01", "mrn": "1"}
PROFILE = {"fullName": "Änna", "patient": PATIENT_FIELDS}


def test_anyone_may_list_the_standard_collections(api: ApiClient) -> None:
    reply = api.request("GET", "/metadata/collections")
    assert (reply.status, reply.json()) == (200, ["profile", "groups", "private"])


class TestRead:
    """GET /metadata/{userId}/{collection}."""

    @pytest.mark.parametrize("collection", ["profile", "settings", "private", "any%20name"])
    def test_a_written_collection_can_be_read(self, api: ApiClient, fakes: FakeServices, collection: str) -> None:
        path = f"/metadata/{OWNER}/{collection}"
        assert put(api, fakes, PROFILE, path) == PROFILE
        reply = api.request("GET", path, token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (200, PROFILE)

    @pytest.mark.parametrize("path", [PATH, f"/metadata/{OWNER}/settings", f"/metadata/{OWNER}/{'x' * 600}"])
    def test_a_missing_collection_is_not_found(self, api: ApiClient, fakes: FakeServices, path: str) -> None:
        for token in (fakes.sign_in(OWNER), fakes.sign_in("server", is_server=True)):
            reply = api.request("GET", path, token=token)
            assert (reply.status, reply.body) == (404, b"")

    @pytest.mark.parametrize("permission", ["custodian", "view", "upload", "note", "follow", "bogus"])
    @pytest.mark.parametrize("collection", ["profile", "settings"])
    def test_any_permission_shows_all(
        self, api: ApiClient, fakes: FakeServices, permission: str, collection: str
    ) -> None:
        path = f"/metadata/{OWNER}/{collection}"
        put(api, fakes, PROFILE, path)
        fakes.grant(OWNER, VIEWER, [permission])
        reply = api.request("GET", path, token=fakes.sign_in(VIEWER))
        assert (reply.status, reply.json()) == (200, PROFILE)

    @pytest.mark.parametrize(
        ("stored", "shown"),
        [
            (PROFILE, {"fullName": "Änna"}),
            ({"patient": {}}, {}),
            ({"fullName": {"first": 1}}, {"fullName": {"first": 1}}),
        ],
    )
    def test_a_user_who_shares_with_the_owner_sees_only_the_name(
        self, api: ApiClient, fakes: FakeServices, stored: Any, shown: Any
    ) -> None:
        put(api, fakes, stored)
        put(api, fakes, PROFILE, f"/metadata/{OWNER}/settings")
        fakes.grant(PATIENT, OWNER, ["view"])
        token = fakes.sign_in(PATIENT)
        reply = api.request("GET", PATH, token=token)
        assert (reply.status, reply.json()) == (200, shown)
        reply = api.request("GET", f"/metadata/{OWNER}/settings", token=token)
        assert (reply.status, reply.json()) == (401, "Unauthorized")

    @pytest.mark.parametrize("collection", ["profile", "settings", "unknown"])
    def test_a_stranger_sees_nothing(self, api: ApiClient, fakes: FakeServices, collection: str) -> None:
        put(api, fakes, PROFILE)
        fakes.grant(OWNER, VIEWER, ["view"])
        reply = api.request("GET", f"/metadata/{OWNER}/{collection}", token=fakes.sign_in(STRANGER))
        assert (reply.status, reply.json()) == (401, "Unauthorized")

    def test_an_ended_permission_shows_nothing(self, api: ApiClient, fakes: FakeServices) -> None:
        put(api, fakes, PROFILE)
        body = {"view": {"expiresTime": "2026-01-01T00:10:00Z"}}
        api.request("POST", f"/access/{OWNER}/{VIEWER}", body, token=fakes.sign_in(OWNER))
        token = fakes.sign_in(VIEWER)
        assert api.request("GET", PATH, token=token).status == 200
        fakes.now_ms += 600_000
        assert api.request("GET", PATH, token=token).status == 401


class TestWrite:
    """PUT and POST /metadata/{userId}/{collection}."""

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    @pytest.mark.parametrize(
        ("stored", "sent", "expected"),
        [
            (None, {"fullName": "B"}, {"fullName": "B"}),
            (PROFILE, {"fullName": "B"}, PROFILE | {"fullName": "B"}),
            (PROFILE, {"patient": {"about": "q"}}, {"fullName": "Änna", "patient": {"about": "q"}}),
            (PROFILE, {"patient.about": "x"}, PROFILE | {"patient": PATIENT_FIELDS | {"about": "x"}}),
            (PROFILE, {"clinic.address.city": "x"}, PROFILE | {"clinic": {"address": {"city": "x"}}}),
            (
                PROFILE,
                {"patient.mrn": "2", "patient.about": "y"},
                PROFILE | {"patient": PATIENT_FIELDS | {"mrn": "2", "about": "y"}},
            ),
            (PROFILE, {"fullName": None, "patient": None, "patient.mrn": None}, PROFILE),
            (PROFILE, {}, PROFILE),
            (None, {}, {}),
            (PROFILE, {"fullName": "", "patient": {}}, {"fullName": "", "patient": {}}),
        ],
    )
    def test_top_level_keys_are_replaced(
        self, api: ApiClient, fakes: FakeServices, method: str, stored: Any, sent: Any, expected: Any
    ) -> None:
        if stored is not None:
            put(api, fakes, stored)
        token = fakes.sign_in(OWNER)
        reply = api.request(method, PATH, sent, token=token)
        assert (reply.status, reply.json()) == (200, expected)
        assert api.request("GET", PATH, token=token).json() == expected

    @pytest.mark.parametrize(
        "sent",
        [
            {".": 1},
            {"": 1, "a.": 1},
            {".a": 1},
            {"a..b": 1},
            {"fullName.first": 1},
            {"patient.mrn.digits": 1},
            {"patient": {}, "patient.about": 1},
            {"patient.about": 1, "patient": {}},
            {"a.b": 1, "a.b.c": 1},
            {".".join("x" * 100): 1},
        ],
    )
    def test_a_path_that_leads_nowhere_is_refused(self, api: ApiClient, fakes: FakeServices, sent: Any) -> None:
        put(api, fakes, PROFILE)
        reply = api.request("PUT", PATH, sent, token=fakes.sign_in(OWNER))
        assert reply.status == 400
        assert reply.json()["code"] == "InvalidContent"
        assert api.request("GET", PATH, token=fakes.sign_in(OWNER)).json() == PROFILE

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b"", "Must have a body"),
            (b" ", "Must have a body"),
            (b"[]", {"code": "InvalidContent", "message": "Invalid JSON: the body is not an object"}),
            (b"null", {"code": "InvalidContent", "message": "Invalid JSON: the body is not an object"}),
            (b'"x"', {"code": "InvalidContent", "message": "Invalid JSON: the body is not an object"}),
        ],
    )
    def test_a_body_that_is_not_an_object_is_refused(
        self, api: ApiClient, fakes: FakeServices, body: bytes, expected: Any
    ) -> None:
        reply = api.request("PUT", PATH, body, token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (400, expected)

    def test_a_body_that_is_not_json_is_refused(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("PUT", PATH, b"{", token=fakes.sign_in(OWNER))
        assert reply.status == 400
        assert reply.json()["message"].startswith("Invalid JSON: ")

    def test_a_collection_has_a_limit(self, api: ApiClient, fakes: FakeServices) -> None:
        half = "x" * (LIMIT_BYTES // 2)
        put(api, fakes, {"a": half})
        reply = api.request("PUT", PATH, {"b": half}, token=fakes.sign_in(OWNER))
        assert reply.status == 413
        assert api.request("GET", PATH, token=fakes.sign_in(OWNER)).json() == {"a": half}

    def test_a_user_has_a_limited_number_of_collections(self, api: ApiClient, fakes: FakeServices) -> None:
        token = fakes.sign_in(OWNER)
        for number in range(MAX_COLLECTIONS):
            assert api.request("PUT", f"/metadata/{OWNER}/mine{number}", {"a": 1}, token=token).status == 200
        assert api.request("PUT", f"/metadata/{OWNER}/more", {"a": 1}, token=token).status == 413
        assert api.request("GET", f"/metadata/{OWNER}/more", token=token).status == 404
        assert api.request("PUT", f"/metadata/{OWNER}/mine0", {"a": 2}, token=token).json() == {"a": 2}

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    @pytest.mark.parametrize(
        ("caller", "permissions", "may"),
        [
            ("server", [], True),
            (OWNER, [], True),
            (VIEWER, ["custodian"], True),
            (VIEWER, ["view", "upload", "note", "follow"], False),
            (STRANGER, [], False),
        ],
    )
    def test_only_permitted_callers_may(
        self, api: ApiClient, fakes: FakeServices, method: str, caller: str, permissions: list[str], may: bool
    ) -> None:
        fakes.grant(OWNER, caller, permissions)
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request(method, PATH, {"a": 1}, token=token)
        assert (reply.status, reply.json()) == ((200, {"a": 1}) if may else (401, "Unauthorized"))
        if not may:
            assert fakes.items(ACCOUNTS, sort_key="METADATA#") == []

    def test_a_sharer_may_not_write(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(PATIENT, OWNER, ["custodian"])
        assert api.request("PUT", PATH, {"a": 1}, token=fakes.sign_in(PATIENT)).status == 401


class TestDelete:
    """DELETE is not implemented, for those who might."""

    @pytest.mark.parametrize("collection", ["profile", "private"])
    @pytest.mark.parametrize(("caller", "status"), [("server", 501), (OWNER, 501), (VIEWER, 501), (STRANGER, 401)])
    def test_deleting_a_collection_is_501(
        self, api: ApiClient, fakes: FakeServices, collection: str, caller: str, status: int
    ) -> None:
        fakes.grant(OWNER, VIEWER, ["custodian"])
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("DELETE", f"/metadata/{OWNER}/{collection}", token=token)
        assert (reply.status, reply.body) == (status, b"" if status == 501 else b'"Unauthorized"')

    def test_deleting_a_private_pair_is_501(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/metadata/{OWNER}/private/uploads"
        assert api.request("DELETE", path, token=fakes.sign_in("server", is_server=True)).status == 501
        assert api.request("DELETE", path, token=fakes.sign_in(OWNER)).status == 401


class TestPrivatePair:
    """GET /metadata/{userId}/private/{name}."""

    def test_a_private_pair_is_created_once(self, api: ApiClient, fakes: FakeServices) -> None:
        server = fakes.sign_in("server", is_server=True)
        path = f"/metadata/{OWNER}/private"
        first = api.request("GET", f"{path}/uploads", token=server)
        assert first.status == 200
        assert first.json().keys() == {"name", "id", "hash"}
        assert (first.json()["name"], len(first.json()["id"]), len(first.json()["hash"])) == ("", 10, 24)
        assert api.request("GET", f"{path}/uploads", token=server).json() == first.json()
        other = api.request("GET", f"{path}/other", token=server).json()
        owners = api.request("GET", path, token=fakes.sign_in(OWNER)).json()
        assert owners == {"uploads": first.json(), "other": other}

    def test_only_servers_may_read_a_private_pair(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("GET", f"/metadata/{OWNER}/private/uploads", token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (401, "Unauthorized")


class TestTokens:
    """Every route but the list of names needs a session token."""

    ROUTES = pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", PATH),
            ("PUT", PATH),
            ("POST", PATH),
            ("DELETE", PATH),
            ("GET", f"/metadata/{OWNER}/private"),
            ("GET", f"/metadata/{OWNER}/private/name"),
            ("DELETE", f"/metadata/{OWNER}/private/name"),
            ("GET", f"/metadata/users/{OWNER}/users"),
        ],
    )

    @ROUTES
    def test_a_missing_token_is_401(self, api: ApiClient, method: str, path: str) -> None:
        reply = api.request(method, path, b"{")
        expected = "Session token must be set on header[x-tidepool-session-token]"
        assert (reply.status, reply.json()) == (401, expected)

    @ROUTES
    @pytest.mark.parametrize("token", ["", "unknown"])
    def test_an_unknown_token_is_401(self, api: ApiClient, method: str, path: str, token: str) -> None:
        reply = api.request(method, path, b"{", token=token)
        assert (reply.status, reply.json()) == (401, "Invalid Token")


def test_deleting_a_user_deletes_their_metadata(api: ApiClient, fakes: FakeServices) -> None:
    fakes.sign_in(OWNER)
    put(api, fakes, PROFILE)
    server = fakes.sign_in("server", is_server=True)
    assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 204
    assert api.request("GET", PATH, token=server).status == 404
