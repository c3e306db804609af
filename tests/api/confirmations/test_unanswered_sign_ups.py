"""Sign-ups whose address nobody verifies, over HTTP and by the daily job."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib import unanswered_sign_ups
from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import SIGN_UP_LIFETIME_MS
from chalicelib.confirmations.sign_up_confirmation import LIFETIME_MS
from chalicelib.conflicts import WriteConflictError
from chalicelib.erasure import erase_deleted_users
from chalicelib.errors import UnavailableError
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import Rerun, TaskRun
from chalicelib.unanswered_sign_ups import delete_unanswered
from tests.api.conftest import ApiClient, Reply
from tests.api.people import TOKEN, can_sign_in
from tests.fakes.mail import MailBox
from tests.fakes.services import FakeServices

ADA, PASSWORD = "ada@example.org", "a-good-password"
DAY_MS = 24 * 3_600_000


@pytest.fixture
def mail(fakes: FakeServices) -> MailBox:
    """The mail of a stage that verifies addresses."""
    fakes.settings = replace(fakes.settings, verifies_emails=True)
    box = MailBox(fakes)
    wiring.override(fakes.services)
    return box


def sign_up(api: ApiClient, email: str = ADA, **members: Any) -> Reply:
    """The answer to a sign-up."""
    return api.request("POST", "/auth/user", {"username": email, "emails": [email], "password": PASSWORD} | members)


def new_user(api: ApiClient, email: str = ADA, **members: Any) -> str:
    """The id of somebody who has signed up."""
    reply = sign_up(api, email, **members)
    assert reply.status == 201
    user_id: str = reply.json()["userid"]
    return user_id


def run_job(fakes: FakeServices) -> tuple[int, Rerun | None]:
    """The number of accounts that the job deleted, and whether it asks for another run."""
    task = Task("0", "strandline.accounts.delete_unanswered", fakes.now_ms)
    run = TaskRun(task, {}, fakes.now_ms + 60_000, lambda: fakes.now_ms, lambda: None)
    again = delete_unanswered(run, fakes.services)
    return run.data["deleted"], again


def notes(fakes: FakeServices) -> int:
    """The number of sign-ups that are still to be looked at."""
    return len(fakes.services.accounts.unanswered_sign_ups.due(fakes.now_ms + 10 * SIGN_UP_LIFETIME_MS, 100))


@pytest.mark.usefixtures("mail")
@pytest.mark.parametrize("roles", [["patient"], ["clinic"]])
def test_an_account_whose_address_nobody_verified_is_deleted_after_31_days(
    api: ApiClient, fakes: FakeServices, roles: list[str]
) -> None:
    user_id = new_user(api, roles=roles)
    fakes.now_ms += 31 * DAY_MS - 1
    assert (run_job(fakes), sign_up(api).status) == ((0, None), 409)
    fakes.now_ms += 1
    assert run_job(fakes) == (1, None)
    assert fakes.accounts.find(user_id) is None
    assert [deletion.user_id for deletion in fakes.accounts.deletions()] == [user_id]
    assert (run_job(fakes), notes(fakes)) == ((0, None), 0)
    assert new_user(api) != user_id


def test_an_account_whose_address_was_verified_stays(api: ApiClient, fakes: FakeServices, mail: MailBox) -> None:
    user_id = new_user(api)
    assert api.request("PUT", f"/confirm/accept/signup/{mail.key()}").status == 200
    fakes.now_ms += 40 * DAY_MS
    assert (run_job(fakes), notes(fakes)) == ((0, None), 0)
    assert fakes.accounts.find(user_id) is not None
    assert can_sign_in(api, ADA, PASSWORD)


@pytest.mark.usefixtures("mail")
@pytest.mark.parametrize(
    "change",
    [
        lambda account: replace(account, email_verified=True),
        lambda account: replace(account, was_verified=True, email="another@example.org"),
        lambda account: replace(account, email_proven=True),
        lambda account: replace(account, roles=("custodial_account", "patient")),
    ],
    ids=["verified by a server", "verified before the address changed", "proven", "custodial"],
)
def test_an_account_that_somebody_answers_for_stays(
    api: ApiClient, fakes: FakeServices, change: Callable[[Account], Account]
) -> None:
    user_id = new_user(api)
    account = fakes.accounts.find(user_id)
    assert account is not None
    fakes.accounts.replace(account, replace(change(account), version=account.version + 1))
    fakes.now_ms += 40 * DAY_MS
    assert (run_job(fakes), notes(fakes)) == ((0, None), 0)
    assert fakes.accounts.find(user_id) is not None


def test_where_addresses_are_not_verified_and_for_custodial_accounts_nothing_expires(
    api: ApiClient, fakes: FakeServices
) -> None:
    token = sign_up(api).headers[TOKEN]
    user_id = api.request("GET", "/auth/user", token=token).json()["userid"]
    body = {"username": "kid@example.org", "emails": ["kid@example.org"]}
    assert api.request("POST", f"/auth/user/{user_id}/user", body, token=token).status == 201
    assert notes(fakes) == 0


@pytest.mark.usefixtures("mail")
def test_an_open_confirmation_postpones_the_deletion_to_its_end(api: ApiClient, fakes: FakeServices) -> None:
    reply = sign_up(api)
    user_id, token = reply.json()["userid"], reply.headers[TOKEN]
    fakes.now_ms += 20 * DAY_MS
    assert api.request("POST", f"/confirm/send/signup/{user_id}", token=token).status == 200
    fakes.now_ms += 11 * DAY_MS
    assert (run_job(fakes), notes(fakes)) == ((0, None), 1)
    fakes.now_ms += 20 * DAY_MS - 1
    assert run_job(fakes) == (0, None)
    fakes.now_ms += 1
    assert (run_job(fakes), notes(fakes)) == ((1, None), 0)


@pytest.mark.usefixtures("mail")
def test_all_credentials_and_data_go_with_the_account(api: ApiClient, fakes: FakeServices) -> None:
    fakes.settings = replace(fakes.settings, session_lifetime_s=90 * 24 * 3600)
    wiring.override(fakes.services)
    reply = sign_up(api)
    user_id, token = reply.json()["userid"], reply.headers[TOKEN]
    assert api.request("PUT", f"/metadata/{user_id}/profile", {"fullName": "A"}, token=token).status == 200
    fakes.now_ms += 31 * DAY_MS
    assert run_job(fakes) == (1, None)
    assert api.request("GET", "/auth/token", token=token).status == 401
    task = Task("0", "strandline.accounts.erase", fakes.now_ms)
    erase_deleted_users(TaskRun(task, {}, fakes.now_ms + 60_000, lambda: fakes.now_ms, lambda: None), fakes.services)
    assert fakes.profiles.find(user_id, "profile") is None


@pytest.mark.usefixtures("mail")
def test_an_address_that_is_verified_at_that_moment_keeps_its_account(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(api)
    fakes.now_ms += 31 * DAY_MS
    delete, attempts = fakes.accounts.delete, []

    def verified_first(account: Account, now_ms: int) -> None:
        attempts.append(account)
        fakes.accounts.replace(account, replace(account, email_verified=True, version=account.version + 1))
        with pytest.raises(WriteConflictError):
            delete(account, now_ms)
        raise WriteConflictError

    monkeypatch.setattr(fakes.accounts, "delete", verified_first)
    assert run_job(fakes) == (0, None)
    assert (len(attempts), fakes.accounts.find(user_id) is not None, notes(fakes)) == (1, True, 0)


@pytest.mark.usefixtures("mail")
@pytest.mark.parametrize("step", ["restricted_tokens", "sessions"])
def test_a_run_that_stops_is_completed_by_the_next(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise UnavailableError

    user_ids = {new_user(api, f"{name}@example.org") for name in "abc"}
    fakes.now_ms += 31 * DAY_MS
    with monkeypatch.context() as patched:
        patched.setattr(getattr(fakes, step), "of_user" if step == "restricted_tokens" else "end_all", fails)
        with pytest.raises(UnavailableError):
            run_job(fakes)
    assert (run_job(fakes), notes(fakes)) == ((2, None), 0)
    assert {deletion.user_id for deletion in fakes.accounts.deletions()} == user_ids


@pytest.mark.usefixtures("mail")
def test_a_run_looks_at_a_limited_number_and_asks_for_another_one(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unanswered_sign_ups, "MAX_SIGN_UPS", 2)
    for name in "abc":
        new_user(api, f"{name}@example.org")
    fakes.now_ms += 31 * DAY_MS
    assert [run_job(fakes), run_job(fakes)] == [(2, Rerun(0)), (1, None)]


def test_the_time_is_that_of_the_mailed_link_and_outlasts_the_session(fakes: FakeServices) -> None:
    assert SIGN_UP_LIFETIME_MS == LIFETIME_MS > fakes.settings.session_lifetime_s * 1000
