"""The suite of the port `Invitations`, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.access.call import token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import InvalidRequestError
from chalicelib.invitations.invitation import Invitation, InvitationIdentity, Status, new_invitation
from chalicelib.invitations.stores.invitations import StoredInvitations

NOW_MS = 1_767_225_600_000
ADDRESS = "ben@example.org"
CONTEXT = {"permissions": {"view": {}, "bogus": [1, 2.5, None]}, "nickname": "Ben"}
GRANT = Grant("sharer", "grantee", {"view": {}})


def invitation(sharer_id: str = "sharer", email: str = ADDRESS, number: int = 1) -> Invitation:
    """A pending invitation."""
    identity = InvitationIdentity(f"{number:032x}", "secret")
    return new_invitation(sharer_id, email, CONTEXT, identity, NOW_MS)


@pytest.fixture
def invitations(engine: Engine) -> StoredInvitations:
    """An empty store."""
    return StoredInvitations(engine.accounts)


def test_an_invitation_is_found_by_sender_by_address_and_by_key(invitations: StoredInvitations) -> None:
    sent = invitation()
    invitations.add(sent)
    assert invitations.find("sharer", ADDRESS) == sent
    assert invitations.sent_by("sharer") == invitations.sent_to(ADDRESS, 10) == [sent]
    assert invitations.find_by_key(sent.key_hash) == sent


def test_nothing_is_found_by_other_names(invitations: StoredInvitations) -> None:
    invitations.add(invitation())
    assert invitations.find("other", ADDRESS) is None
    assert invitations.find("sharer", "") is None
    assert invitations.find_by_key(token_hash("forged")) is None
    assert invitations.sent_by("other") == invitations.sent_by("") == []
    assert invitations.sent_to("other@example.org", 10) == invitations.sent_to("a" * 600, 10) == []


def test_the_list_of_an_address_is_cut_at_the_limit(invitations: StoredInvitations) -> None:
    for number, sharer_id in enumerate("abc"):
        invitations.add(invitation(sharer_id, number=number))
    assert [found.creator_id for found in invitations.sent_to(ADDRESS, 2)] == ["a", "b"]


def test_a_second_invitation_to_an_address_needs_the_first_one(invitations: StoredInvitations) -> None:
    first, second = invitation(number=1), invitation(number=2)
    invitations.add(first)
    with pytest.raises(WriteConflictError):
        invitations.add(second)
    invitations.add(second, first)
    assert invitations.sent_by("sharer") == invitations.sent_to(ADDRESS, 10) == [second]
    assert invitations.find_by_key(first.key_hash) is None
    with pytest.raises(WriteConflictError):
        invitations.add(invitation(number=3), first)


def test_a_declined_invitation_leaves_the_list_of_its_address_only(invitations: StoredInvitations) -> None:
    sent = invitation()
    invitations.add(sent)
    declined = sent.changed(Status.DECLINED, NOW_MS + 5)
    invitations.replace(sent, declined)
    assert invitations.sent_to(ADDRESS, 10) == []
    assert invitations.sent_by("sharer") == [declined]
    assert invitations.find_by_key(sent.key_hash) == declined
    with pytest.raises(WriteConflictError):
        invitations.replace(sent, sent.renewed(NOW_MS))


def test_a_renewed_invitation_keeps_its_key(invitations: StoredInvitations) -> None:
    sent = invitation()
    invitations.add(sent)
    renewed = sent.renewed(NOW_MS + 5)
    invitations.replace(sent, renewed)
    assert invitations.find_by_key(sent.key_hash) == renewed
    assert invitations.sent_to(ADDRESS, 10) == [renewed]


def test_acceptance_and_the_grant_are_stored_together(engine: Engine, invitations: StoredInvitations) -> None:
    accounts, grants = StoredAccounts(engine.accounts), StoredGrants(engine.accounts, lambda: NOW_MS)
    for user_id in ("sharer", "grantee"):
        accounts.create(Account(user_id, NOW_MS))
    sent = invitation()
    invitations.add(sent)
    accepted = sent.changed(Status.COMPLETED, NOW_MS)
    invitations.accept(sent, accepted, GRANT)
    assert grants.find("sharer", "grantee") == GRANT
    assert invitations.find_by_key(sent.key_hash) == accepted
    assert invitations.sent_to(ADDRESS, 10) == []
    grants.put(replace(GRANT, permissions={}))
    with pytest.raises(WriteConflictError):
        invitations.accept(sent, accepted, GRANT)
    assert grants.find("sharer", "grantee") is None


@pytest.mark.parametrize("gone", ["sharer", "grantee"])
def test_nothing_is_stored_when_an_account_is_gone(engine: Engine, invitations: StoredInvitations, gone: str) -> None:
    accounts, grants = StoredAccounts(engine.accounts), StoredGrants(engine.accounts, lambda: NOW_MS)
    for user_id in {"sharer", "grantee"} - {gone}:
        accounts.create(Account(user_id, NOW_MS))
    sent = invitation()
    invitations.add(sent)
    with pytest.raises(WriteConflictError):
        invitations.accept(sent, sent.changed(Status.COMPLETED, NOW_MS), GRANT)
    assert grants.find("sharer", "grantee") is None
    assert invitations.find("sharer", ADDRESS) == sent


def test_a_removed_invitation_is_nowhere(invitations: StoredInvitations) -> None:
    sent = invitation()
    invitations.add(sent)
    invitations.remove(sent)
    assert invitations.find("sharer", ADDRESS) is invitations.find_by_key(sent.key_hash) is None
    assert invitations.sent_by("sharer") == invitations.sent_to(ADDRESS, 10) == []


def test_one_that_was_changed_or_removed_meanwhile_is_not_removed(invitations: StoredInvitations) -> None:
    sent = invitation()
    invitations.add(sent)
    declined = sent.changed(Status.DECLINED, NOW_MS)
    invitations.replace(sent, declined)
    with pytest.raises(WriteConflictError):
        invitations.remove(sent)
    assert invitations.find("sharer", ADDRESS) == declined
    invitations.remove(declined)
    with pytest.raises(WriteConflictError):
        invitations.remove(declined)


def test_all_invitations_of_a_sender_are_removed(invitations: StoredInvitations) -> None:
    first, second = invitation(), invitation(email="cara@example.org", number=2)
    of_another = invitation("another", number=3)
    for sent in (first, second, of_another):
        invitations.add(sent)
    for _ in range(2):
        invitations.remove_all("sharer")
        assert invitations.sent_by("sharer") == []
    assert invitations.find_by_key(first.key_hash) is invitations.find_by_key(second.key_hash) is None
    assert invitations.sent_to(ADDRESS, 10) == [of_another]


@pytest.mark.parametrize(("sharer_id", "email"), [("", ADDRESS), ("a" * 600, ADDRESS), ("sharer", "a" * 600)])
def test_a_name_that_fits_no_key_is_refused(sharer_id: str, email: str) -> None:
    with pytest.raises(InvalidRequestError):
        invitation(sharer_id, email)
