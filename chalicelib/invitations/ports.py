"""Ports of invitations. All reads are strongly consistent."""

from collections.abc import Callable
from typing import Protocol

from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import AccountPorts
from chalicelib.frozen import frozen
from chalicelib.invitations.invitation import Invitation
from chalicelib.mail.ports import Mailer, MailOrders, MailTerms


class Invitations(Protocol):
    """Invitations by sender and address, by address, and by the hash of their key.

    A sender has one invitation per address at most. Expired ones may be returned.
    """

    def find(self, creator_id: str, email: str) -> Invitation | None:
        """The invitation of this sender to this address in lower case, in any status; None if there is none."""
        ...

    def find_by_key(self, key_hash: str) -> Invitation | None:
        """The invitation that the key opens, in any status; None if there is none."""
        ...

    def sent_by(self, creator_id: str) -> list[Invitation]:
        """All invitations of a sender, in any status, by address."""
        ...

    def sent_to(self, email: str, limit: int) -> list[Invitation]:
        """Up to `limit` pending invitations to an address in lower case, by sender."""
        ...

    def add(self, invitation: Invitation, replaced: Invitation | None = None) -> None:
        """Store an invitation in place of `replaced`, the one that the sender has for this address.

        Raises:
            WriteConflictError: the stored one is not `replaced`, by version.
        """
        ...

    def replace(self, old: Invitation, new: Invitation) -> None:
        """Store a changed invitation; one that is no longer pending leaves the list of its address.

        Raises:
            WriteConflictError: the stored one is not `old`, by version.
        """
        ...

    def accept(self, old: Invitation, accepted: Invitation, grant: Grant) -> None:
        """Store the accepted invitation and the grant that comes with it, both or none.

        Raises:
            WriteConflictError: the stored one is not `old`, by version, or one of the two accounts is gone.
        """
        ...

    def remove(self, invitation: Invitation) -> None:
        """Remove an invitation.

        Raises:
            WriteConflictError: the stored one is not this one, by version, or is gone.
        """
        ...

    def remove_all(self, creator_id: str) -> None:
        """Remove all invitations of a sender whose account is gone, so that nobody can accept one meanwhile."""
        ...


@frozen
class InvitationPorts:
    """The stores of invitations and accounts, the secret of the stage, from which keys derive, and mail."""

    invitations: Invitations
    accounts: AccountPorts
    secret: Callable[[], str]
    orders: MailOrders
    mailer: Mailer
    terms: MailTerms
