"""Mails as texts, and the orders that ask a worker to send one."""

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from chalicelib.frozen import frozen


@frozen
class MailText:
    """The subject and the two forms of a mail."""

    subject: str
    text: str
    html: str


class MailKind(Enum):
    """The purpose of a mail."""

    PASSWORD_RESET = "password_reset"  # noqa: S105  a kind, not a password
    SIGN_UP = "sign_up"
    INVITATION = "invitation"


@frozen
class MailOrder:
    """Asks a worker to send a mail to an address, in lower case, if there is an account or an invitation that it
    is for.

    An order is the same for every address, so that neither its cost nor its time tells which one has an account.
    """

    kind: MailKind
    email: str
    key: str = field(default="", repr=False)
    """Of an invitation its key, which the worker could not make; empty for other mails."""


def order_from_message(values: Mapping[str, str]) -> MailOrder:
    """The order in the member `mail` of a message."""
    return MailOrder(MailKind(values["kind"]), values["email"], values.get("key", ""))
