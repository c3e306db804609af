"""Confirmations of sign-ups over HTTP: who asks, what a link proves, how a custodial account is claimed."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.accounts.account import Account
from chalicelib.accounts.ports import MetadataCollection
from chalicelib.confirmations.sign_up import MAX_CLAIMS
from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN, CHILD, can_sign_in, is_valid
from tests.fakes.mail import MailBox
from tests.fakes.services import FakeServices

MONTH_MS = 31 * 24 * 3_600_000
KID = "kid@example.org"
SIGN_UP = f"/confirm/signup/{ANNA.user_id}"
SEND = f"/confirm/send/signup/{ANNA.user_id}"
DISMISS = f"/confirm/dismiss/signup/{ANNA.user_id}"
NOT_AUTHORIZED = {"code": 401, "reason": "Not authorized for requested operation"}
NOT_FOUND = {"code": 404, "reason": "No matching confirmation was found"}
EXISTS = {"code": 403, "reason": "User already has an existing valid signup confirmation"}
CLAIM = {"password": "a-good-password", "birthday": "2015-02-03"}


def stored(fakes: FakeServices, user_id: str = ANNA.user_id) -> Account:
    """An account as it is stored."""
    account = fakes.accounts.find(user_id)
    assert account is not None
    return account


def accept(api: ApiClient, key: str, body: Any = None) -> tuple[int, Any]:
    """The reply to confirming by a key."""
    reply = api.request("PUT", f"/confirm/accept/signup/{key}", body)
    return reply.status, reply.json() if reply.body else None


def resend(api: ApiClient, email: str | None = ANNA.email) -> None:
    """Ask for a mail."""
    assert api.request("POST", f"/confirm/resend/signup/{email}").status == 200


class TestSignUp:
    """The mail of a sign-up or of another address."""

    def test_where_addresses_are_verified_the_mailed_link_lets_one_sign_in(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.settings = replace(fakes.settings, verifies_emails=True)
        mail = MailBox(fakes)
        wiring.override(fakes.services)
        body = {"username": "new@example.org", "emails": ["new@example.org"], "password": "a-good-password"}
        assert api.request("POST", "/auth/user", body).status == 201
        assert not can_sign_in(api, "new@example.org", "a-good-password")
        [sent] = mail.deliver()
        assert f"/login-actions/verify-email?key={sent.key}" in sent.mail.text
        assert accept(api, sent.key) == (200, None)
        assert can_sign_in(api, "new@example.org", "a-good-password")

    def test_without_mail_nothing_is_ordered(self, api: ApiClient, fakes: FakeServices) -> None:
        body = {"username": "new@example.org", "emails": ["new@example.org"], "password": "a-good-password"}
        assert api.request("POST", "/auth/user", body).status == 201
        assert fakes.engine.task_queue.receive() == []

    def test_another_address_gets_a_mail_that_proves_it(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        updates = {"updates": {"username": "ada@example.org", "emails": ["ada@example.org"]}}
        assert api.request("PUT", "/auth/user", updates, token=anna).json()["emailVerified"] is False
        [sent] = mail.deliver()
        assert sent.recipient == "ada@example.org"
        assert accept(api, sent.key) == (200, None)
        assert (stored(fakes).email_verified, stored(fakes).email_proven) == (True, True)


class TestAccept:
    """PUT /confirm/accept/signup/{key}."""

    def test_the_address_is_proven_and_no_login_ends(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        resend(api)
        assert accept(api, mail.key()) == (200, None)
        assert stored(fakes).email_proven
        assert stored(fakes).password_hash == ANNA.password_hash
        assert is_valid(api, anna)

    def test_a_password_in_the_body_changes_no_account_that_has_one(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        resend(api)
        assert accept(api, mail.key(), CLAIM) == (200, None)
        assert stored(fakes).password_hash == ANNA.password_hash

    def test_a_key_works_once_for_its_time_and_its_address(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        resend(api)
        resend(api)
        first, second = [sent.key for sent in mail.deliver()]
        assert accept(api, first) == (200, None)
        assert accept(api, first) == (404, NOT_FOUND)
        fakes.accounts.replace(stored(fakes), replace(stored(fakes), email="ada@example.org", version=9))
        assert accept(api, second) == (404, NOT_FOUND)

    def test_an_expired_key_is_refused(self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str) -> None:
        resend(api)
        key = mail.key()
        fakes.now_ms += MONTH_MS
        assert accept(api, key) == (404, NOT_FOUND)

    def test_forged_keys_and_those_of_passwords_are_refused(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        assert api.request("POST", f"/confirm/send/forgot/{ANNA.email}").status == 200
        for key in (mail.key(), "forged", "a" * 32):
            assert accept(api, key) == (404, NOT_FOUND)


class TestClaim:
    """A custodial account that the person takes over."""

    @pytest.fixture
    def key(self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, child: Account) -> str:
        """The key that the custodian has sent to the person."""
        fakes.accounts.replace(child, replace(child, email=KID, version=2))
        profile = {"fullName": "Kid", "patient": {"birthday": "2015-02-03"}}
        fakes.profiles.replace(child.user_id, "profile", None, MetadataCollection(profile, 1))
        assert api.request("POST", f"/confirm/send/signup/{child.user_id}", token=anna).status == 200
        return mail.key()

    def test_password_and_birthday_claim_it(
        self, api: ApiClient, fakes: FakeServices, key: str, child: Account, anna: str
    ) -> None:
        assert accept(api, key, CLAIM) == (200, None)
        assert can_sign_in(api, KID, CLAIM["password"])
        assert not stored(fakes, child.user_id).is_custodial
        assert fakes.grants.permissions(child.user_id, ANNA.user_id) == {"view", "upload"}
        assert api.request("GET", f"/confirm/signup/{child.user_id}", token=anna).status == 401
        assert accept(api, key, CLAIM | {"password": "another-one?"}) == (404, NOT_FOUND)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (None, 1001),
            ([], 1001),
            ({}, 1002),
            (CLAIM | {"password": "short"}, 1003),
            (CLAIM | {"password": 5}, 1003),
            ({"password": "a-good-password"}, 1004),
            (CLAIM | {"birthday": "2015-02-30"}, 1005),
            (CLAIM | {"birthday": "3 Feb"}, 1005),
            (CLAIM | {"birthday": 5}, 1005),
            (CLAIM | {"birthday": "2015-02-04"}, 1006),
        ],
    )
    def test_a_wrong_detail_claims_nothing(
        self, api: ApiClient, fakes: FakeServices, key: str, child: Account, body: Any, code: int
    ) -> None:
        status, answer = accept(api, key, body)
        assert (status, answer["code"], answer["error"]) == (409, 409, code)
        assert stored(fakes, child.user_id).is_custodial
        assert accept(api, key, CLAIM) == (200, None)

    def test_birthdays_are_guessed_a_limited_number_of_times(self, api: ApiClient, key: str) -> None:
        for _ in range(MAX_CLAIMS):
            assert accept(api, key, CLAIM | {"birthday": "2000-01-01"})[0] == 409
        assert accept(api, key, CLAIM)[0] == 429


class TestRequest:
    """GET, POST and PUT /confirm/signup/{userId}, and what sends and declines."""

    def test_the_confirmation_is_read_without_a_key_that_confirms(
        self, api: ApiClient, mail: MailBox, anna: str
    ) -> None:
        made = api.request("POST", SIGN_UP, token=anna).json()
        assert api.request("GET", SIGN_UP, token=anna).json() == made
        assert (made["status"], made["email"], made["creatorId"]) == ("pending", ANNA.email, "")
        assert (made["created"], made["expiresAt"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
        assert accept(api, made["key"]) == (404, NOT_FOUND)

    def test_one_that_is_pending_is_not_replaced(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, server: str
    ) -> None:
        assert api.request("POST", SEND, token=anna).status == 200
        for path in (SEND, SIGN_UP):
            reply = api.request("POST", path, token=anna)
            assert (reply.status, reply.json()) == (403, EXISTS)
        fakes.now_ms += 3_000_000
        account = stored(fakes)
        fakes.accounts.replace(account, replace(account, email="ada@example.org", version=2))
        assert api.request("POST", SIGN_UP, token=server).json()["email"] == "ada@example.org"

    @pytest.mark.parametrize("path", [DISMISS, SIGN_UP])
    def test_who_has_the_mail_declines_it_and_the_link_ends(
        self, api: ApiClient, mail: MailBox, anna: str, path: str
    ) -> None:
        assert api.request("POST", SEND, token=anna).status == 200
        key = mail.key()
        assert api.request("PUT", path, {"key": "forged"}).json() == NOT_FOUND
        assert api.request("PUT", path, {"key": key}).status == 200
        assert accept(api, key) == (404, NOT_FOUND)
        assert api.request("GET", SIGN_UP, token=anna).json() == NOT_FOUND
        assert api.request("PUT", path, {"key": key}).json() == NOT_FOUND

    def test_a_key_of_another_account_declines_nothing(
        self, api: ApiClient, mail: MailBox, anna: str, ben: str
    ) -> None:
        assert api.request("POST", SEND, token=anna).status == 200
        mail.deliver()
        resend(api, BEN.email)
        assert api.request("PUT", DISMISS, {"key": mail.key()}).json() == NOT_FOUND

    def test_an_accepted_one_is_no_longer_pending(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        assert api.request("POST", SEND, token=anna).status == 200
        assert accept(api, mail.key()) == (200, None)
        assert api.request("GET", SIGN_UP, token=anna).json() == NOT_FOUND

    def test_others_neither_ask_nor_see(self, api: ApiClient, fakes: FakeServices, anna: str, ben: str) -> None:
        fakes.grant(ANNA.user_id, BEN.user_id, ["view", "upload", "note"])
        for method, path in (("POST", SEND), ("POST", SIGN_UP), ("GET", SIGN_UP)):
            reply = api.request(method, path, token=ben)
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_an_account_without_an_address_has_nothing_to_confirm(
        self, api: ApiClient, anna: str, child: Account, server: str
    ) -> None:
        assert api.request("POST", f"/confirm/send/signup/{CHILD.user_id}", token=anna).status == 200
        assert api.request("POST", f"/confirm/signup/{CHILD.user_id}", token=anna).status == 404
        assert api.request("POST", "/confirm/signup/0000000000", token=server).status == 404

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"key": ""}', b'{"key": 5}'])
    def test_a_body_without_a_key_is_refused(self, api: ApiClient, body: bytes) -> None:
        for path in (DISMISS, SIGN_UP):
            assert api.request("PUT", path, body).status == 400


class TestResend:
    """POST /confirm/resend/signup/{email}."""

    def test_only_who_has_something_to_prove_gets_mail(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, ben: str
    ) -> None:
        fakes.accounts.replace(BEN, replace(BEN, email_proven=True, version=2))
        for email in (ANNA.email, BEN.email, "nobody@example.org"):
            resend(api, email)
        assert [sent.recipient for sent in mail.deliver()] == [ANNA.email]
