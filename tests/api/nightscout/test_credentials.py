"""Nightscout credentials: made, listed and revoked. Source: nightscout-api 15 and 17."""

import re
from typing import Any

import pytest

from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.nightscout.credentials import MAX_CREDENTIALS
from tests.api.conftest import ApiClient, Reply
from tests.api.nightscout.conftest import PATH, PHONE, PUMP
from tests.api.people import ANNA, BEN
from tests.fakes.services import FakeServices


def may_read(api: ApiClient, token: str) -> bool:
    """Whether a token opens anything."""
    can_read: bool = api.request("GET", "/api/v1/verifyauth", api_secret=token).json()["message"]["canRead"]
    return can_read


class TestMaking:
    def test_the_owner_gets_a_token_of_nightscouts_form(self, api: ApiClient, anna: str) -> None:
        reply = api.request("POST", PATH, PHONE, token=anna)
        issued = reply.json()
        assert reply.status == 201
        assert re.fullmatch("mumsphone-[0-9a-f]{32}", issued.pop("token"))
        assert issued == {
            "id": issued["id"],
            "name": "Mum's phone",
            "scope": "read",
            "createdTime": "2026-01-01T00:00:00Z",
        }
        assert reply.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        ("name", "prefix"), [("Grandmother's telephone", "grandmothe"), ("手机", "strandline"), ("A B-C", "abc")]
    )
    def test_a_token_begins_with_letters_and_digits_of_its_name(
        self, api: ApiClient, anna: str, name: str, prefix: str
    ) -> None:
        token = api.request("POST", PATH, {"name": name, "scope": "read"}, token=anna).json()["token"]
        assert token.partition("-")[0] == prefix

    def test_neither_the_token_nor_its_digest_is_stored(
        self, api: ApiClient, fakes: FakeServices, phone: dict[str, Any]
    ) -> None:
        stored = str(fakes.items(ACCOUNTS))
        chance = phone["token"].partition("-")[2]
        assert "credential_hash" in stored
        assert phone["token"] not in stored
        assert f"-{chance}" not in stored

    @pytest.mark.parametrize(
        ("body", "pointers"),
        [
            ({}, ["/name", "/scope"]),
            ({"name": "", "scope": "admin"}, ["/name", "/scope"]),
            ({"name": "a" * 65, "scope": "read"}, ["/name"]),
            ({"name": 1, "scope": ["read"]}, ["/name", "/scope"]),
            ({"name": "a", "scope": "read", "token": "mine"}, ["/token"]),
        ],
    )
    def test_a_wrong_body_is_refused_with_each_fault(
        self, api: ApiClient, anna: str, body: Any, pointers: list[str]
    ) -> None:
        reply = api.request("POST", PATH, body, token=anna)
        faults = reply.json().get("errors", [reply.json()])
        assert reply.status == 400
        assert [fault["source"]["pointer"] for fault in faults] == pointers

    @pytest.mark.parametrize("body", [b"[]", b'"read"', b"{", b""])
    def test_a_body_that_is_no_object_is_refused(self, api: ApiClient, anna: str, body: bytes) -> None:
        assert api.request("POST", PATH, body, token=anna).status == 400

    def test_a_user_has_a_limited_number_and_may_make_another_after_revoking_one(
        self, api: ApiClient, anna: str
    ) -> None:
        made = [api.request("POST", PATH, PHONE, token=anna).json() for _ in range(MAX_CREDENTIALS)]
        assert api.request("POST", PATH, PHONE, token=anna).status == 409
        assert api.request("DELETE", f"{PATH}/{made[0]['id']}", token=anna).status == 204
        assert api.request("POST", PATH, PHONE, token=anna).status == 201
        assert api.request("POST", PATH, PHONE, token=anna).status == 409


