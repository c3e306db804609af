"""Forgotten passwords over HTTP: who gets mail, what a link opens, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.access.call import NOBODY, Call
from chalicelib.access.policy import ANYONE
from chalicelib.accounts.mail_limit import MAX_MAILS_A_DAY
from chalicelib.accounts.password_sign_in import ATTEMPTS_WINDOW_S, SignInSource
from chalicelib.confirmations.password_reset import MAX_ASKED_BY_ADDRESS, MAX_ASKED_FOR, order_mail
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.mail.message import MailKind
from strandline.cli.errors import CommandError
from strandline.home.users import password_link
from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN, CHILD, can_sign_in, is_valid
from tests.fakes.engine import refuse
from tests.fakes.mail import MailBox
from tests.fakes.processes import watched
from tests.fakes.services import FakeServices

WEEK_MS = 7 * 24 * 3_600_000
FORGOT = f"/confirm/send/forgot/{ANNA.email}"
ACCEPT = "/confirm/accept/forgot"
NEW = "a-new-password"
DONE = {"code": 200, "reason": "Password has been reset."}
NOT_FOUND = {"code": 404, "reason": "No matching confirmation was found"}


def ask(api: ApiClient, path: str = FORGOT) -> None:
    """Ask for a new password."""
    reply = api.request("POST", path)
    assert (reply.status, reply.body) == (200, b"")


def accept(api: ApiClient, key: str, **changed: Any) -> tuple[int, Any]:
    """The reply to setting a password by a key."""
    reply = api.request("PUT", ACCEPT, {"key": key, "email": ANNA.email, "password": NEW} | changed)
    return reply.status, reply.json()


class TestSend:
    """POST /confirm/send/forgot/{email}, and /confirm/forgot/{email}."""

    @pytest.mark.parametrize("path", [FORGOT, f"/confirm/forgot/{ANNA.email}", FORGOT.replace("anna", "ANNA")])
    def test_an_account_gets_a_mail_with_a_link(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, path: str
    ) -> None:
        ask(api, path)
        [sent] = mail.deliver()
        link = f"http://127.0.0.1:8000/realms/tidepool/login-actions/new-password?key={sent.key}"
        assert sent.recipient == ANNA.email
        assert link in sent.mail.text
        assert f'href="{link}"' in sent.mail.html
        assert sent.key not in str(fakes.items(ACCOUNTS))

    def test_neither_the_answer_nor_the_work_tells_whether_an_address_is_known(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        made: list[list[str]] = []
        for email in (ANNA.email, "nobody@example.org", "no address"):
            calls: list[str] = []
            fakes.calls.watch = calls.append
            ask(api, f"/confirm/send/forgot/{email}")
            made.append(calls)
        assert made[0] == made[1] == made[2] != []
        assert [order["email"] for order in mail.orders()] == [ANNA.email, "nobody@example.org", "no address"]
        fakes.calls.watch = lambda _call: None
        assert [sent.recipient for sent in mail.deliver()] == [ANNA.email]

    @pytest.mark.parametrize(
        "account", [replace(CHILD, email="a@example.org"), replace(BEN, email="a@example.org", roles=("brokered",))]
    )
    def test_an_account_that_nobody_signs_in_to_here_gets_none(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, account: Any
    ) -> None:
        fakes.accounts.create(account)
        ask(api, "/confirm/send/forgot/a@example.org")
        assert mail.deliver() == []

    def test_without_mail_nothing_is_ordered(self, api: ApiClient, fakes: FakeServices, anna: str) -> None:
        ask(api)
        assert fakes.engine.task_queue.receive() == []

    def test_ten_thousand_requests_order_a_few_mails(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        ports = fakes.services.confirmations
        for number in range(10_000):
            call = Call(NOBODY, ANYONE, fakes.grants, fakes.now_ms, fakes.new_id)
            source = SignInSource(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")
            order_mail(call, MailKind.PASSWORD_RESET, str(ANNA.email), source, ports)
        assert len(mail.orders()) == MAX_ASKED_FOR
        assert len(mail.deliver()) == MAX_ASKED_FOR

    def test_one_network_address_asks_for_a_limited_number(self, api: ApiClient, mail: MailBox) -> None:
        for number in range(MAX_ASKED_BY_ADDRESS):
            ask(api, f"/confirm/send/forgot/p{number}@example.org")
        reply = api.request("POST", FORGOT)
        assert (reply.status, int(reply.headers["retry-after"]) <= ATTEMPTS_WINDOW_S) == (429, True)

    def test_an_address_gets_a_limited_number_of_mails_a_day(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        for _ in range(3):
            for _ in range(MAX_ASKED_FOR):
                ask(api)
            mail.deliver()
            fakes.now_ms += 3_600_000
        assert len(mail.sent) == MAX_MAILS_A_DAY
        fakes.now_ms += 24 * 3_600_000
        ask(api)
        assert len(mail.deliver()) == 1


class TestAccept:
    """PUT /confirm/accept/forgot."""

    def test_the_new_password_signs_in_and_all_logins_end(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        ask(api)
        assert accept(api, mail.key(), email=str(ANNA.email).upper()) == (200, DONE)
        assert not is_valid(api, anna)
        assert can_sign_in(api, str(ANNA.email), NEW)
        account = fakes.accounts.find(ANNA.user_id)
        assert account is not None
        assert account.email_proven

    def test_a_key_works_once(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        ask(api)
        key = mail.key()
        assert accept(api, key)[0] == 200
        assert accept(api, key, password="another-password") == (404, NOT_FOUND)
        assert can_sign_in(api, str(ANNA.email), NEW)

    def test_a_repetition_ends_the_sessions_that_a_fault_has_left(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        ask(api)
        key = mail.key()
        with watched(fakes.calls, refuse("Query")):  # the password is set, and the list of sessions cannot be read
            assert accept(api, key)[0] == 503
        assert is_valid(api, anna)
        assert accept(api, key, password="another-password") == (404, NOT_FOUND)
        assert accept(api, key) == (200, DONE)
        assert not is_valid(api, anna)
        assert accept(api, key) == (404, NOT_FOUND)

    def test_a_key_that_set_a_password_sets_no_other_after_a_later_change(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str
    ) -> None:
        ask(api)
        key = mail.key()
        with watched(fakes.calls, refuse("Query")):
            assert accept(api, key)[0] == 503
        updates = {"updates": {"password": "changed-by-oneself"}}
        assert api.request("PUT", "/auth/user", updates, token=anna).status == 200
        assert accept(api, key) == (404, NOT_FOUND)
        assert is_valid(api, anna)

    def test_all_other_keys_end_with_the_password(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        ask(api)
        ask(api)
        first, second = [sent.key for sent in mail.deliver()]
        assert accept(api, second)[0] == 200
        assert accept(api, first, password="another-password") == (404, NOT_FOUND)

    def test_a_password_that_was_changed_meanwhile_ends_the_key(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        ask(api)
        key = mail.key()
        updates = {"updates": {"password": "changed-by-oneself"}}
        assert api.request("PUT", "/auth/user", updates, token=anna).status == 200
        assert accept(api, key) == (404, NOT_FOUND)

    def test_an_address_that_was_changed_meanwhile_ends_the_key(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        ask(api)
        key = mail.key()
        updates = {"updates": {"username": "ada@example.org", "emails": ["ada@example.org"]}}
        assert api.request("PUT", "/auth/user", updates, token=anna).status == 200
        assert accept(api, key) == accept(api, key, email="ada@example.org") == (404, NOT_FOUND)

    def test_a_key_of_somebody_else_is_refused(self, api: ApiClient, mail: MailBox, anna: str, ben: str) -> None:
        ask(api)
        key = mail.key()
        assert accept(api, key, email=BEN.email) == (404, NOT_FOUND)
        assert is_valid(api, ben)
        assert accept(api, key)[0] == 200

    @pytest.mark.parametrize("key", ["forged", "a" * 32, "é", "a" * 5000])
    def test_a_forged_key_is_refused(self, api: ApiClient, mail: MailBox, anna: str, key: str) -> None:
        assert accept(api, key) == (404, NOT_FOUND)

    def test_an_expired_key_is_refused(self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str) -> None:
        ask(api)
        key = mail.key()
        fakes.now_ms += WEEK_MS
        assert accept(api, key) == (404, NOT_FOUND)

    def test_a_key_of_another_kind_is_refused(self, api: ApiClient, mail: MailBox, anna: str) -> None:
        assert api.request("POST", f"/confirm/resend/signup/{ANNA.email}").status == 200
        assert accept(api, mail.key()) == (404, NOT_FOUND)

    @pytest.mark.parametrize("password", ["short", "with blanks in it", "a" * 73, ""])
    def test_a_wrong_password_leaves_the_key(self, api: ApiClient, mail: MailBox, anna: str, password: str) -> None:
        ask(api)
        key = mail.key()
        status, body = accept(api, key, password=password)
        assert (status, body["reason"].startswith("Error decoding the confirmation: /password: ")) == (400, True)
        assert accept(api, key)[0] == 200

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"key": 5}', b'{"key": "a", "email": "b"}', b"null"])
    def test_a_body_without_its_members_is_refused(self, api: ApiClient, body: bytes) -> None:
        reply = api.request("PUT", ACCEPT, body)
        assert (reply.status, reply.json()["code"]) == (400, 400)

    def test_the_password_is_hashed_only_for_a_key_that_works(
        self, api: ApiClient, fakes: FakeServices, mail: MailBox, anna: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        monkeypatch.setattr(fakes.passwords, "hash", hashed.append)
        accept(api, "a" * 32)
        assert hashed == []


class TestOwnersLink:
    """The link that the owner of a stage hands over."""

    def test_it_opens_the_account_without_mail(self, api: ApiClient, fakes: FakeServices, anna: str) -> None:
        link = password_link(fakes.services, "Anna@example.org")
        assert link.startswith("http://127.0.0.1:8000/realms/tidepool/login-actions/new-password?key=")
        assert accept(api, link.partition("=")[2]) == (200, DONE)
        assert can_sign_in(api, str(ANNA.email), NEW)

    @pytest.mark.parametrize(("email", "why"), [("nobody@example.org", "no account"), ("kid@example.org", "signs in")])
    def test_an_account_that_nobody_signs_in_to_gets_none(self, fakes: FakeServices, email: str, why: str) -> None:
        fakes.accounts.create(replace(CHILD, email="kid@example.org"))
        with pytest.raises(CommandError, match=why):
            password_link(fakes.services, email)


def test_a_stage_without_an_address_sends_no_mail(api: ApiClient, fakes: FakeServices, anna: str) -> None:
    box = MailBox(fakes)
    fakes.settings = replace(fakes.settings, base_url="")
    wiring.override(fakes.services)
    ask(api)
    assert box.orders() == []
