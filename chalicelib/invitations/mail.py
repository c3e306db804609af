"""Mail about invitations: ordered when one is sent, and sent by a worker. Source: confirm 3."""

from contextlib import suppress

from chalicelib.access.call import Call
from chalicelib.accounts.mail_limit import may_be_mailed
from chalicelib.errors import UnavailableError
from chalicelib.invitations.invitation import Invitation
from chalicelib.invitations.keys import find_by_key, key_of
from chalicelib.invitations.ports import InvitationPorts
from chalicelib.mail.message import MailKind, MailOrder
from chalicelib.mail.texts import invitation_mail


def order_invitation_mail(invitation: Invitation, ports: InvitationPorts) -> None:
    """Order the mail about an invitation, where the stage sends mail. If that fails, the invitation is stored all the
    same, and can be sent again."""
    key = key_of(invitation, ports)
    if key is not None and ports.terms.is_on:
        with suppress(UnavailableError):
            ports.orders.send(MailOrder(MailKind.INVITATION, invitation.email, key))


def send_invitation_mail(call: Call, order: MailOrder, ports: InvitationPorts) -> bool:
    """Send the mail of an order, and return whether there was one to send: the invitation may have been answered or
    withdrawn since, and an address gets a limited number of mails in a day.

    Raises:
        UnavailableError: the mail server or a store does not answer; the order comes again.
    """
    invitation = find_by_key(order.key, ports)
    if invitation is None or not invitation.is_open(call.now_ms) or not ports.terms.is_on:
        return False
    if invitation.email != order.email or not may_be_mailed(call, order.email, ports.accounts):
        return False
    ports.mailer.send(order.email, invitation_mail(invitation_link(order.key, ports)))
    return True


def invitation_link(key: str, ports: InvitationPorts) -> str:
    """The address of the page of an invitation."""
    return f"{ports.terms.pages_url}/invitation?key={key}"
