"""Ports of mail: what is sent, the orders for it, and whether a stage sends any."""

from typing import Protocol

from chalicelib.frozen import frozen
from chalicelib.mail.message import MailOrder, MailText


class Mailer(Protocol):
    """Sends mails."""

    def send(self, recipient: str, mail: MailText) -> None:
        """Send a mail.

        Raises:
            UnavailableError: it may be sent later.
        """
        ...


class MailOrders(Protocol):
    """Delivers orders to a worker: each at least once."""

    def send(self, order: MailOrder) -> None:
        """Order a mail.

        Raises:
            UnavailableError: it may not have been ordered.
        """
        ...


@frozen
class MailTerms:
    """The terms on which a stage sends mail: on or off, and the address that its links begin with."""

    is_on: bool
    pages_url: str
