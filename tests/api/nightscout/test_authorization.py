"""Credentials of the Nightscout API in use: their rights, JWTs, and guessing. Source: nightscout-api 2, 8 and 15."""

import base64
import hashlib
import io
import json
from typing import Any

import pytest

from chalicelib.access.call import NOBODY, Call
from chalicelib.access.policy import ANYONE
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.errors import TooManyAttemptsError
from chalicelib.nightscout.authorization import (
    JWT_LIFETIME_S,
    MAX_FAILURES_PER_ADDRESS,
    MAX_FAILURES_PER_HASH,
    find_credential,
)
from chalicelib.nightscout.sent_credential import credential_of_text
from tests.api.conftest import ApiClient
from tests.api.people import ANNA
from tests.fakes.services import START_MS, FakeServices

VERIFY = "/api/v1/verifyauth"
REQUEST = "/api/v2/authorization/request"
REFUSED = {"status": 401, "message": "Unauthorized", "description": "Invalid/Missing"}
WRONG = "phone-00000000000000000000000000000000"
START_S = START_MS // 1000


def rights(api: ApiClient, path: str = VERIFY, **headers: str) -> dict[str, Any]:
    """The rights of the credential in a request."""
    reply = api.request("GET", path, **headers)
    assert reply.status == 200
    message: dict[str, Any] = reply.json()["message"]
    return message


