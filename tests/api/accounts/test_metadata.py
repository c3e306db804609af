"""Profiles and other collections: reading, writing, and the list of those one shares with."""

from typing import Any

import pytest

from chalicelib.accounts.profile import LIMIT_BYTES
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
VIEWER = "bbbbbbbbbb"
PATIENT = "cccccccccc"
STRANGER = "dddddddddd"

PATIENT_FIELDS = {"birthday": "2000-01-01", "mrn": "1"}
PROFILE = {"fullName": "Änna", "patient": PATIENT_FIELDS}
PATH = f"/metadata/{OWNER}/profile"


def put(api: ApiClient, fakes: FakeServices, body: Any, path: str = PATH) -> Any:
    """What a server's PUT answers."""
    reply = api.request("PUT", path, body, token=fakes.sign_in("server", is_server=True))
    assert reply.status == 200, reply.body
    return reply.json()


def test_anyone_may_list_the_standard_collections(api: ApiClient) -> None:
    reply = api.request("GET", "/metadata/collections")
    assert (reply.status, reply.json()) == (200, ["profile", "groups", "private"])


class TestRead:
    """GET /metadata/{userId}/{collection}."""

    @pytest.mark.parametrize("collection", ["profile", "settings", "private", "any%20name"])
    def test_what_was_written_is_read(self, api: ApiClient, fakes: FakeServices, collection: str) -> None:
        path = f"/metadata/{OWNER}/{collection}"
        assert put(api, fakes, PROFILE, path) == PROFILE
        reply = api.request("GET", path, token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (200, PROFILE)

    @pytest.mark.parametrize("path", [PATH, f"/metadata/{OWNER}/settings", f"/metadata/{OWNER}/{'x' * 600}"])
    def test_nothing_is_not_found(self, api: ApiClient, fakes: FakeServices, path: str) -> None:
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
    def test_who_shares_with_the_user_sees_the_name_only(
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
    def test_only_an_object_is_taken(self, api: ApiClient, fakes: FakeServices, body: bytes, expected: Any) -> None:
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
    def test_who_may(
        self, api: ApiClient, fakes: FakeServices, method: str, caller: str, permissions: list[str], may: bool
    ) -> None:
        fakes.grant(OWNER, caller, permissions)
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request(method, PATH, {"a": 1}, token=token)
        assert (reply.status, reply.json()) == ((200, {"a": 1}) if may else (401, "Unauthorized"))
        if not may:
            assert fakes.profiles.collections == {}

    def test_a_sharer_may_not_write(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(PATIENT, OWNER, ["custodian"])
        assert api.request("PUT", PATH, {"a": 1}, token=fakes.sign_in(PATIENT)).status == 401


class TestDelete:
    """DELETE is not implemented, for those who might."""

    @pytest.mark.parametrize("collection", ["profile", "private"])
    @pytest.mark.parametrize(("caller", "status"), [("server", 501), (OWNER, 501), (VIEWER, 501), (STRANGER, 401)])
    def test_a_collection(self, api: ApiClient, fakes: FakeServices, collection: str, caller: str, status: int) -> None:
        fakes.grant(OWNER, VIEWER, ["custodian"])
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("DELETE", f"/metadata/{OWNER}/{collection}", token=token)
        assert (reply.status, reply.body) == (status, b"" if status == 501 else b'"Unauthorized"')

    def test_a_private_pair(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/metadata/{OWNER}/private/uploads"
        assert api.request("DELETE", path, token=fakes.sign_in("server", is_server=True)).status == 501
        assert api.request("DELETE", path, token=fakes.sign_in(OWNER)).status == 401


class TestPrivatePair:
    """GET /metadata/{userId}/private/{name}."""

    def test_it_is_made_once(self, api: ApiClient, fakes: FakeServices) -> None:
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

    def test_it_is_for_servers(self, api: ApiClient, fakes: FakeServices) -> None:
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
    def test_none(self, api: ApiClient, method: str, path: str) -> None:
        reply = api.request(method, path, b"{")
        expected = "Session token must be set on header[x-tidepool-session-token]"
        assert (reply.status, reply.json()) == (401, expected)

    @ROUTES
    @pytest.mark.parametrize("token", ["", "unknown"])
    def test_one_that_stands_for_nothing(self, api: ApiClient, method: str, path: str, token: str) -> None:
        reply = api.request(method, path, b"{", token=token)
        assert (reply.status, reply.json()) == (401, "Invalid Token")


class TestAssociatedUsers:
    """GET /metadata/users/{userId}/users."""

    @pytest.fixture(autouse=True)
    def users(self, api: ApiClient, fakes: FakeServices) -> None:
        """The owner shares with a viewer, two people share with the owner, and one account is gone."""
        for user_id in (OWNER, VIEWER, PATIENT, STRANGER):
            fakes.sign_in(user_id)
            put(
                api,
                fakes,
                {"fullName": f"Name {user_id[0]}", "patient": {"birthday": "2001-02-03"}},
                f"/metadata/{user_id}/profile",
            )
            put(api, fakes, {"units": {"bg": "mg/dL"}}, f"/metadata/{user_id}/settings")
            put(api, fakes, {"colour": "blue"}, f"/metadata/{user_id}/preferences")
            put(api, fakes, {"secret": 1}, f"/metadata/{user_id}/private")
        fakes.grant(OWNER, VIEWER, ["view", "note"])
        fakes.grant(PATIENT, OWNER, ["view"])
        fakes.grant("eeeeeeeeee", OWNER, ["view"])

    def users_of(self, api: ApiClient, fakes: FakeServices, query: str = "", caller: str = OWNER) -> Any:
        """The list that the caller gets."""
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("GET", f"/metadata/users/{OWNER}/users{query}", token=token)
        assert reply.status == 200, reply.body
        return reply.json()

    def test_both_directions_with_what_each_may_show(self, api: ApiClient, fakes: FakeServices) -> None:
        common = {"emailVerified": False, "roles": ["patient"]}
        assert self.users_of(api, fakes) == [
            common
            | {
                "userid": VIEWER,
                "username": f"{VIEWER}@example.org",
                "emails": [f"{VIEWER}@example.org"],
                "trusteePermissions": {"view": {}, "note": {}},
                "profile": {"fullName": "Name b"},
            },
            common
            | {
                "userid": PATIENT,
                "username": f"{PATIENT}@example.org",
                "emails": [f"{PATIENT}@example.org"],
                "trustorPermissions": {"view": {}},
                "profile": {"fullName": "Name c", "patient": {"birthday": "2001-02-03"}},
                "settings": {"units": {"bg": "mg/dL"}},
            },
        ]

    @pytest.mark.parametrize(
        ("permissions", "has_settings", "has_preferences"),
        [
            (["note"], False, False),
            (["view"], True, False),
            (["upload"], True, False),
            (["custodian"], True, True),
        ],
    )
    def test_settings_and_preferences_need_permissions(
        self,
        api: ApiClient,
        fakes: FakeServices,
        permissions: list[str],
        has_settings: bool,
        has_preferences: bool,
    ) -> None:
        fakes.grant(PATIENT, OWNER, permissions)
        patient = self.users_of(api, fakes, "?trustorPermissions=any")[0]
        assert ("settings" in patient, "preferences" in patient) == (has_settings, has_preferences)
        assert "patient" in patient["profile"]

    def test_both_permissions_stand_side_by_side(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(OWNER, PATIENT, ["upload"])
        patient = self.users_of(api, fakes, "?trustorPermissions=any")[0]
        assert patient["trustorPermissions"] == {"view": {}}
        assert patient["trusteePermissions"] == {"upload": {}}

    def test_only_servers_see_whether_a_password_exists(self, api: ApiClient, fakes: FakeServices) -> None:
        assert all("passwordExists" not in user for user in self.users_of(api, fakes))
        assert all(user["passwordExists"] is False for user in self.users_of(api, fakes, caller="server"))

    def test_nobody_is_an_empty_list(self, api: ApiClient, fakes: FakeServices) -> None:
        token = fakes.sign_in(STRANGER)
        reply = api.request("GET", f"/metadata/users/{STRANGER}/users", token=token)
        assert (reply.status, reply.json()) == (200, [])

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("trustorPermissions=any", [PATIENT]),
            ("trustorPermissions=none", [VIEWER]),
            ("trusteePermissions=any", [VIEWER]),
            ("trusteePermissions=none", [PATIENT]),
            ("trusteePermissions=note,%20view", [VIEWER]),
            ("trusteePermissions=note,upload", []),
            ("trustorPermissions=view", [PATIENT]),
            ("trustorPermissions=view&trusteePermissions=view", []),
            ("email=BBBB", [VIEWER]),
            ("name=name%20C", [PATIENT]),
            ("name=name", [VIEWER, PATIENT]),
            ("birthday=2001-02", [PATIENT]),
            ("diagnosisDate=2001", []),
            ("termsAccepted=2001", []),
            ("emailVerified=no", [VIEWER, PATIENT]),
            ("emailVerified=Yes", []),
            ("trustorPermissions=&email=%20&unknown=x", [VIEWER, PATIENT]),
        ],
    )
    def test_the_list_can_be_narrowed(
        self, api: ApiClient, fakes: FakeServices, query: str, expected: list[str]
    ) -> None:
        assert [user["userid"] for user in self.users_of(api, fakes, f"?{query}")] == expected

    @pytest.mark.parametrize("query", ["trustorPermissions=any,view", "trusteePermissions=none,any"])
    def test_any_and_none_stand_alone(self, api: ApiClient, fakes: FakeServices, query: str) -> None:
        reply = api.request("GET", f"/metadata/users/{OWNER}/users?{query}", token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (400, "Query is invalid")

    @pytest.mark.parametrize(
        ("caller", "permissions", "may"),
        [("server", [], True), (OWNER, [], True), (VIEWER, ["custodian"], True), (VIEWER, ["view"], False)],
    )
    def test_who_may(self, api: ApiClient, fakes: FakeServices, caller: str, permissions: list[str], may: bool) -> None:
        fakes.grant(OWNER, VIEWER, permissions)
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("GET", f"/metadata/users/{OWNER}/users", token=token)
        assert reply.status == (200 if may else 401)
        if not may:
            assert reply.json() == "Unauthorized"


def test_metadata_goes_with_its_user(api: ApiClient, fakes: FakeServices) -> None:
    fakes.sign_in(OWNER)
    put(api, fakes, PROFILE)
    server = fakes.sign_in("server", is_server=True)
    assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 204
    assert api.request("GET", PATH, token=server).status == 404
