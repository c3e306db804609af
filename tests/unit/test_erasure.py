"""Tests that all data of deleted users is erased, even if erasing is interrupted several times."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.access.call import SERVICE, Call, RestrictedToken, token_hash
from chalicelib.accounts.delete import PasswordConfirmation, delete_user
from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.accounts.ports import MetadataCollection
from chalicelib.api.operations.accounts import DELETE_USER
from chalicelib.erasure import SETTLED_AFTER_MS, erase_at_once, erase_deleted_users
from chalicelib.errors import UnavailableError
from chalicelib.invitations.invitation import InvitationIdentity, new_invitation
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun, TimeLimitError
from tests.fakes.services import START_MS, FakeServices

GONE = "aaaaaaaaaa"
STAYS = "bbbbbbbbbb"


@pytest.fixture
def fakes() -> FakeServices:
    """Two users with everything a user can have, of whom one has just been deleted."""
    fakes = FakeServices()
    for user_id, other_id in ((GONE, STAYS), (STAYS, "cccccccccc")):
        fakes.sign_in(user_id)
        fakes.grant(user_id, other_id, ["view"])
        fakes.grant(other_id, user_id, ["view"])
        fakes.restricted_tokens.add(RestrictedToken(f"of-{user_id}", user_id, None, START_MS + 1, START_MS))
        fakes.profiles.replace(user_id, "profile", None, MetadataCollection({"fullName": "A"}, 1))
        fakes.known_sources.add(user_id, ["a"], START_MS)
        identity = InvitationIdentity(f"of-{user_id}", "secret")
        invitation = new_invitation(user_id, "ada@example.org", {"permissions": {}}, identity, START_MS)
        fakes.invitations.add(invitation)
    account = fakes.accounts.find(GONE)
    assert account is not None
    fakes.accounts.delete(account, START_MS)
    return fakes


def delete_again(fakes: FakeServices) -> None:
    """The request of a server that deletes the user, sent again after the account was removed."""
    call = Call(SERVICE, DELETE_USER.policy, fakes.grants, fakes.now_ms, fakes.new_id)
    delete_user(call, GONE, PasswordConfirmation(None, SignInSource("")), fakes.services.accounts)


def left_of(fakes: FakeServices, user_id: str) -> set[str]:
    """The items of a user that are still there."""
    held = {
        "sessions": fakes.sessions.find(token_hash(f"token-of-{user_id}")) is not None,
        "restricted tokens": bool(fakes.restricted_tokens.of_user(user_id)),
        "grants": bool(fakes.grants.given_by(user_id) or fakes.grants.given_to(user_id)),
        "profiles": fakes.profiles.find(user_id, "profile") is not None,
        "invitations": bool(fakes.invitations.sent_by(user_id)),
        "known sources": fakes.known_sources.known(user_id, ["a"], START_MS - 1) == {"a"},
    }
    return {name for name, is_there in held.items() if is_there}


EVERYTHING = {"sessions", "restricted tokens", "grants", "profiles", "invitations", "known sources"}


def run_job(fakes: FakeServices) -> int:
    """The number of deleted users that the job took care of."""
    task = Task("0", "strandline.accounts.erase", fakes.now_ms)
    run = TaskRun(task, {}, fakes.now_ms + 60_000, lambda: fakes.now_ms, lambda: None)
    erase_deleted_users(run, fakes.services)
    users: int = run.data["users"]
    return users


def failing(*_: Any) -> Any:
    """A store that does not answer."""
    raise UnavailableError


def test_available_data_are_erased_at_once(fakes: FakeServices) -> None:
    epoch = fakes.data_sets.owner(GONE).epoch
    assert left_of(fakes, GONE) == EVERYTHING
    delete_again(fakes)
    assert left_of(fakes, GONE) == {"grants", "profiles", "invitations", "known sources"}
    assert erase_at_once(GONE, fakes.services)
    assert left_of(fakes, GONE) == set()
    assert fakes.data_sets.owner(GONE).epoch > epoch


def test_data_of_other_users_are_kept(fakes: FakeServices) -> None:
    erase_at_once(GONE, fakes.services)
    assert run_job(fakes) == 1
    assert left_of(fakes, STAYS) == EVERYTHING
    assert fakes.grants.permissions(STAYS, "cccccccccc") == {"view"}


@pytest.mark.parametrize(
    "breaks", [lambda fakes: (fakes.sessions, "end_all"), lambda fakes: (fakes.restricted_tokens, "delete")]
)
def test_a_deletion_that_cannot_end_sessions_and_tokens_is_refused_and_the_job_ends_them(
    fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[FakeServices], tuple[Any, str]]
) -> None:
    store, method = breaks(fakes)
    with monkeypatch.context() as patched:
        patched.setattr(store, method, failing)
        with pytest.raises(UnavailableError):
            delete_again(fakes)
        with pytest.raises(UnavailableError):
            run_job(fakes)
    assert run_job(fakes) == 1
    assert left_of(fakes, GONE) == set()


@pytest.mark.parametrize(
    "breaks",
    [
        lambda fakes: (fakes.grants, "put"),
        lambda fakes: (fakes.profiles, "delete_all"),
        lambda fakes: (fakes.known_sources, "remove_all"),
        lambda fakes: (fakes.data_sets, "erase"),
    ],
)
def test_data_of_an_unavailable_store_are_erased_by_the_job(
    fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[FakeServices], tuple[Any, str]]
) -> None:
    store, method = breaks(fakes)
    with monkeypatch.context() as patched:
        patched.setattr(store, method, failing)
        assert not erase_at_once(GONE, fakes.services)
        with pytest.raises(UnavailableError):
            run_job(fakes)
    assert [deletion.user_id for deletion in fakes.accounts.deletions()] == [GONE]
    assert run_job(fakes) == 1
    assert left_of(fakes, GONE) == set()


def test_a_receipt_is_kept_until_no_request_can_be_under_way(fakes: FakeServices) -> None:
    fakes.now_ms = START_MS + SETTLED_AFTER_MS - 1
    assert run_job(fakes) == 1
    fakes.profiles.replace(GONE, "profile", None, MetadataCollection({"late": 1}, 1))
    fakes.now_ms += 1
    assert run_job(fakes) == 1
    assert left_of(fakes, GONE) == set()
    assert run_job(fakes) == 0


def test_a_run_ends_in_time(fakes: FakeServices) -> None:
    task = Task("0", "strandline.accounts.erase", fakes.now_ms)
    with pytest.raises(TimeLimitError):
        erase_deleted_users(TaskRun(task, {}, fakes.now_ms, lambda: fakes.now_ms, lambda: None), fakes.services)
    assert left_of(fakes, GONE) == EVERYTHING
