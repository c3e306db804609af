"""The work on an order of mail, by what the mail is about."""

from typing import Protocol

from chalicelib.access.call import Call
from chalicelib.confirmations.mail_job import send_ordered_mail
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.invitations.mail import send_invitation_mail
from chalicelib.invitations.ports import InvitationPorts
from chalicelib.mail.message import MailKind, MailOrder


class MailServices(Protocol):
    """The services that mail is about."""

    @property
    def confirmations(self) -> ConfirmationPorts: ...

    @property
    def invitations(self) -> InvitationPorts: ...


def carry_out_order(call: Call, order: MailOrder, services: MailServices) -> bool:
    """Send the mail of an order, and return whether there was one to send.

    Raises:
        UnavailableError: the mail server or a store does not answer; the order comes again.
    """
    if order.kind is MailKind.INVITATION:
        return send_invitation_mail(call, order, services.invitations)
    return send_ordered_mail(call, order, services.confirmations)
