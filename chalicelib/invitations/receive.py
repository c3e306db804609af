"""Accepts and declines invitations to a care team. Source: confirm 3.

Only the account that has the address of an invitation may accept it, and only with its key.
"""

from chalicelib.access.call import Call
from chalicelib.access.policy import CUSTODIAN
from chalicelib.accounts.grant import Grant
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import InvitationNotFoundError, InvitationRefusedError
from chalicelib.frozen import frozen
from chalicelib.invitations.invitation import PERMISSIONS, Invitation, Status
from chalicelib.invitations.keys import find_by_key
from chalicelib.invitations.ports import InvitationPorts


@frozen
class Answer:
    """The invitation that a person answers: who was invited, by whom, with which key."""

    invitee_id: str
    sharer_id: str
    key: str


def accept(call: Call, answer: Answer, ports: InvitationPorts) -> None:
    """Accept an invitation: its permissions replace those that the sharer granted to the invitee before.

    A repetition by the same person changes nothing.

    Raises:
        UnauthorizedError: the caller may not answer for this invitee.
        InvitationNotFoundError: the key opens no invitation, or it has expired.
        InvitationRefusedError: it was declined, or is another sharer's, or was sent to another person, or its sender is
            custodian no longer.
        UnavailableError: each attempt met another change.
    """
    call.require(answer.invitee_id)

    def attempt() -> None:
        invitation = _find(call, answer, ports)
        if invitation.status is Status.COMPLETED:
            return
        if invitation.status is not Status.PENDING or not _is_backed(invitation, ports):
            raise InvitationRefusedError
        grant = Grant(invitation.creator_id, answer.invitee_id, invitation.context[PERMISSIONS])
        ports.invitations.accept(invitation, invitation.changed(Status.COMPLETED, call.now_ms), grant)

    retry_on_conflict(attempt)


def dismiss(call: Call, answer: Answer, ports: InvitationPorts) -> None:
    """Decline an invitation. The sharer sees that; a repetition changes nothing.

    Raises:
        UnauthorizedError: the caller may not answer for this invitee.
        InvitationNotFoundError: the key opens no invitation, or it has expired.
        InvitationRefusedError: it was accepted, or is another sharer's, or was sent to another person.
    """
    call.require(answer.invitee_id)

    def attempt() -> None:
        invitation = _find(call, answer, ports)
        if invitation.status is Status.COMPLETED:
            raise InvitationRefusedError
        if invitation.status is Status.PENDING:
            ports.invitations.replace(invitation, invitation.changed(Status.DECLINED, call.now_ms))

    retry_on_conflict(attempt)


def _is_backed(invitation: Invitation, ports: InvitationPorts) -> bool:
    """Whether the person who sent an invitation may still share the data: a custodian may have lost the permission, and
    must not come back by an invitation of their own."""
    sender_id = invitation.custodian_id
    return not sender_id or CUSTODIAN in ports.accounts.grants.permissions(invitation.creator_id, sender_id)


def _find(call: Call, answer: Answer, ports: InvitationPorts) -> Invitation:
    """The invitation of this sharer to the person who answers, in any status.

    Raises:
        InvitationNotFoundError, InvitationRefusedError: see `accept`.
    """
    invitation = find_by_key(answer.key, ports)
    if invitation is None or call.now_ms >= invitation.expires_time_ms:
        raise InvitationNotFoundError
    account = ports.accounts.accounts.find(answer.invitee_id)
    is_theirs = account is not None and account.email == invitation.email
    if not is_theirs or invitation.creator_id != answer.sharer_id:
        raise InvitationRefusedError
    return invitation
