"""Invitations over HTTP: receiving, accepting and declining, and who cannot."""

import pytest

from chalicelib.accounts.account import Account
from strandline.home.users import add_user
from tests.api.conftest import ApiClient
from tests.api.invitations.invitation_requests import (
    ACCEPT,
    ADDRESS,
    DISMISS,
    FORBIDDEN,
    INVITATION,
    INVITEE,
    NO_INVITE,
    NOT_AUTHORIZED,
    NOTHING,
    RECEIVED,
    SHARER,
    STRANGER,
    answer,
    prove_address,
    sent_key,
)
from tests.fakes.services import FakeServices

WEEK_MS = 7 * 24 * 3_600_000


class TestReceivedList:
    """GET /confirm/invitations/{userId}."""

    def test_an_account_with_a_proven_address_sees_the_keys(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        listed = api.request("GET", RECEIVED, token=prove_address(fakes)).json()
        assert [(entry["key"], entry["creatorId"], entry["status"]) for entry in listed] == [(key, SHARER, "pending")]

    def test_an_account_that_comes_later_sees_them(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        fakes.now_ms += WEEK_MS - 1
        fakes.accounts.create(Account(INVITEE, fakes.now_ms, ADDRESS, email_proven=True))
        [entry] = api.request("GET", RECEIVED, token=fakes.sign_in(INVITEE)).json()
        assert entry["key"] == key

    def test_an_address_that_is_verified_without_proof_sees_none(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        fakes.accounts.create(Account(INVITEE, fakes.now_ms, ADDRESS, email_verified=True))
        reply = api.request("GET", RECEIVED, token=fakes.sign_in(INVITEE))
        assert (reply.status, reply.json()) == (404, NOTHING)

    def test_a_changed_address_is_no_longer_proven(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        token = prove_address(fakes, STRANGER)
        fakes.accounts.create(Account("dddddddddd", fakes.now_ms, "dd@example.org"))
        updates = {"updates": {"username": ADDRESS, "emails": [ADDRESS]}}
        assert api.request("PUT", "/auth/user", updates, token=token).status == 200
        account = fakes.accounts.find(STRANGER)
        assert account is not None
        assert (account.email, account.email_proven) == (ADDRESS, False)
        assert api.request("GET", f"/confirm/invitations/{STRANGER}", token=token).json() == NOTHING

    def test_an_expired_invitation_is_not_listed(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        prove_address(fakes)
        fakes.now_ms += WEEK_MS
        assert api.request("GET", RECEIVED, token=fakes.sign_in(INVITEE)).json() == NOTHING

    def test_nobody_else_sees_them(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        prove_address(fakes)
        for user_id in (STRANGER, SHARER):
            reply = api.request("GET", RECEIVED, token=fakes.sign_in(user_id))
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)


class TestAccept:
    """PUT /confirm/accept/invite/{userId}/{invitedBy}."""

    def test_the_permissions_are_granted_and_the_invitation_is_gone(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), prove_address(fakes)
        assert answer(api, ACCEPT, key, token) == (200, "OK")
        granted = api.request("GET", f"/access/{SHARER}/{INVITEE}", token=token).json()
        assert granted == {"view": {}, "note": {}}
        assert api.request("GET", RECEIVED, token=token).json() == NOTHING

    def test_the_key_opens_it_for_an_address_that_is_not_proven(self, api: ApiClient, fakes: FakeServices) -> None:
        assert answer(api, ACCEPT, sent_key(api, fakes), fakes.sign_in(INVITEE)) == (200, "OK")
        account = fakes.accounts.find(INVITEE)
        assert account is not None
        assert not account.email_proven

    def test_a_repetition_grants_nothing_again(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), fakes.sign_in(INVITEE)
        assert answer(api, ACCEPT, key, token) == (200, "OK")
        fakes.grant(SHARER, INVITEE, [])
        assert answer(api, ACCEPT, key, token) == (200, "OK")
        assert fakes.grants.find(SHARER, INVITEE) is None

    def test_somebody_else_cannot_accept_it(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        fakes.sign_in(INVITEE)
        other = f"/confirm/accept/invite/{STRANGER}/{SHARER}"
        assert answer(api, other, key, prove_address(fakes, STRANGER)) == (403, FORBIDDEN)
        assert answer(api, ACCEPT, key, fakes.sign_in(STRANGER)) == (401, NOT_AUTHORIZED)
        assert answer(api, ACCEPT, key, fakes.sign_in(SHARER)) == (401, NOT_AUTHORIZED)
        assert fakes.grants.given_by(SHARER) == []

    def test_a_key_of_another_sharer_is_refused(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        other = f"/confirm/accept/invite/{INVITEE}/{STRANGER}"
        assert answer(api, other, key, fakes.sign_in(INVITEE)) == (403, FORBIDDEN)
        assert fakes.grants.given_to(INVITEE) == []

    @pytest.mark.parametrize("key", ["forged", "a" * 32, "a" * 5000, "é"])
    def test_a_forged_key_opens_nothing(self, api: ApiClient, fakes: FakeServices, key: str) -> None:
        sent_key(api, fakes)
        assert answer(api, ACCEPT, key, prove_address(fakes)) == (404, NO_INVITE)

    def test_an_expired_key_opens_nothing(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        fakes.now_ms += WEEK_MS
        assert answer(api, ACCEPT, key, fakes.sign_in(INVITEE)) == (404, NO_INVITE)

    def test_a_custodian_who_was_removed_does_not_come_back_by_an_invitation(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.sign_in(SHARER)
        fakes.grant(SHARER, STRANGER, ["custodian"])
        details = INVITATION | {"permissions": {"custodian": {}, "view": {}}}
        sent = api.request("POST", f"/confirm/send/invite/{SHARER}", details, token=fakes.sign_in(STRANGER)).json()
        fakes.grant(SHARER, STRANGER, [])
        assert answer(api, ACCEPT, sent["key"], fakes.sign_in(INVITEE)) == (403, FORBIDDEN)
        assert fakes.grants.find(SHARER, INVITEE) is None
        # The sharer may stand by it.
        renewed = api.request("PATCH", f"/confirm/resend/invite/{sent['key']}", token=fakes.sign_in(SHARER))
        assert renewed.status == 200
        assert answer(api, ACCEPT, sent["key"], fakes.sign_in(INVITEE))[0] == 200

    def test_a_declined_invitation_is_not_accepted(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), fakes.sign_in(INVITEE)
        assert answer(api, DISMISS, key, token) == (200, "")
        assert answer(api, ACCEPT, key, token) == (403, FORBIDDEN)

    def test_an_invitation_of_a_deleted_user_opens_nothing(
        self, api: ApiClient, fakes: FakeServices, server: str
    ) -> None:
        key = sent_key(api, fakes)
        assert api.request("DELETE", f"/auth/user/{SHARER}", token=server).status == 204
        assert answer(api, ACCEPT, key, fakes.sign_in(INVITEE)) == (404, NO_INVITE)

    def test_what_the_sharer_granted_before_is_replaced(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        fakes.grant(SHARER, INVITEE, ["upload"])
        assert answer(api, ACCEPT, key, fakes.sign_in(INVITEE)) == (200, "OK")
        grant = fakes.grants.find(SHARER, INVITEE)
        assert grant is not None
        assert grant.names == {"view", "note"}

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"key": ""}', b'{"key": 5}', b"null"])
    def test_a_body_without_a_key_is_refused(self, api: ApiClient, fakes: FakeServices, body: bytes) -> None:
        reply = api.request("PUT", ACCEPT, body, token=fakes.sign_in(INVITEE))
        assert (reply.status, reply.json()) == (400, {"code": 400, "reason": "Error decoding the confirmation"})


class TestDismiss:
    """PUT /confirm/dismiss/invite/{userId}/{invitedBy}."""

    def test_a_declined_invitation_is_in_no_list_of_the_invitee(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), prove_address(fakes)
        for _ in range(2):
            assert answer(api, DISMISS, key, token) == (200, "")
        assert api.request("GET", RECEIVED, token=token).json() == NOTHING
        assert fakes.grants.given_by(SHARER) == []

    def test_somebody_else_cannot_decline_it(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        other = f"/confirm/dismiss/invite/{STRANGER}/{SHARER}"
        assert answer(api, other, key, fakes.sign_in(STRANGER)) == (403, FORBIDDEN)
        assert answer(api, ACCEPT, key, fakes.sign_in(INVITEE)) == (200, "OK")

    def test_an_accepted_invitation_is_not_declined(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), fakes.sign_in(INVITEE)
        answer(api, ACCEPT, key, token)
        assert answer(api, DISMISS, key, token) == (403, FORBIDDEN)
        assert fakes.grants.find(SHARER, INVITEE) is not None


def test_an_account_that_the_owner_of_the_stage_makes_is_proven(fakes: FakeServices) -> None:
    account = add_user(fakes.services, ADDRESS, ["patient"], "a-good-password")
    assert account.email_proven
    assert fakes.accounts.find(account.user_id) == account
