"""Limits on guessing passwords, by account, address and browser, and what the person learns of guesses."""

from collections import Counter
from dataclasses import replace

import pytest
from chalice.local import LambdaEventConverter

from chalicelib.accounts import password_sign_in
from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import MAX_CUSTODIAL_ACCOUNTS_A_DAY, MAX_PASSWORD_CHANGES
from chalicelib.accounts.password_sign_in import (
    ATTEMPTS_WINDOW_S,
    MAX_FAILURES_PER_ACCOUNT,
    MAX_FAILURES_PER_ACCOUNT_IN_ALL,
    MAX_FAILURES_PER_ADDRESS,
    MAX_SIGN_INS_PER_ACCOUNT,
    MAX_SIGN_UPS,
    SOURCE_LIFETIME_S,
)
from chalicelib.durations import DAY_MS
from tests.api.accounts.sign_ins import ANNA, TOKEN, login
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

GUESSES = 500


@pytest.fixture
def anna(fakes: FakeServices) -> Account:
    """Anna has an account."""
    fakes.accounts.create(ANNA)
    return ANNA


def come_from(monkeypatch: pytest.MonkeyPatch, ip_address: str) -> None:
    """Send all requests from this network address, from now on."""
    monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", ip_address)


def guess_from_many_addresses(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guess Anna's password until the counter of her account is full."""
    for number in range(MAX_FAILURES_PER_ACCOUNT_IN_ALL):
        come_from(monkeypatch, f"198.51.100.{number}")
        assert login(api, password="guess").status == 401


class TestLoginLimits:
    """Guessing is limited by account and by address."""

    TOO_MANY = {"code": 429, "reason": "Too many attempts"}  # noqa: RUF012  read only

    def test_after_too_many_failures_even_the_right_password_waits(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        for _ in range(MAX_FAILURES_PER_ACCOUNT):
            assert login(api, password="wrong").status == 401
        reply = login(api)
        assert (reply.status, reply.json()) == (429, self.TOO_MANY)
        assert int(reply.headers["retry-after"]) == ATTEMPTS_WINDOW_S
        fakes.now_ms += ATTEMPTS_WINDOW_S * 1000
        assert login(api).status == 200

    def test_failures_of_an_unknown_name_are_limited_too(self, api: ApiClient, anna: Account) -> None:
        for _ in range(MAX_FAILURES_PER_ACCOUNT):
            login(api, "nobody@example.org")
        assert login(api, "Nobody@example.org").json() == self.TOO_MANY
        assert login(api).status == 200

    def test_an_address_is_limited_over_all_names(self, api: ApiClient, anna: Account) -> None:
        for number in range(MAX_FAILURES_PER_ADDRESS):
            login(api, f"nobody{number}@example.org")
        assert login(api).json() == self.TOO_MANY

    def test_password_guessing_is_stopped_and_the_owner_can_sign_in_later(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        token = login(api).headers[TOKEN]
        fakes.passwords.verified.clear()
        statuses = Counter(login(api, password=f"guess-{number}").status for number in range(GUESSES))
        assert statuses == {401: MAX_FAILURES_PER_ACCOUNT, 429: GUESSES - MAX_FAILURES_PER_ACCOUNT}
        assert len(fakes.passwords.verified) == MAX_FAILURES_PER_ACCOUNT  # the others did not even cost a hash
        assert api.request("GET", "/auth/user", token=token).status == 200
        reply = login(api)
        assert reply.status == 429
        fakes.now_ms += int(reply.headers["retry-after"]) * 1000 - 1
        assert login(api).status == 429
        fakes.now_ms += 1
        assert login(api).status == 200

    def test_strangers_elsewhere_do_not_keep_the_person_out(
        self, api: ApiClient, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(MAX_FAILURES_PER_ACCOUNT + 1):
            last = login(api, password="wrong")
        assert last.status == 429
        come_from(monkeypatch, "192.0.2.7")
        assert login(api).status == 200

    def test_guesses_from_many_addresses_keep_out_strangers_but_no_known_address(
        self, api: ApiClient, fakes: FakeServices, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert login(api).status == 200
        guess_from_many_addresses(api, monkeypatch)
        come_from(monkeypatch, "192.0.2.7")
        assert login(api).json() == self.TOO_MANY
        come_from(monkeypatch, "127.0.0.1")
        assert login(api).status == 200
        statuses = [login(api, password="wrong").status for _ in range(MAX_FAILURES_PER_ACCOUNT + 1)]
        assert statuses == [401] * MAX_FAILURES_PER_ACCOUNT + [429]
        fakes.now_ms += ATTEMPTS_WINDOW_S * 1000
        come_from(monkeypatch, "192.0.2.7")
        assert login(api).status == 200

    def test_the_address_of_a_sign_up_is_known(self, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
        body = {"username": "anna@example.org", "emails": ["anna@example.org"], "password": "password"}
        assert api.request("POST", "/auth/user", body).status == 201
        guess_from_many_addresses(api, monkeypatch)
        assert login(api, password="password").json() == self.TOO_MANY
        come_from(monkeypatch, "127.0.0.1")
        assert login(api, password="password").status == 200

    def test_a_known_address_is_forgotten_after_half_a_year(
        self, api: ApiClient, fakes: FakeServices, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        login(api)
        fakes.now_ms += SOURCE_LIFETIME_S * 1000
        guess_from_many_addresses(api, monkeypatch)
        come_from(monkeypatch, "127.0.0.1")
        assert login(api).json() == self.TOO_MANY

    def test_who_guesses_many_names_at_a_shared_address_keeps_out_nobody_known_there(
        self, api: ApiClient, anna: Account
    ) -> None:
        assert login(api).status == 200
        for number in range(MAX_FAILURES_PER_ADDRESS):
            login(api, f"nobody{number}@example.org")
        assert login(api, "nobody@example.org").json() == self.TOO_MANY
        assert login(api).status == 200

    @pytest.mark.parametrize(
        ("first", "second", "is_same"),
        [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
        ],
    )
    def test_addresses_are_counted_by_who_holds_them(
        self, api: ApiClient, anna: Account, monkeypatch: pytest.MonkeyPatch, first: str, second: str, is_same: bool
    ) -> None:
        come_from(monkeypatch, first)
        for _ in range(MAX_FAILURES_PER_ACCOUNT):
            login(api, password="wrong")
        come_from(monkeypatch, second)
        assert login(api).status == (429 if is_same else 200)

    def test_the_person_learns_of_sign_ins_that_failed_elsewhere(
        self, api: ApiClient, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        login(api, password="mistyped")
        come_from(monkeypatch, "192.0.2.7")
        for _ in range(3):
            login(api, password="guess")
        come_from(monkeypatch, "127.0.0.1")
        assert login(api).headers["x-strandline-failed-sign-ins"] == "3"
        assert "x-strandline-failed-sign-ins" not in login(api).headers

    def test_successful_sign_ins_do_not_count_as_failures(self, api: ApiClient, anna: Account) -> None:
        replies = [login(api).status for _ in range(MAX_FAILURES_PER_ADDRESS + 1)]
        assert set(replies) == {200}


class TestHashLimits:
    """Each sign-in and each new password costs a hash, also for who may."""

    def test_right_passwords_are_limited_for_each_address(
        self, api: ApiClient, fakes: FakeServices, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        come_from(monkeypatch, "192.0.2.7")
        statuses = Counter(login(api).status for _ in range(MAX_SIGN_INS_PER_ACCOUNT + 10))
        assert statuses == {200: MAX_SIGN_INS_PER_ACCOUNT, 429: 10}
        assert len(fakes.passwords.verified) == MAX_SIGN_INS_PER_ACCOUNT
        come_from(monkeypatch, "192.0.2.8")
        assert login(api).status == 200
        come_from(monkeypatch, "192.0.2.7")
        fakes.now_ms += ATTEMPTS_WINDOW_S * 1000
        assert login(api).status == 200

    def test_an_address_is_limited_over_all_accounts(
        self, api: ApiClient, fakes: FakeServices, anna: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(password_sign_in, "MAX_SIGN_INS", 3)
        fakes.accounts.create(replace(ANNA, user_id="a-second-one", email="second@example.org"))
        come_from(monkeypatch, "192.0.2.7")
        assert [login(api, name).status for name in ("anna@example.org", "second@example.org") * 2] == [200] * 3 + [429]

    def test_programs_of_the_servers_own_machine_sign_in_freely(self, api: ApiClient, anna: Account) -> None:
        assert {login(api).status for _ in range(MAX_SIGN_INS_PER_ACCOUNT + 1)} == {200}

    def test_changes_of_the_password_are_limited(self, api: ApiClient, fakes: FakeServices, anna: Account) -> None:
        token = fakes.sign_in(anna.user_id)
        bodies = [{"updates": {"password": f"password-{number}"}} for number in range(MAX_PASSWORD_CHANGES + 1)]
        statuses = [api.request("PUT", "/auth/user", body, token=token).status for body in bodies]
        assert statuses == [200] * MAX_PASSWORD_CHANGES + [429]
        server = fakes.sign_in("server", is_server=True)
        assert api.request("PUT", f"/auth/user/{anna.user_id}", bodies[0], token=server).status == 200


class TestSignUpLimits:
    """Accounts cost a hash, room and perhaps a mail, and strangers may ask for them."""

    def sign_up(self, api: ApiClient, number: int) -> Reply:
        """The reply to a sign-up with an address of its own."""
        email = f"person{number}@example.org"
        return api.request("POST", "/auth/user", {"username": email, "emails": [email], "password": "password"})

    def test_an_address_makes_a_limited_number_of_accounts(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        come_from(monkeypatch, "2001:db8::1")
        assert [self.sign_up(api, number).status for number in range(MAX_SIGN_UPS)] == [201] * MAX_SIGN_UPS
        come_from(monkeypatch, "2001:db8::ffff:2")  # of the same network
        reply = self.sign_up(api, MAX_SIGN_UPS)
        assert (reply.status, reply.json()["code"], "retry-after" in reply.headers) == (429, 429, True)
        assert fakes.accounts.find_by_email(f"person{MAX_SIGN_UPS}@example.org") is None
        come_from(monkeypatch, "192.0.2.7")
        assert self.sign_up(api, MAX_SIGN_UPS).status == 201

    def test_addresses_that_are_taken_count(self, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
        come_from(monkeypatch, "192.0.2.7")
        statuses = Counter(self.sign_up(api, 1).status for _ in range(MAX_SIGN_UPS + 1))
        assert statuses == {201: 1, 409: MAX_SIGN_UPS - 1, 429: 1}

    def test_programs_of_the_servers_own_machine_are_free(self, api: ApiClient) -> None:
        assert {self.sign_up(api, number).status for number in range(MAX_SIGN_UPS + 1)} == {201}

    def test_a_user_makes_a_limited_number_of_custodial_accounts_in_a_day(
        self, api: ApiClient, fakes: FakeServices, anna: Account
    ) -> None:
        path, token = f"/auth/user/{anna.user_id}/user", fakes.sign_in(anna.user_id)
        statuses = [api.request("POST", path, {}, token=token).status for _ in range(MAX_CUSTODIAL_ACCOUNTS_A_DAY + 1)]
        assert statuses == [201] * MAX_CUSTODIAL_ACCOUNTS_A_DAY + [429]
        assert api.request("POST", path, {}, token=fakes.sign_in("server", is_server=True)).status == 201
        fakes.now_ms += DAY_MS
        assert api.request("POST", path, {}, token=fakes.sign_in(anna.user_id)).status == 201
