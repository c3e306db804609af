"""Lists invitations to a care team, as their senders and their invitees read them. Source: confirm 3."""

from collections.abc import Sequence
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.profile import PROFILE
from chalicelib.errors import NothingFoundError
from chalicelib.invitations.bodies import invitation_object
from chalicelib.invitations.invitation import Invitation, Status
from chalicelib.invitations.keys import key_of
from chalicelib.invitations.ports import InvitationPorts

MAX_RECEIVED = 100
"""Invitations in the list of an invitee. The keys of others still open them."""


def sent(call: Call, sharer_id: str, ports: InvitationPorts) -> list[dict[str, Any]]:
    """The invitations of a sharer that are pending or were declined, the newest first.

    Raises:
        UnauthorizedError: the caller may not share data of this user.
        NothingFoundError: there are none.
    """
    call.require(sharer_id)
    invitations = [
        invitation for invitation in ports.invitations.sent_by(sharer_id) if invitation.status is not Status.COMPLETED
    ]
    return _listed(call, invitations, ports)


def received(call: Call, invitee_id: str, ports: InvitationPorts) -> list[dict[str, Any]]:
    """The pending invitations to the address of an invitee, the newest first, as long as the address was proven to be
    theirs: anybody may sign up with an address that is not.

    Raises:
        UnauthorizedError: the caller may not see what this user receives.
        NothingFoundError: there are none.
    """
    call.require(invitee_id)
    account = ports.accounts.accounts.find(invitee_id)
    if account is None or account.email is None or not account.email_proven:
        raise NothingFoundError
    return _listed(call, ports.invitations.sent_to(account.email, MAX_RECEIVED), ports)


def described(invitations: Sequence[Invitation], ports: InvitationPorts) -> list[dict[str, Any]]:
    """Invitations as clients read them, with the names of their senders; those whose key is lost are left out."""
    senders = {invitation.creator_id for invitation in invitations}
    profiles = ports.accounts.profiles.find_many(senders, [PROFILE])
    keyed = [(invitation, key_of(invitation, ports)) for invitation in invitations]
    return [
        invitation_object(invitation, key, profiles.get(invitation.creator_id, {}).get(PROFILE))
        for invitation, key in keyed
        if key is not None
    ]


def _listed(call: Call, invitations: Sequence[Invitation], ports: InvitationPorts) -> list[dict[str, Any]]:
    current = [invitation for invitation in invitations if call.now_ms < invitation.expires_time_ms]
    current.sort(key=lambda invitation: invitation.created_time_ms, reverse=True)
    shown = described(current, ports)
    if not shown:
        raise NothingFoundError
    return shown
