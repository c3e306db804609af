"""The list of the users that a user shares with. Source: access-api B."""

from typing import Any

import pytest

from tests.api.accounts.metadata_requests import OWNER, PATIENT, STRANGER, VIEWER, put
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices


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

    def test_permissions_of_both_directions_are_shown(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(OWNER, PATIENT, ["upload"])
        patient = self.users_of(api, fakes, "?trustorPermissions=any")[0]
        assert patient["trustorPermissions"] == {"view": {}}
        assert patient["trusteePermissions"] == {"upload": {}}

    def test_only_servers_see_whether_a_password_exists(self, api: ApiClient, fakes: FakeServices) -> None:
        assert all("passwordExists" not in user for user in self.users_of(api, fakes))
        assert all(user["passwordExists"] is False for user in self.users_of(api, fakes, caller="server"))

    def test_a_user_without_grants_gets_an_empty_list(self, api: ApiClient, fakes: FakeServices) -> None:
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
            ("trustorPermissions=view,%20view,", [PATIENT]),
            ("trustorPermissions=,any,", [PATIENT]),
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

    @pytest.mark.parametrize(
        "query",
        [
            "trustorPermissions=any,view",
            "trusteePermissions=none,any",
            "trustorPermissions=any,any",
            "trusteePermissions=none,,none",
        ],
    )
    def test_any_and_none_stand_alone(self, api: ApiClient, fakes: FakeServices, query: str) -> None:
        reply = api.request("GET", f"/metadata/users/{OWNER}/users?{query}", token=fakes.sign_in(OWNER))
        assert (reply.status, reply.json()) == (400, "Query is invalid")

    @pytest.mark.parametrize(
        ("caller", "permissions", "may"),
        [("server", [], True), (OWNER, [], True), (VIEWER, ["custodian"], True), (VIEWER, ["view"], False)],
    )
    def test_only_permitted_callers_may_list_them(
        self, api: ApiClient, fakes: FakeServices, caller: str, permissions: list[str], may: bool
    ) -> None:
        fakes.grant(OWNER, VIEWER, permissions)
        token = fakes.sign_in(caller, is_server=caller == "server")
        reply = api.request("GET", f"/metadata/users/{OWNER}/users", token=token)
        assert reply.status == (200 if may else 401)
        if not may:
            assert reply.json() == "Unauthorized"