def sha1(text: str) -> str:
    """The digest that most apps send in place of a token."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class TestRights:
    def test_a_body_that_is_too_large_is_not_read_for_a_credential(self, api: ApiClient, pump: dict[str, Any]) -> None:
        """Without this, nobody in particular could have large bodies parsed."""
        entry = {"sgv": 100, "date": START_MS, "secret": pump["token"]}
        assert api.request("POST", "/api/v1/entries.json", [entry]).status == 200
        assert api.request("POST", "/api/v1/entries.json", [entry | {"notes": "x" * 4_500_000}]).status == 401

    def test_a_credential_to_read(self, api: ApiClient, phone: dict[str, Any]) -> None:
        assert rights(api, api_secret=sha1(phone["token"])) == {
            "canRead": True,
            "canWrite": False,
            "isAdmin": False,
            "message": "OK",
            "rolefound": "FOUND",
            "permissions": "ROLE",
        }

    def test_a_credential_to_upload(self, api: ApiClient, pump: dict[str, Any]) -> None:
        may = rights(api, f"/api/v2/verifyauth?token={pump['token']}")
        assert (may["canRead"], may["canWrite"], may["isAdmin"]) == (True, True, False)

    @pytest.mark.parametrize(("headers", "permissions"), [({}, "DEFAULT"), ({"api_secret": "0" * 40}, "ROLE")])
    def test_no_credential_and_a_wrong_one(self, api: ApiClient, headers: Any, permissions: str) -> None:
        assert rights(api, **headers) == {
            "canRead": False,
            "canWrite": False,
            "isAdmin": False,
            "message": "UNAUTHORIZED",
            "rolefound": "NOTFOUND",
            "permissions": permissions,
        }

    def test_a_right_secret_wins_over_a_wrong_token(self, api: ApiClient, phone: dict[str, Any]) -> None:
        assert rights(api, f"{VERIFY}?token={WRONG}", api_secret=phone["token"])["canRead"]

    def test_a_wrong_secret_in_the_query_wins_over_a_right_one_in_the_header(
        self, api: ApiClient, phone: dict[str, Any]
    ) -> None:
        assert not rights(api, f"{VERIFY}?secret={'0' * 40}", api_secret=phone["token"])["canRead"]

    @pytest.mark.parametrize("around", [" {0}", "{0} ", "\t{0}", " \t{0}\t "])
    def test_blanks_and_tabs_around_a_secret_are_no_part_of_it(
        self, api: ApiClient, phone: dict[str, Any], around: str
    ) -> None:
        for secret in (phone["token"], hashlib.sha1(phone["token"].encode(), usedforsecurity=False).hexdigest()):
            reply = api.request("GET", "/api/v1/verifyauth", api_secret=around.format(secret))
            assert reply.json()["message"]["canRead"] is True

    @pytest.mark.parametrize("cut", [slice(1, None), slice(0, -1), slice(6, None)])
    def test_a_part_of_a_token_is_wrong(self, api: ApiClient, phone: dict[str, Any], cut: slice) -> None:
        assert not rights(api, api_secret=phone["token"][cut])["canRead"]

    def test_the_hash_that_is_stored_is_no_credential(self, api: ApiClient, phone: dict[str, Any]) -> None:
        stored = hashlib.sha256(sha1(phone["token"]).encode()).hexdigest()
        assert not rights(api, api_secret=stored)["canRead"]


class TestJwts:
    def test_a_token_is_exchanged_for_one(self, api: ApiClient, phone: dict[str, Any]) -> None:
        reply = api.request("GET", f"{REQUEST}/{phone['token']}")
        body = reply.json()
        jwt = body.pop("token")
        assert body == {
            "sub": "Mum's phone",
            "permissionGroups": [["*:*:read"], []],
            "iat": START_S,
            "exp": START_S + 8 * 3600,
        }
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert rights(api, Authorization=f"Bearer {jwt}")["canRead"]
        assert rights(api, f"{VERIFY}?token={jwt}")["canRead"]

    def test_a_jwt_is_renewed(self, api: ApiClient, fakes: FakeServices, pump: dict[str, Any]) -> None:
        first = api.request("GET", f"{REQUEST}/{pump['token']}").json()
        fakes.now_ms += 7 * 3_600_000
        second = api.request("GET", f"{REQUEST}/{first['token']}").json()
        assert second["exp"] == first["exp"] + 7 * 3600
        assert second["permissionGroups"] == [
            ["api:*:read", "api:*:create", "api:*:update", "api:*:delete", "api:treatments:create"],
            [],
        ]

    def test_it_ends_after_eight_hours(self, api: ApiClient, fakes: FakeServices, phone: dict[str, Any]) -> None:
        jwt = api.request("GET", f"{REQUEST}/{phone['token']}").json()["token"]
        fakes.now_ms += JWT_LIFETIME_S * 1000 - 1
        assert rights(api, Authorization=f"Bearer {jwt}")["canRead"]
        fakes.now_ms += 1
        assert not rights(api, Authorization=f"Bearer {jwt}")["canRead"]

    def test_a_lower_case_scheme_is_none(self, api: ApiClient, phone: dict[str, Any]) -> None:
        jwt = api.request("GET", f"{REQUEST}/{phone['token']}").json()["token"]
        assert not rights(api, Authorization=f"bearer {jwt}")["canRead"]

    def test_a_forged_one_is_wrong(self, api: ApiClient, phone: dict[str, Any], pump: dict[str, Any]) -> None:
        jwt = api.request("GET", f"{REQUEST}/{phone['token']}").json()["token"]
        other = api.request("GET", f"{REQUEST}/{pump['token']}").json()["token"]
        header, payload, signature = jwt.split(".")
        unsigned = encoded({"alg": "none", "typ": "JWT"})
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        longer = encoded(claims | {"exp": claims["exp"] + 1})
        for forged in (
            f"{header}.{longer}.{signature}",
            f"{unsigned}.{payload}.{signature}",
            f"{unsigned}.{payload}.x",
            f"{header}.{other.split('.')[1]}.{signature}",
            f"{header}.{encoded([])}.{signature}",
            f"{header}.{encoded({'userId': 1, 'credentialId': None, 'exp': 'soon'})}.{signature}",
            "a.b.c",
        ):
            assert not rights(api, Authorization=f"Bearer {forged}")["canRead"], forged

    @pytest.mark.parametrize("token", [WRONG, "x", "a" * 3000, "%F0%9F%92%89", "..%2F.."])
    def test_a_wrong_token_gets_none(self, api: ApiClient, token: str) -> None:
        reply = api.request("GET", f"{REQUEST}/{token}")
        assert (reply.status, reply.json()) == (401, REFUSED)

    def test_the_digest_of_a_token_gets_none(self, api: ApiClient, phone: dict[str, Any]) -> None:
        assert api.request("GET", f"{REQUEST}/{sha1(phone['token'])}").status == 401


class TestGuessing:
    def test_an_address_that_guesses_is_slowed_down_and_a_right_credential_still_opens(
        self, api: ApiClient, fakes: FakeServices, phone: dict[str, Any]
    ) -> None:
        for number in range(MAX_FAILURES_PER_ADDRESS):
            assert api.request("GET", f"{REQUEST}/phone-{number:032x}").status == 401
        refused = api.request("GET", f"{REQUEST}/{WRONG}")
        assert (refused.status, refused.json()["status"]) == (429, 429)
        assert int(refused.headers["retry-after"]) == 900
        assert rights(api, api_secret=phone["token"])["canRead"]
        fakes.now_ms += 900_000
        assert api.request("GET", f"{REQUEST}/{WRONG}").status == 401

    def test_one_wrong_credential_from_many_addresses_is_slowed_down(self, api: ApiClient, fakes: FakeServices) -> None:
        accounts = fakes.services.accounts
        call = Call(NOBODY, ANYONE, accounts.grants, fakes.now_ms, fakes.new_id)
        sent = (credential_of_text(WRONG),)
        for number in range(MAX_FAILURES_PER_HASH):
            assert find_credential(call, sent, f"192.0.2.{number}", accounts) is None
        with pytest.raises(TooManyAttemptsError):
            find_credential(call, sent, "198.51.100.1", accounts)

    def test_a_request_without_a_credential_is_not_counted(self, api: ApiClient, fakes: FakeServices) -> None:
        rights(api)
        assert fakes.items(ACCOUNTS, partition="ATTEMPTS#") == []
        rights(api, api_secret=WRONG)
        assert len(fakes.items(ACCOUNTS, partition="ATTEMPTS#")) == 2

    def test_the_log_holds_no_credential(self, api: ApiClient, phone: dict[str, Any], log: io.StringIO) -> None:
        jwt = api.request("GET", f"{REQUEST}/{phone['token']}").json()["token"]
        rights(api, f"{VERIFY}?token={phone['token']}")
        rights(api, api_secret=sha1(phone["token"]))
        logged = log.getvalue()
        assert "nightscout.verify_auth" in logged
        assert ANNA.user_id not in logged
        for secret in (phone["token"], sha1(phone["token"]), jwt):
            assert secret not in logged


def encoded(value: Any) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
