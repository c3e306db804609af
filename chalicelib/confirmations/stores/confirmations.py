"""Keys of mailed links and confirmations of sign-ups, in the accounts table.

| item | pk | sk |
| --- | --- | --- |
| key of a mailed link | `MAILED#<key hash>` | `MAILED` |
| confirmation of a sign-up | `USER#<user id>` | `SIGN_UP` |
"""

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.proof import AddressProof
from chalicelib.accounts.stores.keys import key, user_pk
from chalicelib.confirmations.mailed_key import MailedKey
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation, SignUpStatus
from chalicelib.engine.definitions import expires_at_s
from chalicelib.engine.table import Item, Key, Table
from chalicelib.mail.message import MailKind

SIGN_UP_SK = "SIGN_UP"


def mailed_item_key(key_hash: str) -> Key:
    """The key of a mailed link."""
    return key(f"MAILED#{key_hash}", "MAILED")


def sign_up_key(user_id: str) -> Key:
    """The confirmation of a sign-up."""
    return key(user_pk(user_id), SIGN_UP_SK)


class StoredMailedKeys:
    """The port `MailedKeys` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, key_hash: str) -> MailedKey | None:
        """One read."""
        item = self._accounts.get(mailed_item_key(key_hash))
        if item is None:
            return None
        proof = AddressProof(item["user_id"], item["email"], item.get("password_version"))
        return MailedKey(key_hash, MailKind(item["kind"]), proof, item["expires_time_ms"])

    def add(self, key: MailedKey) -> None:
        """One write."""
        version = key.proof.password_version
        item: Item = mailed_item_key(key.key_hash) | {
            "kind": key.kind.value,
            "user_id": key.proof.user_id,
            "email": key.proof.email,
            "expires_time_ms": key.expires_time_ms,
            "expires_at_s": expires_at_s(key.expires_time_ms),
        }
        self._accounts.put(item if version is None else item | {"password_version": version})

    def remove(self, key_hash: str) -> None:
        """One write."""
        self._accounts.delete(mailed_item_key(key_hash))


class StoredSignUpConfirmations:
    """The port `SignUpConfirmations` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, user_id: str) -> SignUpConfirmation | None:
        """One read."""
        item = self._accounts.get(sign_up_key(user_id)) if fits_key(user_id) else None
        if item is None:
            return None
        return SignUpConfirmation(
            user_id=user_id,
            id=item["id"],
            email=item["email"],
            creator_id=item["creator_id"],
            status=SignUpStatus(item["status"]),
            created_time_ms=item["created_time_ms"],
            modified_time_ms=item["modified_time_ms"],
        )

    def put(self, confirmation: SignUpConfirmation) -> None:
        """One write."""
        self._accounts.put(
            sign_up_key(confirmation.user_id)
            | {
                "id": confirmation.id,
                "email": confirmation.email,
                "creator_id": confirmation.creator_id,
                "status": confirmation.status.value,
                "created_time_ms": confirmation.created_time_ms,
                "modified_time_ms": confirmation.modified_time_ms,
                "expires_at_s": expires_at_s(confirmation.expires_time_ms),
            }
        )

    def remove(self, user_id: str) -> None:
        """One write."""
        if fits_key(user_id):
            self._accounts.delete(sign_up_key(user_id))
