"""Grants over HTTP: who may read and set them, and the result of a change."""

from typing import Any

import pytest

from chalicelib.engine.definitions import ACCOUNTS
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

SHARER = "aaaaaaaaaa"
GRANTEE = "bbbbbbbbbb"
OTHER = "cccccccccc"
STRANGER = "dddddddddd"

NO_TOKEN = "Session token must be set on header[x-tidepool-session-token]"
NOT_FOUND = {"code": "NotFound", "message": ""}
PAIR = f"/access/{SHARER}/{GRANTEE}"


def grant(api: ApiClient, fakes: FakeServices, permissions: Any, *, path: str = PAIR) -> Any:
    """The reply to the sharer's POST."""
    reply = api.request("POST", path, permissions, token=fakes.sign_in(SHARER))
    assert reply.status == 200
    return reply.json()


class TestSet:
    """POST /access/{sharerId}/{granteeId}."""

    @pytest.mark.parametrize(
        "permissions",
        [
            {"view": {}},
            {"view": {}, "note": {}, "upload": {}, "custodian": {}},
            {"bogus": {"x": 1}, "follow": "yes", "list": [1.5, None, "é"]},
        ],
    )
    def test_what_is_sent_is_stored_and_answered(
        self, api: ApiClient, fakes: FakeServices, permissions: dict[str, Any]
    ) -> None:
        assert grant(api, fakes, permissions) == permissions
        assert api.request("GET", PAIR, token=fakes.sign_in(SHARER)).json() == permissions

    def test_new_permissions_replace_those_granted_before(self, api: ApiClient, fakes: FakeServices) -> None:
        grant(api, fakes, {"view": {}, "note": {}})
        assert grant(api, fakes, {"upload": {}}) == {"upload": {}}

    @pytest.mark.parametrize("body", [None, b"", b" ", {}, {"root": {}}])
    def test_nothing_removes_the_grant(self, api: ApiClient, fakes: FakeServices, body: Any) -> None:
        grant(api, fakes, {"view": {}})
        for _ in range(2):
            reply = api.request("POST", PAIR, body, token=fakes.sign_in(SHARER))
            assert (reply.status, reply.body) == (200, b"null")
        reply = api.request("GET", PAIR, token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (404, NOT_FOUND)

    def test_root_is_never_granted(self, api: ApiClient, fakes: FakeServices) -> None:
        assert grant(api, fakes, {"root": {}, "view": {}}) == {"view": {}}

    def test_permissions_on_oneself_cannot_be_changed(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/access/{SHARER}/{SHARER}"
        assert grant(api, fakes, {"view": {}}, path=path) == {"root": {}}
        assert api.request("GET", path, token=fakes.sign_in(SHARER)).json() == {"root": {}}
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []

    @pytest.mark.parametrize("body", [b"[]", b'"view"', b"1", b"null", b"true"])
    def test_a_body_that_is_not_an_object_is_refused(self, api: ApiClient, fakes: FakeServices, body: bytes) -> None:
        reply = api.request("POST", PAIR, body, token=fakes.sign_in(SHARER))
        assert reply.status == 400
        assert reply.json() == {"code": "InvalidContent", "message": "Invalid JSON: the body is not an object"}

    def test_a_body_that_is_not_json_is_refused(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("POST", PAIR, b"{", token=fakes.sign_in(SHARER))
        assert reply.status == 400
        assert reply.json()["code"] == "InvalidContent"
        assert reply.json()["message"].startswith("Invalid JSON: ")

    def test_too_many_permissions_are_refused(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("POST", PAIR, {str(n): {} for n in range(101)}, token=fakes.sign_in(SHARER))
        assert reply.status == 400

    def test_an_id_too_long_to_be_stored_is_refused(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("POST", f"/access/{SHARER}/{'x' * 600}", {"view": {}}, token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (400, "a user id is empty or too long")

    def test_an_id_may_be_any_text(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/access/{SHARER}/a%20b%23c"
        assert grant(api, fakes, {"view": {}}, path=path) == {"view": {}}
        assert fakes.grants.permissions(SHARER, "a b#c") == {"view"}


class TestWhoMaySet:
    """The sharer, their custodian or admin, servers; and a grantee who gives up what they hold."""

    @pytest.mark.parametrize(("caller", "may"), [("server", True), (SHARER, True), (GRANTEE, False), (STRANGER, False)])
    def test_without_a_permission(self, api: ApiClient, fakes: FakeServices, caller: str, may: bool) -> None:
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("POST", PAIR, {"view": {}}, token=token)
        assert reply.status == (200 if may else 401)
        assert fakes.grants.permissions(SHARER, GRANTEE) == ({"view"} if may else set())
        if not may:
            assert reply.json() == "Unauthorized"

    @pytest.mark.parametrize("permission", ["custodian", "admin", "view", "upload", "note", "follow", "root"])
    def test_with_a_permission(self, api: ApiClient, fakes: FakeServices, permission: str) -> None:
        fakes.grant(SHARER, OTHER, [permission])
        reply = api.request("POST", PAIR, {"view": {}}, token=fakes.sign_in(OTHER))
        assert reply.status == (200 if permission in ("custodian", "admin") else 401)

    @pytest.mark.parametrize("body", [None, {}, {"root": {}}])
    def test_a_grantee_may_give_up_what_they_hold(self, api: ApiClient, fakes: FakeServices, body: Any) -> None:
        fakes.grant(SHARER, GRANTEE, ["view"])
        reply = api.request("POST", PAIR, body, token=fakes.sign_in(GRANTEE))
        assert (reply.status, reply.body) == (200, b"null")
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []

    def test_a_grantee_may_not_take_more(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(SHARER, GRANTEE, ["view"])
        reply = api.request("POST", PAIR, {"view": {}, "upload": {}}, token=fakes.sign_in(GRANTEE))
        assert (reply.status, reply.json()) == (401, "Unauthorized")

    def test_a_grantee_may_not_remove_another(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(SHARER, GRANTEE, ["view"])
        fakes.grant(SHARER, OTHER, ["view", "upload", "note"])
        reply = api.request("POST", PAIR, {}, token=fakes.sign_in(OTHER))
        assert (reply.status, reply.json()) == (401, "Unauthorized")
        assert fakes.grants.permissions(SHARER, GRANTEE) == {"view"}


class TestGet:
    """GET /access/{sharerId}/{granteeId}."""

    def test_a_missing_permission_is_not_found(self, api: ApiClient, fakes: FakeServices) -> None:
        for caller in (SHARER, GRANTEE):
            reply = api.request("GET", PAIR, token=fakes.sign_in(caller))
            assert (reply.status, reply.json()) == (404, NOT_FOUND)

    @pytest.mark.parametrize(
        ("caller", "permission", "may"),
        [
            ("server", None, True),
            (SHARER, None, True),
            (GRANTEE, None, True),
            (OTHER, "custodian", True),
            (OTHER, "admin", True),
            (OTHER, "view", False),
            (OTHER, "upload", False),
            (OTHER, "note", False),
            (STRANGER, None, False),
        ],
    )
    def test_only_permitted_callers_may(
        self, api: ApiClient, fakes: FakeServices, caller: str, permission: str | None, may: bool
    ) -> None:
        fakes.grant(SHARER, GRANTEE, ["view"])
        if permission is not None:
            fakes.grant(SHARER, caller, [permission])
        reply = api.request("GET", PAIR, token=fakes.sign_in(caller, is_server=caller == "server"))
        assert (reply.status, reply.json()) == ((200, {"view": {}}) if may else (401, "Unauthorized"))


class TestLists:
    """GET /access/{sharerId} and /access/groups/{userId}."""

    def test_groups_show_both_directions_and_oneself(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(SHARER, GRANTEE, ["view", "note"])
        fakes.grant(OTHER, GRANTEE, ["upload"])
        given = api.request("GET", f"/access/{SHARER}", token=fakes.sign_in(SHARER))
        assert (given.status, given.json()) == (200, {SHARER: {"root": {}}, GRANTEE: {"note": {}, "view": {}}})
        held = api.request("GET", f"/access/groups/{GRANTEE}", token=fakes.sign_in(GRANTEE))
        assert held.status == 200
        assert held.json() == {
            GRANTEE: {"root": {}},
            SHARER: {"note": {}, "view": {}},
            OTHER: {"upload": {}},
        }

    @pytest.mark.parametrize("path", [f"/access/{SHARER}", f"/access/groups/{SHARER}"])
    @pytest.mark.parametrize(
        ("caller", "permission", "may"),
        [
            ("server", None, True),
            (SHARER, None, True),
            (OTHER, "custodian", True),
            (OTHER, "admin", False),
            (OTHER, "view", False),
            (STRANGER, None, False),
        ],
    )
    def test_only_permitted_callers_may(
        self, api: ApiClient, fakes: FakeServices, path: str, caller: str, permission: str | None, may: bool
    ) -> None:
        expected: dict[str, Any] = {SHARER: {"root": {}}}
        if permission is not None:
            fakes.grant(SHARER, caller, [permission])
            if "groups" not in path:
                expected[caller] = {permission: {}}
        reply = api.request("GET", path, token=fakes.sign_in(caller, is_server=caller == "server"))
        assert (reply.status, reply.json()) == ((200, expected) if may else (401, "Unauthorized"))

    def test_without_an_id_groups_is_one(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("GET", "/access/groups", token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (401, "Unauthorized")


class TestTokens:
    """All four routes need a session token, and take nothing else."""

    ROUTES = pytest.mark.parametrize(
        ("method", "path"),
        [("GET", PAIR), ("POST", PAIR), ("GET", f"/access/{SHARER}"), ("GET", f"/access/groups/{SHARER}")],
    )

    @ROUTES
    def test_a_missing_token_is_401(self, api: ApiClient, method: str, path: str) -> None:
        reply = api.request(method, path, b"{")
        assert (reply.status, reply.json()) == (401, NO_TOKEN)

    @ROUTES
    @pytest.mark.parametrize("token", ["", "unknown"])
    def test_an_unknown_token_is_401(self, api: ApiClient, method: str, path: str, token: str) -> None:
        reply = api.request(method, path, b"{", token=token)
        assert (reply.status, reply.json()) == (401, "Invalid Token")

    @ROUTES
    def test_an_expired_token_is_401(self, api: ApiClient, fakes: FakeServices, method: str, path: str) -> None:
        token = fakes.sign_in(SHARER)
        fakes.now_ms += 3_600_000
        reply = api.request(method, path, b"{", token=token)
        assert (reply.status, reply.json()) == (401, "Invalid Token")

    @ROUTES
    def test_a_bearer_token_is_ignored(self, api: ApiClient, fakes: FakeServices, method: str, path: str) -> None:
        reply = api.request(method, path, authorization=f"Bearer {fakes.sign_in(SHARER)}")
        assert (reply.status, reply.json()) == (401, NO_TOKEN)


class TestLimits:
    """Permissions that end, and a view of the last hours only."""

    def test_a_permission_ends_at_its_time(self, api: ApiClient, fakes: FakeServices) -> None:
        ends = {"expiresTime": "2026-01-01T01:30:00+01:00"}
        permissions = {"view": ends, "note": {}}
        assert grant(api, fakes, permissions) == permissions
        grant(api, fakes, {"view": ends}, path=f"/access/{SHARER}/{OTHER}")
        fakes.now_ms += 1_800_000
        assert api.request("GET", PAIR, token=fakes.sign_in(SHARER)).json() == {"note": {}}
        assert api.request("GET", f"/access/{SHARER}/{OTHER}", token=fakes.sign_in(SHARER)).status == 404
        given = api.request("GET", f"/access/{SHARER}", token=fakes.sign_in(SHARER)).json()
        assert given == {SHARER: {"root": {}}, GRANTEE: {"note": {}}}

    def test_the_custodian_permission_expires(self, api: ApiClient, fakes: FakeServices) -> None:
        grant(api, fakes, {"custodian": {"expiresTime": "2026-01-01T00:10:00Z"}})
        assert api.request("GET", f"/access/{SHARER}", token=fakes.sign_in(GRANTEE)).status == 200
        fakes.now_ms += 600_000
        assert api.request("GET", f"/access/{SHARER}", token=fakes.sign_in(GRANTEE)).status == 401

    @pytest.mark.parametrize("grantee", [GRANTEE, OTHER])
    def test_a_custodian_whose_permission_ends_grants_nothing_that_ends_later(
        self, api: ApiClient, fakes: FakeServices, grantee: str
    ) -> None:
        ends, sooner = {"expiresTime": "2026-01-01T00:10:00Z"}, {"expiresTime": "2026-01-01T00:05:00Z"}
        grant(api, fakes, {"custodian": ends})
        later = {"custodian": {}, "view": {"expiresTime": "2027-01-01T00:00:00Z", "windowHours": 5}, "note": sooner}
        reply = api.request("POST", f"/access/{SHARER}/{grantee}", later, token=fakes.sign_in(GRANTEE))
        assert reply.json() == {"custodian": ends, "view": ends | {"windowHours": 5}, "note": sooner}

    def test_a_custodian_whose_permission_ends_keeps_what_the_sharer_granted(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        ends = {"expiresTime": "2026-01-01T00:10:00Z"}
        grant(api, fakes, {"custodian": ends})
        grant(api, fakes, {"view": {}}, path=f"/access/{SHARER}/{OTHER}")
        body = {"view": {}, "note": True}
        reply = api.request("POST", f"/access/{SHARER}/{OTHER}", body, token=fakes.sign_in(GRANTEE))
        assert reply.json() == {"view": {}, "note": ends}

    def test_a_time_in_the_past_grants_nothing(self, api: ApiClient, fakes: FakeServices) -> None:
        assert grant(api, fakes, {"view": {"expiresTime": "2025-12-31T23:59:59Z"}}) is None

    def test_a_window_is_kept_apart_from_a_whole_view(self, api: ApiClient, fakes: FakeServices) -> None:
        permissions = {"view": {"windowHours": 24}}
        assert grant(api, fakes, permissions) == permissions
        assert fakes.grants.permissions(SHARER, GRANTEE) == frozenset()

    def test_a_window_shows_the_last_hours_of_data_and_nothing_else(self, api: ApiClient, fakes: FakeServices) -> None:
        owner, viewer = fakes.sign_in(SHARER), fakes.sign_in(GRANTEE)
        times = ["2025-12-30T23:59:59Z", "2025-12-31T00:00:00Z", "2025-12-31T12:00:00Z"]
        data = [{"type": "cbg", "units": "mg/dL", "value": 100, "time": time} for time in times]
        data_set = {"type": "upload", "dataSetType": "continuous"}
        created = api.request("POST", f"/v1/users/{SHARER}/data_sets", data_set, token=owner).json()["data"]
        assert api.request("POST", f"/v1/data_sets/{created['id']}/data", data, token=owner).status == 200
        grant(api, fakes, {"view": {"windowHours": 24}})

        def seen(query: str = "") -> list[str]:
            reply = api.request("GET", f"/data/{SHARER}?type=cbg{query}", token=viewer)
            assert reply.status == 200, reply.body
            return [record["time"] for record in reply.json()]

        assert seen() == times[1:]
        assert seen("&startDate=2025-01-01T00:00:00Z") == times[1:]
        assert seen("&startDate=2025-12-31T06:00:00Z") == times[2:]
        assert seen("&latest=true") == times[2:]
        fakes.now_ms += 1
        assert seen() == times[2:]
        for path in (f"/v1/users/{SHARER}/data_sets", f"/v1/users/{SHARER}/blobs"):
            assert api.request("GET", path, token=viewer).status == 403

    @pytest.mark.parametrize(
        ("permissions", "message"),
        [
            ({"view": {"expiresTime": 1}}, "/view/expiresTime: type is not time, but float64"),
            ({"a/b": {"expiresTime": None}}, "/a~1b/expiresTime: type is not time, but float64"),
            (
                {"view": {"expiresTime": "soon"}},
                '/view/expiresTime: value "soon" is not a parsable time of format '
                '"2006-01-02T15:04:05.999999999Z07:00"',
            ),
            ({"view": {"windowHours": 1.5}}, "/view/windowHours: type is not int, but float64"),
            ({"view": {"windowHours": True}}, "/view/windowHours: type is not int, but bool"),
            ({"view": {"windowHours": 0}}, "/view/windowHours: value 0 is not between 1 and 8784"),
            ({"upload": {"windowHours": 24}}, "/upload/windowHours: value exists"),
        ],
    )
    def test_a_limit_that_cannot_be_read_is_refused(
        self, api: ApiClient, fakes: FakeServices, permissions: dict[str, Any], message: str
    ) -> None:
        reply = api.request("POST", PAIR, permissions, token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (400, {"code": "InvalidContent", "message": message})
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []


@pytest.mark.parametrize("path", ["/access/status", "/metadata/status"])
def test_anyone_may_read_the_status(api: ApiClient, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.status, reply.json()) == (200, {"status": "ok"})
