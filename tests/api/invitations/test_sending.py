"""Invitations over HTTP: sending, listing, sending again and withdrawing."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.accounts.ports import MetadataCollection
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.invitations.invitation import Invitation
from chalicelib.invitations.send import MAX_INVITATIONS, MAX_SENT_IN_WINDOW
from chalicelib.invitations.stores.invitations import StoredInvitations
from tests.api.conftest import ApiClient
from tests.api.invitations.invitation_requests import (
    ACCEPT,
    ADDRESS,
    DISMISS,
    EXISTS,
    FORBIDDEN,
    INVITATION,
    INVITEE,
    MEMBER,
    NO_INVITE,
    NOT_AUTHORIZED,
    NOTHING,
    RECEIVED,
    SENT,
    SHARER,
    STRANGER,
    answer,
    prove_address,
    send,
    sent_key,
)
from tests.fakes.services import FakeServices

WEEK_MS = 7 * 24 * 3_600_000
WITHDRAW = f"/confirm/{SHARER}/invited/{ADDRESS}"


class TestSend:
    """POST /confirm/send/invite/{userId}."""

    def test_the_invitation_is_answered_with_the_name_of_the_sender(self, api: ApiClient, fakes: FakeServices) -> None:
        profile = {"fullName": "Ada", "patient": {"birthday": "2001-01-01", "isOtherPerson": True, "fullName": "Bo"}}
        fakes.profiles.replace(SHARER, "profile", None, MetadataCollection(profile, 1))
        reply = send(api, fakes, email=ADDRESS.upper(), nickname="Ben")
        key = reply.json()["key"]
        assert (reply.status, len(key)) == (200, 32)
        shown = {"fullName": "Ada", "patient": {"isOtherPerson": True, "fullName": "Bo"}}
        assert reply.json() == {
            "key": key,
            "type": "careteam_invitation",
            "status": "pending",
            "email": ADDRESS,
            "creatorId": SHARER,
            "creator": {"userid": SHARER, "profile": shown},
            "context": {"permissions": {"view": {}, "note": {}}, "nickname": "Ben"},
            "created": "2026-01-01T00:00:00Z",
            "modified": "2026-01-01T00:00:00Z",
            "expiresAt": "2026-01-08T00:00:00Z",
            "restrictions": None,
        }

    def test_the_key_is_not_stored(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        assert key not in str(fakes.items(ACCOUNTS))

    def test_the_answer_is_the_same_for_an_address_without_an_account(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        fakes.sign_in(INVITEE)
        known, unknown = send(api, fakes).json(), send(api, fakes, email="nobody@example.org").json()
        different = {"key", "email"}
        assert {name: value for name, value in known.items() if name not in different} == {
            name: value for name, value in unknown.items() if name not in different
        }

    def test_a_pending_invitation_is_not_replaced(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        reply = send(api, fakes, permissions={"upload": {}})
        assert (reply.status, reply.json()) == (409, EXISTS)
        assert api.request("GET", SENT, token=fakes.sign_in(SHARER)).json()[0]["key"] == key

    def test_an_expired_or_declined_invitation_is_replaced(self, api: ApiClient, fakes: FakeServices) -> None:
        declined, token = sent_key(api, fakes), prove_address(fakes)
        assert answer(api, DISMISS, declined, token) == (200, "")
        expired = sent_key(api, fakes)
        fakes.now_ms += WEEK_MS
        assert len({declined, expired, sent_key(api, fakes)}) == 3

    def test_who_is_in_the_care_team_is_not_invited_again(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.sign_in(INVITEE)
        fakes.grant(SHARER, INVITEE, ["upload"])
        reply = send(api, fakes)
        assert (reply.status, reply.json()) == (409, MEMBER)

    def test_nobody_invites_themselves(self, api: ApiClient, fakes: FakeServices) -> None:
        reply = send(api, fakes, email=f"{SHARER}@example.org")
        assert (reply.status, reply.json()) == (409, MEMBER)

    def test_following_is_added_to_what_a_member_has(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.sign_in(INVITEE)
        fakes.grant(SHARER, INVITEE, ["upload"])
        reply = send(api, fakes, permissions={"follow": {}, "view": {}}, alertsConfig={"low": {"enabled": True}})
        assert reply.json()["context"] == {
            "permissions": {"follow": {}, "view": {}, "upload": {}},
            "alertsConfig": {"low": {"enabled": True}},
        }

    def test_a_custodian_sends_invitations_that_give_nothing_for_longer_than_they_have(
        self, api: ApiClient, fakes: FakeServices
    ) -> None:
        ends = {"expiresTime": "2026-06-01T00:00:00Z"}
        token = fakes.sign_in(STRANGER)
        fakes.sign_in(SHARER)
        path = f"/access/{SHARER}/{STRANGER}"
        assert api.request("POST", path, {"custodian": ends}, token=fakes.sign_in(SHARER)).status == 200
        reply = api.request("POST", f"/confirm/send/invite/{SHARER}", INVITATION, token=token)
        assert reply.json()["context"]["permissions"] == {"view": ends, "note": ends}

    def test_others_cannot_invite_to_a_care_team(self, api: ApiClient, fakes: FakeServices) -> None:
        fakes.grant(SHARER, STRANGER, ["view", "upload", "note"])
        reply = api.request("POST", f"/confirm/send/invite/{SHARER}", INVITATION, token=fakes.sign_in(STRANGER))
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)
        assert api.request("POST", f"/confirm/send/invite/{SHARER}", INVITATION).json() == {
            "code": 401,
            "reason": "No x-tidepool-session-token was found",
        }

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"permissions": {"view": {}}}, "/email: value does not exist"),
            ({"email": 5}, "/email: type is not string"),
            ({"email": "ben"}, "/email: value"),
            ({"email": ADDRESS, "permissions": None}, "/permissions: type is not object"),
            ({"email": ADDRESS, "permissions": {}}, "/permissions: value is empty"),
            ({"email": ADDRESS, "permissions": {"root": {}}}, "/permissions: value is empty"),
            ({"permissions": {"view": {"windowHours": 0}}}, "/permissions/view/windowHours: value 0"),
            (INVITATION | {"nickname": 5}, "/nickname: type is not string"),
            (INVITATION | {"nickname": "a" * 257}, "/nickname: length 257"),
            (INVITATION | {"alertsConfig": {"low": {}}}, "/alertsConfig: value exists"),
            ({"permissions": {"follow": {}}, "alertsConfig": []}, "/alertsConfig: type is not object"),
            ({"permissions": {"follow": {}}, "alertsConfig": {"a": "b" * 20_000}}, "/alertsConfig: size 20008"),
        ],
    )
    def test_a_wrong_member_is_named_and_nothing_is_stored(
        self, api: ApiClient, fakes: FakeServices, body: dict[str, Any], pointer: str
    ) -> None:
        sent = body if "email" in body or pointer.startswith("/email") else {"email": ADDRESS} | body
        sent = {"permissions": {"view": {}}} | sent
        reply = api.request("POST", f"/confirm/send/invite/{SHARER}", sent, token=fakes.sign_in(SHARER))
        assert reply.status == 400
        assert reply.json()["reason"].startswith(f"Error decoding the confirmation: {pointer}")
        assert fakes.invitations.sent_by(SHARER) == []

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"a"'])
    def test_a_body_that_is_no_object_is_refused(self, api: ApiClient, fakes: FakeServices, body: bytes) -> None:
        reply = api.request("POST", f"/confirm/send/invite/{SHARER}", body, token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()["code"]) == (400, 400)

    def test_a_user_sends_a_limited_number(self, api: ApiClient, fakes: FakeServices) -> None:
        for number in range(MAX_SENT_IN_WINDOW):
            assert send(api, fakes, email=f"p{number}@example.org").status == 200
        assert send(api, fakes).status == 429
        fakes.now_ms += 15 * 60_000
        for number in range(MAX_INVITATIONS - MAX_SENT_IN_WINDOW):
            assert send(api, fakes, email=f"q{number}@example.org").status == 200
        fakes.now_ms += 15 * 60_000
        reply = send(api, fakes)
        assert (reply.status, reply.json()["reason"]) == (409, "There are too many invitations")


class TestSentList:
    """GET /confirm/invite/{userId}."""

    def test_pending_and_declined_ones_are_listed_the_newest_first(self, api: ApiClient, fakes: FakeServices) -> None:
        declined = sent_key(api, fakes)
        fakes.now_ms += 1000
        pending = sent_key(api, fakes, email="other@example.org")
        assert answer(api, DISMISS, declined, fakes.sign_in(INVITEE)) == (200, "")
        listed = api.request("GET", SENT, token=fakes.sign_in(SHARER)).json()
        assert [(entry["key"], entry["status"]) for entry in listed] == [(pending, "pending"), (declined, "declined")]
        assert listed[1]["modified"] == "2026-01-01T00:00:01Z"

    def test_accepted_and_expired_ones_are_not_listed(self, api: ApiClient, fakes: FakeServices) -> None:
        assert answer(api, ACCEPT, sent_key(api, fakes), fakes.sign_in(INVITEE)) == (200, "OK")
        sent_key(api, fakes, email="other@example.org")
        fakes.now_ms += WEEK_MS
        reply = api.request("GET", SENT, token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (404, NOTHING)

    def test_others_do_not_see_them(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        reply = api.request("GET", SENT, token=fakes.sign_in(STRANGER))
        assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_those_whose_key_a_new_secret_has_lost_are_not_listed(
        self, api: ApiClient, fakes: FakeServices, server: str
    ) -> None:
        sent_key(api, fakes)
        [invitation] = fakes.invitations.sent_by(SHARER)
        fakes.invitations.remove(invitation)
        fakes.invitations.add(replace(invitation, key_hash="of another secret"))
        assert api.request("GET", SENT, token=server).json() == NOTHING


class TestResend:
    """PATCH /confirm/resend/invite/{key}."""

    def test_the_time_starts_again_and_the_key_stays(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        fakes.now_ms += WEEK_MS - 1
        reply = api.request("PATCH", f"/confirm/resend/invite/{key}", token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()["key"], reply.json()["created"]) == (200, key, "2026-01-07T23:59:59.999Z")
        fakes.now_ms += WEEK_MS - 1
        assert answer(api, ACCEPT, key, fakes.sign_in(INVITEE)) == (200, "OK")

    def test_others_and_forged_keys_are_refused_alike(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/confirm/resend/invite/{sent_key(api, fakes)}"
        for reply in (
            api.request("PATCH", path, token=fakes.sign_in(STRANGER)),
            api.request("PATCH", f"/confirm/resend/invite/{'a' * 32}", token=fakes.sign_in(SHARER)),
        ):
            assert (reply.status, reply.json()) == (403, FORBIDDEN)

    def test_an_accepted_one_is_not_sent_again(self, api: ApiClient, fakes: FakeServices) -> None:
        key = sent_key(api, fakes)
        answer(api, ACCEPT, key, fakes.sign_in(INVITEE))
        reply = api.request("PATCH", f"/confirm/resend/invite/{key}", token=fakes.sign_in(SHARER))
        assert (reply.status, reply.json()) == (403, FORBIDDEN)


class TestWithdraw:
    """PUT /confirm/{userId}/invited/{invitedBy}."""

    def test_a_withdrawn_invitation_cannot_be_accepted(self, api: ApiClient, fakes: FakeServices) -> None:
        key, token = sent_key(api, fakes), prove_address(fakes)
        reply = api.request("PUT", f"/confirm/{SHARER}/invited/{ADDRESS.upper()}", token=fakes.sign_in(SHARER))
        assert (reply.status, reply.body) == (200, b"")
        assert answer(api, ACCEPT, key, token) == (404, NO_INVITE)
        assert api.request("GET", RECEIVED, token=token).status == 404
        assert api.request("PUT", WITHDRAW, token=fakes.sign_in(SHARER)).json() == NO_INVITE

    def test_others_cannot_withdraw_it(self, api: ApiClient, fakes: FakeServices) -> None:
        sent_key(api, fakes)
        for user_id in (STRANGER, INVITEE):
            reply = api.request("PUT", WITHDRAW, token=fakes.sign_in(user_id))
            assert (reply.status, reply.json()) == (401, NOT_AUTHORIZED)

    def test_one_that_is_accepted_meanwhile_is_not_withdrawn(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, token = sent_key(api, fakes), fakes.sign_in(INVITEE)
        accepted: list[object] = []
        remove = StoredInvitations.remove

        def accept_and_remove(store: StoredInvitations, invitation: Invitation) -> None:
            accepted.append(answer(api, ACCEPT, key, token))
            remove(store, invitation)

        monkeypatch.setattr(StoredInvitations, "remove", accept_and_remove)
        assert api.request("PUT", WITHDRAW, token=fakes.sign_in(SHARER)).json() == NO_INVITE
        assert accepted == [(200, "OK")]
        assert fakes.grants.find(SHARER, INVITEE) is not None

    def test_an_accepted_one_is_not_withdrawn(self, api: ApiClient, fakes: FakeServices) -> None:
        assert answer(api, ACCEPT, sent_key(api, fakes), fakes.sign_in(INVITEE)) == (200, "OK")
        assert api.request("PUT", WITHDRAW, token=fakes.sign_in(SHARER)).status == 404
        assert fakes.grants.find(SHARER, INVITEE) is not None
