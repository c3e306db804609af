"""Sends, renews and withdraws invitations to a care team. Source: confirm 3."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.grant import Grant
from chalicelib.accounts.password_sign_in import attempt_counter, count_for_user
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import (
    InvitationExistsError,
    InvitationNotFoundError,
    InvitationRefusedError,
    MemberExistsError,
    TooManyInvitationsError,
    UnauthorizedError,
)
from chalicelib.invitations.bodies import FOLLOW, InvitationDetails, invitation_details
from chalicelib.invitations.invitation import (
    PERMISSIONS,
    Invitation,
    InvitationIdentity,
    Status,
    new_invitation,
)
from chalicelib.invitations.keys import find_by_key
from chalicelib.invitations.mail import order_invitation_mail
from chalicelib.invitations.ports import InvitationPorts

MAX_SENT_IN_WINDOW = 50
"""Invitations that a user may send or renew in a quarter of an hour."""
MAX_INVITATIONS = 100
"""Invitations of one sender that have not expired, accepted ones included."""


def send(call: Call, sharer_id: str, body: Any, ports: InvitationPorts) -> Invitation:
    """Invite the holder of an e-mail address to the care team of a sharer. The answer is the same whether or not the
    address has an account. Declined, accepted and expired invitations to the same address are replaced.

    A custodian whose own permission ends offers nothing that ends later. Where the stage sends mail, the address
    gets one.

    Raises:
        UnauthorizedError: the caller may not share data of this user.
        TooManyAttemptsError: the caller sent too many in this window.
        InvalidFieldsError: a member of the body is missing or breaks a rule.
        InvitationExistsError: one to this address is pending.
        MemberExistsError: the holder of the address already has a grant, and `follow` is not to be added to it.
        TooManyInvitationsError: the sharer has too many invitations.
    """
    call.require(sharer_id)
    details = invitation_details(body)
    _count(call, ports)

    def attempt() -> Invitation:
        replaced = ports.invitations.find(sharer_id, details.email)
        if replaced is not None and replaced.is_open(call.now_ms):
            raise InvitationExistsError
        _require_room(call, sharer_id, ports)
        context = {**details.context, PERMISSIONS: _offered(call, sharer_id, details, ports)}
        identity = InvitationIdentity(call.new_id(), ports.secret())
        invitation = replace(
            new_invitation(sharer_id, details.email, context, identity, call.now_ms),
            custodian_id=_custodian_id(call, sharer_id),
        )
        ports.invitations.add(invitation, replaced)
        return invitation

    invitation = retry_on_conflict(attempt)
    order_invitation_mail(invitation, ports)
    return invitation


def renew(call: Call, key: str, ports: InvitationPorts) -> Invitation:
    """Start the time of a pending invitation again, and order another mail about it.

    Raises:
        InvitationRefusedError: there is no such invitation, or the caller may not share data of its sender.
        TooManyAttemptsError: the caller sent too many in this window.
    """

    def attempt() -> Invitation:
        invitation = find_by_key(key, ports)
        if invitation is None:
            raise InvitationRefusedError
        try:
            call.require(invitation.creator_id)
        except UnauthorizedError as error:
            raise InvitationRefusedError from error
        if invitation.status is not Status.PENDING:
            raise InvitationRefusedError
        renewed = replace(invitation.renewed(call.now_ms), custodian_id=_custodian_id(call, invitation.creator_id))
        ports.invitations.replace(invitation, renewed)
        return renewed

    _count(call, ports)
    renewed = retry_on_conflict(attempt)
    order_invitation_mail(renewed, ports)
    return renewed


def withdraw(call: Call, sharer_id: str, email: str, ports: InvitationPorts) -> None:
    """Remove the invitation of a sharer to an address.

    Raises:
        UnauthorizedError: the caller may not share data of this user.
        InvitationNotFoundError: there is none, or it was accepted or has expired, perhaps meanwhile.
    """
    call.require(sharer_id)

    def attempt() -> None:
        invitation = ports.invitations.find(sharer_id, email.lower())
        if invitation is None or invitation.status is Status.COMPLETED or call.now_ms >= invitation.expires_time_ms:
            raise InvitationNotFoundError
        ports.invitations.remove(invitation)

    retry_on_conflict(attempt)


def _custodian_id(call: Call, sharer_id: str) -> str:
    """The caller who sends as a custodian of the sharer; empty for the sharer and for servers."""
    caller_id = call.caller.user_id
    return "" if call.caller.is_server or caller_id in (None, sharer_id) else caller_id or ""


def _count(call: Call, ports: InvitationPorts) -> None:
    sent = attempt_counter("invitations", call.caller.user_id or "", MAX_SENT_IN_WINDOW, call.now_ms)
    count_for_user(call, sent, ports.accounts)


def _require_room(call: Call, sharer_id: str, ports: InvitationPorts) -> None:
    sent = ports.invitations.sent_by(sharer_id)
    if sum(call.now_ms < invitation.expires_time_ms for invitation in sent) >= MAX_INVITATIONS:
        raise TooManyInvitationsError


def _offered(call: Call, sharer_id: str, details: InvitationDetails, ports: InvitationPorts) -> Mapping[str, Any]:
    """The permissions that are offered. Those of a grant that is there stay when `follow` is added to them."""
    offered = _within_own_time(call, sharer_id, details, ports)
    invited = ports.accounts.accounts.find_by_email(details.email)
    if invited is None:
        return offered
    if invited.user_id == sharer_id:
        raise MemberExistsError
    grant = ports.accounts.grants.find(sharer_id, invited.user_id)
    if grant is None:
        return offered
    if FOLLOW in grant.permissions or FOLLOW not in offered:
        raise MemberExistsError
    return {**offered, **grant.permissions}


def _within_own_time(
    call: Call, sharer_id: str, details: InvitationDetails, ports: InvitationPorts
) -> Mapping[str, Any]:
    """The permissions, ending no later than the permission by which the caller manages the sharer's grants."""
    manager_id = call.caller.user_id
    if call.caller.is_server or manager_id in (None, sharer_id):
        return details.permissions
    own = ports.accounts.grants.find(sharer_id, manager_id or "")
    if own is None:  # it ended since the policy was checked
        raise UnauthorizedError
    end_ms = own.expires_time_ms_of(call.policy.permissions)
    if end_ms is None:
        return details.permissions
    return Grant(sharer_id, manager_id or "", details.permissions).until(end_ms, None).permissions
