"""Changing and deleting users."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.accounts.account import Account
from chalicelib.accounts.password_sign_in import MAX_ADDRESSES_TRIED, MAX_FAILURES_PER_ACCOUNT
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.errors import UnavailableError
from tests.api.conftest import ApiClient
from tests.api.people import (
    ANNA,
    BEN,
    EXISTS,
    INVALID,
    NOT_AUTHORIZED,
    TOKEN,
    can_sign_in,
    is_valid,
    signed_in,
)
from tests.fakes.services import FakeServices

BAD_UPDATES: tuple[dict[str, Any], ...] = (
    {"username": None},
    {"username": "bad"},
    {"emails": "new@example.org"},
    {"emails": ["bad"]},
    {"username": "new@example.org", "emails": ["other@example.org"]},
    {"username": "new@example.org", "emails": []},
    {"password": "short"},
    {"password": None},
    {"roles": "patient"},
    {"roles": ["king"]},
    {"termsAccepted": "2020-02-02T02:02:02z"},
    {"emailVerified": "true"},
    {"emailVerified": None},
)


def failing(*_: Any, **__: Any) -> None:
    """A store that does not answer."""
    raise UnavailableError


class TestUpdate:
    """PUT /auth/user and /auth/user/{userId}."""

    @pytest.mark.parametrize("path", ["/auth/user", "/auth/user/0123456789"])
    @pytest.mark.parametrize(
        ("updates", "expected"),
        [
            ({}, {}),
            ({"unknown": True}, {}),
            (
                {"username": "New@example.org"},
                {"username": "new@example.org", "emails": ["new@example.org"], "emailVerified": False},
            ),
            (
                {"username": "n@example.org", "emails": ["N@example.org", "b@example.org"]},
                {"username": "n@example.org", "emailVerified": False},
            ),
            ({"username": "ANNA@example.org"}, {"emailVerified": True}),
            ({"emails": ["new@example.org"]}, {"username": "anna@example.org"}),
            ({"termsAccepted": "2020-02-02T02:02:02.123Z"}, {"termsAccepted": "2020-02-02T02:02:02+00:00"}),
            ({"termsAccepted": "2020-02-02T02:02:02.2+02:00"}, {"termsAccepted": "2020-02-02T00:02:02+00:00"}),
            ({"password": "another-password"}, {"emailVerified": True}),
        ],
    )
    def test_what_a_user_may_change(
        self, api: ApiClient, anna: str, path: str, updates: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        before = api.request("GET", "/auth/user", token=anna).json()
        reply = api.request("PUT", path, {"updates": updates}, token=anna)
        assert reply.status == 200
        assert reply.json() == before | expected | {"emails": [reply.json()["username"]]}
        assert api.request("GET", "/auth/user", token=anna).json() == reply.json()

    def test_a_changed_address_is_not_verified_and_the_account_signs_in_with_it(
        self, api: ApiClient, anna: str, server: str
    ) -> None:
        for email in ("new@example.org", "newer@example.org", "anna@example.org"):
            reply = api.request("PUT", "/auth/user", {"updates": {"username": email}}, token=anna)
            assert (reply.status, reply.json()["emailVerified"]) == (200, False)
            assert can_sign_in(api, email, "password")
        path = f"/auth/user/{ANNA.user_id}"
        reply = api.request("PUT", path, {"updates": {"emailVerified": True}}, token=server)
        assert reply.json()["emailVerified"] is True
        updates = {"username": "verified@example.org", "emailVerified": True}
        assert api.request("PUT", path, {"updates": updates}, token=server).json()["emailVerified"] is True
        updates = {"emailVerified": False}
        assert api.request("PUT", path, {"updates": updates}, token=server).json()["emailVerified"] is False

    def test_an_account_that_was_never_verified_does_not_sign_in_after_a_change_of_its_address(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.accounts.create(replace(ANNA, email_verified=False))
        api.request("PUT", "/auth/user", {"updates": {"username": "n@example.org"}}, token=fakes.sign_in(ANNA.user_id))
        assert not can_sign_in(api, "n@example.org", "password")

    def test_a_person_takes_an_address_from_a_custodial_account(
        self, api: ApiClient, anna: str, ben: str, server: str
    ) -> None:
        body = {"username": "new@example.org"}
        child = api.request("POST", f"/auth/user/{BEN.user_id}/user", body, token=ben).json()["userid"]
        assert api.request("PUT", "/auth/user", {"updates": body}, token=anna).json()["username"] == "new@example.org"
        assert "username" not in api.request("GET", f"/auth/user/{child}", token=ben).json()
        reply = api.request("PUT", f"/auth/user/{child}", {"updates": body}, token=ben)
        assert (reply.status, reply.json()) == (409, EXISTS)

    def test_a_user_tries_a_limited_number_of_addresses(self, api: ApiClient, anna: str, server: str) -> None:
        for number in range(MAX_ADDRESSES_TRIED):
            updates = {"username": f"n{number}@example.org"}
            assert api.request("PUT", "/auth/user", {"updates": updates}, token=anna).status == 200
        body = {"updates": {"username": "other@example.org"}}
        assert api.request("PUT", "/auth/user", body, token=anna).status == 429
        custodial = {"username": "child@example.org"}
        assert api.request("POST", f"/auth/user/{ANNA.user_id}/user", custodial, token=anna).status == 429
        assert api.request("POST", f"/auth/user/{ANNA.user_id}/user", {}, token=anna).status == 201
        assert api.request("PUT", f"/auth/user/{ANNA.user_id}", body, token=server).status == 200

    def test_a_new_password_replaces_the_old_one(self, api: ApiClient, anna: str) -> None:
        assert can_sign_in(api, "anna@example.org", "password")
        api.request("PUT", "/auth/user", {"updates": {"password": "another-password"}}, token=anna)
        assert not can_sign_in(api, "anna@example.org", "password")
        assert can_sign_in(api, "anna@example.org", "another-password")

    def test_a_new_password_ends_all_logins_but_the_callers_own(self, api: ApiClient, anna: str, ben: str) -> None:
        others = [signed_in(api, "anna@example.org", "password") for _ in range(2)]
        others.append(api.request("GET", "/auth/login", token=others[0]).headers[TOKEN])
        refreshed = api.request("GET", "/auth/login", token=anna).headers[TOKEN]
        reply = api.request("PUT", "/auth/user", {"updates": {"password": "another-password"}}, token=refreshed)
        assert reply.status == 200
        assert [is_valid(api, token) for token in (anna, refreshed, ben)] == [True] * 3
        assert [is_valid(api, token) for token in others] == [False] * 3

    def test_a_new_password_ends_restricted_tokens(self, api: ApiClient, fakes: FakeServices, anna: str) -> None:
        made = api.request("POST", f"/v1/users/{ANNA.user_id}/restricted_tokens", {}, token=anna).json()["id"]
        path = f"/data/{ANNA.user_id}?restricted_token={made}"
        assert api.request("GET", path).status == 200
        assert api.request("PUT", "/auth/user", {"updates": {}}, token=anna).status == 200
        assert api.request("GET", path).status == 200
        assert api.request("PUT", "/auth/user", {"updates": {"password": "another-password"}}, token=anna).status == 200
        assert api.request("GET", path).status == 401
        assert fakes.restricted_tokens.of_user(ANNA.user_id) == []

    def test_a_password_that_a_server_sets_ends_all_logins(self, api: ApiClient, anna: str, server: str) -> None:
        updates = {"password": "another-password"}
        assert api.request("PUT", f"/auth/user/{ANNA.user_id}", {"updates": updates}, token=server).status == 200
        assert not is_valid(api, anna)
        assert api.request("GET", "/auth/token", token=server).status == 200

    @pytest.mark.parametrize("updates", [{"username": "new@example.org"}, {"password": "short"}, {}])
    def test_no_other_change_ends_a_login(self, api: ApiClient, anna: str, updates: dict[str, Any]) -> None:
        other = signed_in(api, "anna@example.org", "password")
        api.request("PUT", "/auth/user", {"updates": updates}, token=anna)
        assert is_valid(api, other)

    def test_an_interrupted_password_change_is_completed_by_the_next_one(
        self, api: ApiClient, fakes: FakeServices, anna: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = signed_in(api, "anna@example.org", "password")
        body = {"updates": {"password": "another-password"}}
        with monkeypatch.context() as patched:
            patched.setattr(fakes.sessions, "end_all", failing)
            assert api.request("PUT", "/auth/user", body, token=anna).status == 503
        assert api.request("PUT", "/auth/user", body, token=anna).status == 200
        assert [is_valid(api, token) for token in (anna, other)] == [True, False]

    @pytest.mark.parametrize("emails", [[], None])
    def test_an_empty_list_of_addresses_removes_the_address(self, api: ApiClient, anna: str, emails: Any) -> None:
        reply = api.request("PUT", "/auth/user", {"updates": {"emails": emails}}, token=anna)
        assert reply.status == 200
        assert reply.json().keys() == {"userid", "roles", "termsAccepted", "emailVerified"}
        assert reply.json()["emailVerified"] is True

    @pytest.mark.parametrize(
        "body",
        [
            None,
            b"{",
            [],
            {},
            {"updates": None},
            {"updates": []},
            {"username": "new@example.org"},
            *({"updates": updates} for updates in BAD_UPDATES),
        ],
    )
    def test_a_broken_rule_changes_nothing(
        self, api: ApiClient, fakes: FakeServices, server: str, anna: str, body: Any
    ) -> None:
        for token in (anna, server):
            reply = api.request("PUT", f"/auth/user/{ANNA.user_id}", body, token=token)
            assert (reply.status, reply.json()) == (400, INVALID)
        assert fakes.accounts.find(ANNA.user_id) == ANNA

    @pytest.mark.parametrize("updates", [{"roles": ["clinic"]}, {"roles": None}, {"emailVerified": True}])
    def test_roles_and_verification_are_for_servers(
        self, api: ApiClient, anna: str, server: str, updates: dict[str, Any]
    ) -> None:
        path = f"/auth/user/{ANNA.user_id}"
        reply = api.request("PUT", path, {"updates": updates}, token=anna)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)
        reply = api.request("PUT", path, {"updates": updates}, token=server)
        assert reply.status == 200
        expected = {name: [] if value is None else value for name, value in updates.items()}
        assert expected.items() <= reply.json().items()

    def test_the_body_is_checked_before_the_user_and_the_permission(self, api: ApiClient, ben: str) -> None:
        for user_id in ("ffffffffff", ANNA.user_id):
            assert api.request("PUT", f"/auth/user/{user_id}", {}, token=ben).json() == INVALID

    def test_updating_an_unknown_user_is_refused_like_one_without_permission(
        self, api: ApiClient, server: str, ben: str
    ) -> None:
        for token in (server, ben):
            reply = api.request("PUT", "/auth/user/ffffffffff", {"updates": {}}, token=token)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_nobody_may_change_a_brokered_user(self, api: ApiClient, fakes: FakeServices, server: str) -> None:
        fakes.accounts.create(replace(ANNA, roles=("brokered",)))
        for token in (server, fakes.sign_in(ANNA.user_id)):
            reply = api.request("PUT", f"/auth/user/{ANNA.user_id}", {"updates": {}}, token=token)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    @pytest.mark.parametrize("permissions", [[], ["view", "upload", "note"]])
    def test_other_users_may_not_change_the_account(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, permissions: list[str]
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, permissions)
        reply = api.request("PUT", f"/auth/user/{ANNA.user_id}", {"updates": {}}, token=ben)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_a_custodian_may_change_the_address_and_nothing_of_weight(
        self, api: ApiClient, anna: str, child: Account
    ) -> None:
        path = f"/auth/user/{child.user_id}"
        reply = api.request("PUT", path, {"updates": {"username": "child@example.org"}}, token=anna)
        assert reply.status == 200
        assert reply.json()["username"] == "child@example.org"
        for updates in ({"password": "new-password"}, {"termsAccepted": "2020-02-02T02:02:02+00:00"}):
            reply = api.request("PUT", path, {"updates": updates}, token=anna)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    @pytest.mark.parametrize("updates", [{"username": "ben@elsewhere.org"}, {"emails": []}])
    def test_a_custodian_does_not_take_the_account_of_a_person_by_its_address(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, updates: dict[str, Any]
    ) -> None:
        """With the address, the custodian could ask for a new password."""
        fakes.grant(ANNA.user_id, BEN.user_id, ["custodian", "view", "upload"])
        reply = api.request("PUT", f"/auth/user/{ANNA.user_id}", {"updates": updates}, token=ben)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)
        assert fakes.accounts.find(ANNA.user_id) == ANNA

    def test_the_address_of_another_user_is_refused(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        reply = api.request("PUT", "/auth/user", {"updates": {"username": "BEN@example.org"}}, token=anna)
        assert (reply.status, reply.json()) == (409, EXISTS)
        assert fakes.accounts.find(ANNA.user_id) == ANNA

    def test_a_first_password_claims_a_custodial_account(
        self, api: ApiClient, fakes: FakeServices, server: str, anna: str, child: Account
    ) -> None:
        updates = {"username": "child@example.org", "password": "new-password", "emailVerified": True}
        reply = api.request("PUT", f"/auth/user/{child.user_id}", {"updates": updates}, token=server)
        assert reply.json()["roles"] == ["patient"]
        assert reply.json()["passwordExists"] is True
        assert can_sign_in(api, "child@example.org", "new-password")
        assert fakes.grants.permissions(child.user_id, ANNA.user_id) == {"view", "upload"}

    @pytest.mark.parametrize("token", [None, "unknown"])
    def test_a_token_is_needed(self, api: ApiClient, token: str | None) -> None:
        reply = api.request("PUT", "/auth/user", b"{", token=token)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)


class TestDelete:
    """DELETE /auth/user/{userId}."""

    def test_a_user_may_delete_their_own_account_with_the_password(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, child: Account
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        reply = api.request("DELETE", f"/auth/user/{ANNA.user_id}", {"password": "password"}, token=anna)
        assert (reply.status, reply.body) == (204, b"")
        assert fakes.accounts.find(ANNA.user_id) is None
        assert [deletion.user_id for deletion in fakes.accounts.deletions()] == [ANNA.user_id]
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []
        assert api.request("GET", "/auth/token", token=anna).status == 401
        assert not can_sign_in(api, "anna@example.org", "password")

    @pytest.mark.parametrize("body", [None, b"{", [], {}, {"password": None}, {"password": 1}, {"password": "wrong"}])
    def test_a_user_may_not_delete_their_own_account_without_the_password(
        self, api: ApiClient, fakes: FakeServices, anna: str, body: Any
    ) -> None:
        reply = api.request("DELETE", f"/auth/user/{ANNA.user_id}", body, token=anna)
        assert (reply.status, reply.json()) == (403, {"code": 403, "reason": "Missing id and/or password"})
        assert fakes.accounts.find(ANNA.user_id) == ANNA

    def test_a_stolen_session_cannot_guess_the_password(self, api: ApiClient, anna: str) -> None:
        path = f"/auth/user/{ANNA.user_id}"
        for _ in range(MAX_FAILURES_PER_ACCOUNT):
            assert api.request("DELETE", path, {"password": "wrong"}, token=anna).status == 403
        assert api.request("DELETE", path, {"password": "password"}, token=anna).status == 429

    def test_custodian_and_server_need_no_password(
        self, api: ApiClient, fakes: FakeServices, server: str, anna: str, child: Account
    ) -> None:
        assert api.request("DELETE", f"/auth/user/{child.user_id}", token=anna).status == 204
        assert api.request("DELETE", f"/auth/user/{ANNA.user_id}", token=server).status == 204
        assert fakes.items(ACCOUNTS, sort_key="ACCOUNT") == []

    def test_a_server_may_delete_an_unknown_user(self, api: ApiClient, server: str) -> None:
        for _ in range(2):
            assert api.request("DELETE", "/auth/user/ffffffffff", token=server).status == 204

    @pytest.mark.parametrize("permissions", [[], ["view", "upload", "note"]])
    def test_other_users_may_not_delete_the_account(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, permissions: list[str]
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, permissions)
        for user_id in (ANNA.user_id, "ffffffffff"):
            reply = api.request("DELETE", f"/auth/user/{user_id}", {"password": "password"}, token=ben)
            assert (reply.status, reply.body) == (401, b"")
        assert fakes.accounts.find(ANNA.user_id) == ANNA

    @pytest.mark.parametrize("role", ["clinic", "clinician"])
    def test_an_account_of_a_clinic_stays(self, api: ApiClient, fakes: FakeServices, server: str, role: str) -> None:
        fakes.accounts.create(replace(ANNA, roles=(role,)))
        for token in (server, fakes.sign_in(ANNA.user_id)):
            reply = api.request("DELETE", f"/auth/user/{ANNA.user_id}", {"password": "password"}, token=token)
            assert (reply.status, reply.body) == (401, b"")

    @pytest.mark.parametrize("token", [None, "unknown"])
    def test_a_token_is_needed(self, api: ApiClient, token: str | None) -> None:
        reply = api.request("DELETE", f"/auth/user/{ANNA.user_id}", token=token)
        assert (reply.status, reply.body) == (401, b"")
