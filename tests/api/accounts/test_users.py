"""Signing up, reading, changing, deleting and listing users."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.accounts.password_sign_in import MAX_FAILURES_PER_ADDRESS
from chalicelib.engine.definitions import ACCOUNTS
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA, BEN, EXISTS, INVALID, NOT_AUTHORIZED, NOT_FOUND, TOKEN, can_sign_in
from tests.fakes.services import INVITATION_CODE, START_MS, FakeServices

SIGN_UP: dict[str, Any] = {"username": "anna@example.org", "emails": ["anna@example.org"], "password": "password"}
LONGEST_EMAIL = "x" * 242 + "@example.org"
"""Of 254 characters."""

BAD_USERNAMES: tuple[Any, ...] = (
    None,
    1,
    "",
    "anna",
    "a@b",
    "a b@c.org",
    "a@@c.org",
    "a@c.o",
    "a@c.o1",
    "a@.org",
    "@c.org",
)
BAD_EMAILS: tuple[Any, ...] = (None, [], {}, "anna@example.org", [1], ["bad"], ["a@example.org", "bad"])
BAD_PASSWORDS: tuple[Any, ...] = (None, 1, "", "1234567", "x" * 73, "with blank", "line\nbreak", "password\n")
BAD_TIMES: tuple[Any, ...] = (
    None,
    1,
    "",
    "2017-02-06",
    "2017-02-06T10:37:46z",
    "2017-02-06T10:37:46",
    "2017-02-30T10:37:46+00:00",
    "2017-02-06T25:37:46+00:00",
    "2017-02-06T10:37:46+0000",
)
BAD_ROLES: tuple[Any, ...] = ("patient", {}, ["Patient"], ["admin"], [1], [None])


def without(name: str) -> dict[str, Any]:
    """A sign-up that lacks a field."""
    return {key: value for key, value in SIGN_UP.items() if key != name}


class TestSignUp:
    """POST /auth/user."""

    def test_a_new_user_is_signed_in_and_ready_for_every_client(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = api.request("POST", "/auth/user", SIGN_UP)
        assert reply.status == 201
        user = reply.json()
        assert user == {
            "emailVerified": True,
            "emails": ["anna@example.org"],
            "roles": ["patient"],
            "termsAccepted": "2026-01-01T00:00:00+00:00",
            "userid": "00000000-0000-4000-8000-000000000001",
            "username": "anna@example.org",
        }
        assert api.request("GET", "/auth/user", token=reply.headers[TOKEN]).json() == user
        assert can_sign_in(api, "anna@example.org", "password")

    def test_the_password_is_stored_as_a_hash_only(self, api: ApiClient, fakes: FakeServices) -> None:
        user_id = api.request("POST", "/auth/user", SIGN_UP).json()["userid"]
        account = fakes.accounts.find(user_id)
        assert account is not None
        assert account.password_hash == "now:password"

    @pytest.mark.parametrize(
        ("extra", "expected"),
        [
            ({"roles": ["clinic", "clinician", "clinic"]}, {"roles": ["clinic", "clinician"]}),
            ({"roles": []}, {"roles": []}),
            ({"roles": None}, {"roles": []}),
            ({"unknown": 1, "emailVerified": False}, {"emailVerified": True}),
            ({"termsAccepted": "2017-02-06T10:37:46+00:00"}, {"termsAccepted": "2017-02-06T10:37:46+00:00"}),
            ({"termsAccepted": "2017-02-06T10:37:46Z"}, {"termsAccepted": "2017-02-06T10:37:46+00:00"}),
            ({"termsAccepted": "2017-02-06T10:37:46.987-08:00"}, {"termsAccepted": "2017-02-06T18:37:46+00:00"}),
            ({"emails": ["Anna.B@Sub.Example.org", "c@example.org"]}, {"username": "anna.b@sub.example.org"}),
            ({"username": "other@example.org"}, {"username": "anna@example.org", "emails": ["anna@example.org"]}),
            ({"emails": [LONGEST_EMAIL]}, {"username": LONGEST_EMAIL}),
            ({"password": "x" * 72}, {}),
            ({"password": "pässwörd"}, {}),
            ({"password": "two\u00a0words\u3000\v"}, {}),
        ],
    )
    def test_valid_sign_ups_are_accepted(self, api: ApiClient, extra: dict[str, Any], expected: dict[str, Any]) -> None:
        reply = api.request("POST", "/auth/user", SIGN_UP | extra)
        assert reply.status == 201
        assert expected.items() <= reply.json().items()

    @pytest.mark.parametrize(
        "body",
        [
            None,
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            without("username"),
            without("emails"),
            without("password"),
            *(SIGN_UP | {"username": value} for value in BAD_USERNAMES),
            SIGN_UP | {"username": LONGEST_EMAIL.replace("@", "x@")},
            SIGN_UP | {"emails": [LONGEST_EMAIL.replace("@", "x@")]},
            *(SIGN_UP | {"emails": value} for value in BAD_EMAILS),
            *(SIGN_UP | {"password": value} for value in BAD_PASSWORDS),
            *(SIGN_UP | {"roles": value} for value in BAD_ROLES),
            *(SIGN_UP | {"termsAccepted": value} for value in BAD_TIMES),
        ],
    )
    def test_each_broken_rule_gets_the_same_reply_and_stores_nothing(
        self, api: ApiClient, fakes: FakeServices, body: Any
    ) -> None:
        reply = api.request("POST", "/auth/user", body)
        assert (reply.status, reply.json()) == (400, INVALID)
        assert fakes.items(ACCOUNTS, sort_key="ACCOUNT") == []

    @pytest.mark.parametrize("email", ["anna@example.org", "ANNA@example.org"])
    def test_an_address_belongs_to_one_account(self, api: ApiClient, anna: str, email: str) -> None:
        reply = api.request("POST", "/auth/user", SIGN_UP | {"emails": [email]})
        assert (reply.status, reply.json()) == (409, EXISTS)
        assert TOKEN not in reply.headers

    def test_a_custodial_account_does_not_keep_the_owner_of_its_address_out(
        self, api: ApiClient, fakes: FakeServices, anna: str
    ) -> None:
        body = {"username": "ben@example.org"}
        child = api.request("POST", f"/auth/user/{ANNA.user_id}/user", body, token=anna).json()["userid"]
        reply = api.request("POST", "/auth/user", SIGN_UP | {"emails": ["Ben@example.org"]})
        assert (reply.status, reply.json()["username"]) == (201, "ben@example.org")
        shown = api.request("GET", f"/auth/user/{child}", token=anna).json()
        assert shown == {"emailVerified": False, "roles": ["custodial_account", "patient"], "userid": child}
        assert fakes.grants.permissions(child, ANNA.user_id) == {"custodian", "view", "upload"}
        assert api.request("POST", "/auth/user", SIGN_UP | {"emails": ["ben@example.org"]}).json() == EXISTS

    def test_where_addresses_are_verified_the_token_works_and_login_waits(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.settings = replace(fakes.settings, verifies_emails=True)
        wiring.override(fakes.services)
        reply = api.request("POST", "/auth/user", SIGN_UP)
        assert reply.json()["emailVerified"] is False
        assert "termsAccepted" not in reply.json()
        assert api.request("GET", "/auth/user", token=reply.headers[TOKEN]).status == 200
        assert not can_sign_in(api, "anna@example.org", "password")

    def test_a_large_body_is_refused(self, api: ApiClient) -> None:
        reply = api.request("POST", "/auth/user", b" " * 300_000)
        assert reply.status == 413
        assert reply.json()["code"] == 413


class TestSignUpModes:
    """A setting says who may sign up."""

    CLOSED = {"code": 403, "reason": "Sign-up is not open"}  # noqa: RUF012  read only

    def sign_up(self, api: ApiClient, fakes: FakeServices, mode: str, body: Any) -> Reply:
        """The answer on a stage of this mode."""
        fakes.settings = replace(fakes.settings, sign_up=mode)
        wiring.override(fakes.services)
        return api.request("POST", "/auth/user", body)

    @pytest.mark.parametrize("mode", ["closed", "", "Open", "unknown"])
    def test_any_mode_but_open_is_closed(self, api: ApiClient, fakes: FakeServices, mode: str) -> None:
        reply = self.sign_up(api, fakes, mode, SIGN_UP | {"invitationCode": INVITATION_CODE})
        assert (reply.status, reply.json()) == (403, self.CLOSED)
        assert fakes.items(ACCOUNTS, sort_key="ACCOUNT") == []

    def test_the_invitation_code_opens_sign_up(self, api: ApiClient, fakes: FakeServices) -> None:
        body = SIGN_UP | {"invitationCode": INVITATION_CODE}
        assert self.sign_up(api, fakes, "invitation", body).status == 201

    @pytest.mark.parametrize("code", [None, 1, "", "wrong", INVITATION_CODE + "x"])
    def test_a_wrong_invitation_code_does_not_open_sign_up(
        self, api: ApiClient, fakes: FakeServices, code: Any
    ) -> None:
        reply = self.sign_up(api, fakes, "invitation", SIGN_UP | {"invitationCode": code})
        assert (reply.status, reply.json()) == (403, self.CLOSED)

    def test_guesses_of_the_invitation_code_are_limited(self, api: ApiClient, fakes: FakeServices) -> None:
        for _ in range(MAX_FAILURES_PER_ADDRESS):
            self.sign_up(api, fakes, "invitation", SIGN_UP | {"invitationCode": "wrong"})
        reply = self.sign_up(api, fakes, "invitation", SIGN_UP | {"invitationCode": INVITATION_CODE})
        assert reply.status == 429


class TestRead:
    """GET /auth/user, /auth/user/{userId} and /v1/users/{userId}."""

    @pytest.mark.parametrize(
        "path", ["/auth/user", "/auth/user/0123456789", "/auth/user/Anna@example.org", "/v1/users/0123456789"]
    )
    def test_a_user_may_read_their_own_account(self, api: ApiClient, anna: str, path: str) -> None:
        reply = api.request("GET", path, token=anna)
        assert reply.status == 200
        assert reply.json() == {
            "emailVerified": True,
            "emails": ["anna@example.org"],
            "roles": ["patient"],
            "termsAccepted": "2026-01-01T00:00:00+00:00",
            "userid": "0123456789",
            "username": "anna@example.org",
        }

    def test_a_server_sees_whether_an_account_has_a_password(
        self, api: ApiClient, server: str, anna: str, child: Account
    ) -> None:
        assert api.request("GET", f"/auth/user/{ANNA.user_id}", token=server).json()["passwordExists"] is True
        assert api.request("GET", f"/auth/user/{child.user_id}", token=server).json() == {
            "emailVerified": False,
            "passwordExists": False,
            "roles": ["custodial_account", "patient"],
            "userid": child.user_id,
        }

    def test_a_custodian_may_read_the_account(self, api: ApiClient, anna: str, child: Account) -> None:
        reply = api.request("GET", f"/auth/user/{child.user_id}", token=anna)
        assert reply.json() == {
            "emailVerified": False,
            "roles": ["custodial_account", "patient"],
            "userid": child.user_id,
        }

    @pytest.mark.parametrize("permissions", [[], ["view"], ["upload"], ["note"], ["root"]])
    def test_other_users_may_not_read_the_account(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, permissions: list[str]
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, permissions)
        reply = api.request("GET", f"/auth/user/{ANNA.user_id}", token=ben)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    @pytest.mark.parametrize("user_id", ["ffffffffff", "nobody@example.org", "x" * 5000])
    def test_an_unknown_user_is_reported_before_permissions_are_checked(
        self, api: ApiClient, anna: str, user_id: str
    ) -> None:
        reply = api.request("GET", f"/auth/user/{user_id}", token=anna)
        assert (reply.status, reply.json()) == (404, NOT_FOUND)

    def test_an_address_does_not_tell_whether_it_has_an_account(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, server: str
    ) -> None:
        replies = [
            api.request("GET", f"/auth/user/{email}", token=ben)
            for email in ("anna@example.org", "ANNA@example.org", "nobody@example.org")
        ]
        assert [(reply.status, reply.json()) for reply in replies] == [(404, NOT_FOUND)] * 3
        for token in (anna, server):
            assert api.request("GET", "/auth/user/anna@example.org", token=token).json()["userid"] == ANNA.user_id
        fakes.grant(ANNA.user_id, BEN.user_id, ["custodian"])
        assert api.request("GET", "/auth/user/anna@example.org", token=ben).status == 200

    def test_a_server_has_no_account_of_its_own(self, api: ApiClient, server: str) -> None:
        assert api.request("GET", "/auth/user", token=server).json() == NOT_FOUND

    @pytest.mark.parametrize("path", ["/auth/user", "/auth/user/0123456789", "/v1/users/unknown"])
    @pytest.mark.parametrize("token", [None, "unknown"])
    def test_a_token_is_needed(self, api: ApiClient, anna: str, path: str, token: str | None) -> None:
        reply = api.request("GET", path, token=token)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)


class TestCustodial:
    """POST /auth/user/{userId}/user and /v1/clinics/{clinicId}/users."""

    def test_a_user_manages_another_account(self, api: ApiClient, fakes: FakeServices, anna: str) -> None:
        reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", {}, token=anna)
        assert reply.status == 201
        user_id = reply.json()["userid"]
        assert reply.json() == {
            "emailVerified": False,
            "roles": ["custodial_account", "patient"],
            "userid": user_id,
        }
        grant = fakes.grants.find(user_id, ANNA.user_id)
        assert grant is not None
        assert grant.permissions == {"custodian": {}, "view": {}, "upload": {}}
        assert api.request("GET", f"/auth/user/{user_id}", token=anna).json() == reply.json()

    @pytest.mark.parametrize(
        ("body", "email"),
        [
            ({"emails": ["Child@example.org"], "username": "other@example.org"}, "child@example.org"),
            ({"username": "child@example.org"}, "child@example.org"),
            ({"emails": [], "username": "child@example.org"}, "child@example.org"),
            ({"unknown": 1, "password": "ignored-1"}, None),
        ],
    )
    def test_the_address_of_a_custodial_account_is_optional(
        self, api: ApiClient, anna: str, body: dict[str, Any], email: str | None
    ) -> None:
        reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", body, token=anna)
        assert reply.status == 201
        assert reply.json().get("username") == email
        assert reply.json().get("emails") == (None if email is None else [email])

    @pytest.mark.parametrize(
        "body",
        [None, b"{", [], {"username": None}, {"username": "bad"}, {"emails": "a@example.org"}, {"emails": ["b"]}],
    )
    def test_a_broken_rule_stores_nothing(self, api: ApiClient, fakes: FakeServices, anna: str, body: Any) -> None:
        reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", body, token=anna)
        assert (reply.status, reply.json()) == (400, INVALID)
        assert [item["user_id"] for item in fakes.items(ACCOUNTS, partition="USER#", sort_key="ACCOUNT")] == [
            ANNA.user_id
        ]

    def test_an_address_that_is_in_use_is_refused(self, api: ApiClient, fakes: FakeServices, anna: str) -> None:
        body = {"emails": ["ANNA@example.org"]}
        reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", body, token=anna)
        assert (reply.status, reply.json()) == (409, EXISTS)
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []

    def test_other_users_may_not_create_a_custodial_account(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["custodian", "view", "upload"])
        for token in (None, "unknown", ben):
            reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", {}, token=token)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_a_server_may_create_a_custodial_account_for_anyone(
        self, api: ApiClient, fakes: FakeServices, server: str
    ) -> None:
        reply = api.request("POST", f"/auth/user/{ANNA.user_id}/user", {}, token=server)
        assert reply.status == 201
        assert fakes.grants.permissions(reply.json()["userid"], ANNA.user_id) == {"custodian", "view", "upload"}

    def test_a_clinic_gets_an_account_without_a_custodian(
        self, api: ApiClient, fakes: FakeServices, server: str, anna: str
    ) -> None:
        reply = api.request("POST", "/v1/clinics/a-clinic/users", {"username": "child@example.org"}, token=server)
        assert reply.status == 201
        assert reply.json()["roles"] == ["custodial_account", "patient"]
        assert fakes.items(ACCOUNTS, sort_key="GRANT") == []
        reply = api.request("POST", "/v1/clinics/a-clinic/users", {}, token=anna)
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)


class TestList:
    """GET /auth/users."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (f"id={BEN.user_id},unknown,%20{ANNA.user_id}", [BEN.user_id, ANNA.user_id]),
            ("id=unknown", []),
            ("role=patient", [ANNA.user_id, BEN.user_id]),
            ("role=clinic", []),
            ("role=patient&createdFrom=2026-01-02", [BEN.user_id]),
            ("role=patient&createdTo=2026-01-01", [ANNA.user_id]),
            ("role=patient&createdFrom=2026-01-01&createdTo=2026-01-02", [ANNA.user_id, BEN.user_id]),
        ],
    )
    def test_users_are_found_by_ids_or_by_role(
        self, api: ApiClient, fakes: FakeServices, server: str, query: str, expected: list[str]
    ) -> None:
        fakes.accounts.create(ANNA)
        fakes.accounts.create(replace(BEN, created_time_ms=START_MS + 86_400_000))
        reply = api.request("GET", f"/auth/users?{query}", token=server)
        assert reply.status == 200
        assert [user["userid"] for user in reply.json()] == expected
        assert all(user["passwordExists"] is True for user in reply.json())

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("", "A query must be specified"),
            ("?role=king", "The role specified is invalid"),
            ("?id=1&role=king", "The role specified is invalid"),
            ("?id=1&role=patient", "Only one query parameter is allowed"),
            ("?role=patient&createdFrom=yesterday", "Invalid query parameter: createdFrom"),
            ("?role=patient&createdTo=2026-02-30", "Invalid query parameter: createdTo"),
            ("?role=patient&createdTo=2026-2-3", "Invalid query parameter: createdTo"),
            ("?createdFrom=2026-01-01", "Unknown query parameter"),
            ("?name=anna", "Unknown query parameter"),
        ],
    )
    def test_an_invalid_query_is_refused(self, api: ApiClient, server: str, query: str, reason: str) -> None:
        reply = api.request("GET", f"/auth/users{query}", token=server)
        assert (reply.status, reply.json()) == (400, {"code": 400, "reason": reason})

    def test_only_servers_may_list_users(self, api: ApiClient, anna: str) -> None:
        for token in (None, "unknown", anna):
            reply = api.request("GET", f"/auth/users?id={ANNA.user_id}", token=token)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)
