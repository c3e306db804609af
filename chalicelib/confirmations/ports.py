"""Ports of confirmations: keys in mailed links, and confirmations of sign-ups. Reads are strongly consistent."""

from collections.abc import Callable
from typing import Protocol

from chalicelib.accounts.ports import AccountPorts
from chalicelib.confirmations.mailed_key import MailedKey
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation
from chalicelib.frozen import frozen
from chalicelib.mail.ports import Mailer, MailOrders, MailTerms


class MailedKeys(Protocol):
    """Keys by hash. Expired ones may be returned."""

    def find(self, key_hash: str) -> MailedKey | None:
        """The stored form of the key, or None."""
        ...

    def add(self, key: MailedKey) -> None:
        """Store a key."""
        ...

    def remove(self, key_hash: str) -> None:
        """Remove a key; an unknown one is not an error."""
        ...


class SignUpConfirmations(Protocol):
    """The last confirmation of each user. Expired ones may be returned."""

    def find(self, user_id: str) -> SignUpConfirmation | None:
        """The confirmation, or None."""
        ...

    def put(self, confirmation: SignUpConfirmation) -> None:
        """Replace the confirmation of the user."""
        ...

    def remove(self, user_id: str) -> None:
        """Remove the confirmation of a user; none is not an error."""
        ...


@frozen
class ConfirmationPorts:
    """The stores of confirmations and accounts, mail, and new random tokens."""

    accounts: AccountPorts
    mailed_keys: MailedKeys
    sign_ups: SignUpConfirmations
    orders: MailOrders
    mailer: Mailer
    terms: MailTerms
    new_token: Callable[[], str]