class TestRepetitions:
    """Requests with an `Idempotency-Key`, whose token is shown once and stored nowhere."""

    def made(self, api: ApiClient, token: str, body: Any = PHONE, user_id: str = ANNA.user_id) -> Reply:
        """The reply to a request with the key."""
        return api.request("POST", PATH.replace(ANNA.user_id, user_id), body, token=token, Idempotency_Key="k")

    def test_a_repetition_leaves_one_credential_with_a_new_token(self, api: ApiClient, anna: str) -> None:
        first, second = self.made(api, anna).json(), self.made(api, anna).json()
        assert first["id"] == second["id"]
        assert (may_read(api, first["token"]), may_read(api, second["token"])) == (False, True)
        assert [credential["id"] for credential in api.request("GET", PATH, token=anna).json()] == [first["id"]]

    def test_one_that_was_used_stays_as_it_is(self, api: ApiClient, anna: str) -> None:
        first = self.made(api, anna).json()
        assert may_read(api, first["token"])
        assert self.made(api, anna).status == 409
        assert may_read(api, first["token"])

    def test_another_credential_with_the_same_key_is_a_conflict(self, api: ApiClient, anna: str) -> None:
        first = self.made(api, anna).json()
        assert self.made(api, anna, PUMP).status == 409
        assert may_read(api, first["token"])

    def test_keys_of_owner_and_grantee_are_their_own(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        tokens = [self.made(api, caller).json()["token"] for caller in (anna, ben)]
        assert [may_read(api, token) for token in tokens] == [True, True]

    def test_repetitions_make_no_room_beyond_the_limit(self, api: ApiClient, anna: str) -> None:
        for _ in range(MAX_CREDENTIALS + 1):
            assert self.made(api, anna).status == 201
        for _ in range(MAX_CREDENTIALS - 1):
            assert api.request("POST", PATH, PHONE, token=anna).status == 201
        assert api.request("POST", PATH, PHONE, token=anna).status == 409


class TestWhoMay:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_strangers_servers_and_nobody_may_not(
        self, api: ApiClient, anna: str, ben: str, server: str, method: str
    ) -> None:
        assert api.request(method, PATH, PHONE, token=ben).status == 403
        assert api.request(method, PATH, PHONE, token=server).status == 403
        assert api.request(method, PATH, PHONE).status == 401

    def test_a_restricted_token_may_not(self, api: ApiClient, anna: str) -> None:
        made = api.request("POST", f"/v1/users/{ANNA.user_id}/restricted_tokens", {}, token=anna).json()["id"]
        assert api.request("POST", f"{PATH}?restricted_token={made}", PHONE).status == 403

    def test_a_credential_opens_no_other_api(self, api: ApiClient, phone: dict[str, Any]) -> None:
        jwt = api.request("GET", f"/api/v2/authorization/request/{phone['token']}").json()["token"]
        for sent in (phone["token"], jwt):
            assert api.request("GET", PATH, token=sent).status == 401
            assert api.request("GET", f"/data/{ANNA.user_id}", token=sent).status == 401
            assert api.request("GET", PATH, Authorization=f"Bearer {sent}").status == 401

    def test_no_credential_of_another_api_opens_this_one(self, api: ApiClient, anna: str, server: str) -> None:
        made = api.request("POST", f"/v1/users/{ANNA.user_id}/restricted_tokens", {}, token=anna).json()["id"]
        for sent in (anna, server, made):
            assert not may_read(api, sent)


class TestGrantees:
    def test_a_grantee_who_views_all_data_makes_a_credential_to_read(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        issued = api.request("POST", PATH, PHONE, token=ben)
        assert issued.status == 201
        assert may_read(api, issued.json()["token"])
        assert api.request("POST", PATH, PUMP, token=ben).status == 403

    def test_a_view_of_the_last_hours_is_not_enough(self, api: ApiClient, anna: str, ben: str) -> None:
        grant = f"/access/{ANNA.user_id}/{BEN.user_id}"
        assert api.request("POST", grant, {"view": {"windowHours": 3}}, token=anna).status == 200
        assert api.request("POST", PATH, PHONE, token=ben).status == 403

    def test_a_grantee_sees_and_revokes_their_own(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, phone: dict[str, Any]
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        own = api.request("POST", PATH, PHONE, token=ben).json()
        assert [listed["id"] for listed in api.request("GET", PATH, token=ben).json()] == [own["id"]]
        assert len(api.request("GET", PATH, token=anna).json()) == 2
        assert api.request("DELETE", f"{PATH}/{phone['id']}", token=ben).status == 404
        assert api.request("DELETE", f"{PATH}/{own['id']}", token=ben).status == 204

    @pytest.mark.parametrize("permissions", [{}, {"upload": {}}, {"view": {"windowHours": 24}}])
    def test_what_they_made_ends_with_the_grant(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, permissions: Any
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        token = api.request("POST", PATH, PHONE, token=ben).json()["token"]
        grant = f"/access/{ANNA.user_id}/{BEN.user_id}"
        assert api.request("POST", grant, permissions, token=anna).status == 200
        assert api.request("GET", PATH, token=anna).json() == []
        api.request("POST", grant, {"view": {}}, token=anna)
        assert not may_read(api, token)

    def test_it_ends_with_a_grant_that_expires_and_does_not_come_back(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        grant = f"/access/{ANNA.user_id}/{BEN.user_id}"
        api.request("POST", grant, {"view": {"expiresTime": "2026-01-01T01:00:00Z"}}, token=anna)
        token = api.request("POST", PATH, PHONE, token=ben).json()["token"]
        assert may_read(api, token)
        fakes.now_ms += 3_600_000
        assert not may_read(api, token)
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        assert not may_read(api, token)


class TestRevoking:
    def test_a_revoked_credential_and_its_jwt_open_nothing(
        self, api: ApiClient, anna: str, phone: dict[str, Any]
    ) -> None:
        jwt = api.request("GET", f"/api/v2/authorization/request/{phone['token']}").json()["token"]
        assert api.request("DELETE", f"{PATH}/{phone['id']}", token=anna).status == 204
        assert not may_read(api, phone["token"])
        rights = api.request("GET", "/api/v1/verifyauth", Authorization=f"Bearer {jwt}").json()["message"]
        assert (rights["canRead"], rights["message"]) == (False, "UNAUTHORIZED")
        assert api.request("GET", f"/api/v2/authorization/request/{jwt}").status == 401

    @pytest.mark.parametrize("credential_id", ["unknown", "%00", "a" * 3000])
    def test_an_unknown_one_is_not_found(self, api: ApiClient, anna: str, credential_id: str) -> None:
        assert api.request("DELETE", f"{PATH}/{credential_id}", token=anna).status == 404

    def test_deleting_the_account_ends_all(
        self, api: ApiClient, fakes: FakeServices, anna: str, phone: dict[str, Any]
    ) -> None:
        assert api.request("DELETE", f"/auth/user/{ANNA.user_id}", {"password": "password"}, token=anna).status == 204
        assert not may_read(api, phone["token"])
        assert fakes.items(ACCOUNTS, sort_key="NIGHTSCOUT") == []

    def test_a_new_password_leaves_them(self, api: ApiClient, anna: str, phone: dict[str, Any]) -> None:
        api.request("PUT", f"/auth/user/{ANNA.user_id}", {"updates": {"password": "another-one?"}}, token=anna)
        assert may_read(api, phone["token"])


class TestListing:
    def test_the_newest_comes_first_and_none_has_a_token(
        self, api: ApiClient, fakes: FakeServices, anna: str, phone: dict[str, Any]
    ) -> None:
        fakes.now_ms += 1000
        pump = api.request("POST", PATH, PUMP, token=anna).json()
        listed = api.request("GET", PATH, token=anna).json()
        expected = [dict(issued) for issued in (pump, phone)]
        for issued in expected:
            del issued["token"]
        assert listed == expected

    def test_the_last_use_is_exact_to_a_day(
        self, api: ApiClient, fakes: FakeServices, anna: str, phone: dict[str, Any]
    ) -> None:
        used = []
        for hours in (0, 23, 1):
            fakes.now_ms += hours * 3_600_000
            assert may_read(api, phone["token"])
            again = fakes.sign_in(ANNA.user_id)
            used.append(api.request("GET", PATH, token=again).json()[0]["lastUsedTime"])
        assert used == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
