"""Keys of invitations in the accounts table.

| item | pk | sk |
| --- | --- | --- |
| invitation | `USER#<sender id>` | `INVITED#<address in lower case>` |
| the same, while it is pending, in the list of its address | `EMAIL#<address in lower case>` | `INVITED#<sender id>` |
| its sender and address, by its key | `INVITATION#<key hash>` | `INVITATION` |
"""

from chalicelib.accounts.stores.keys import key, user_pk
from chalicelib.engine.table import Key

INVITED_PREFIX = "INVITED#"


def invitation_key(creator_id: str, email: str) -> Key:
    """An invitation."""
    return key(user_pk(creator_id), INVITED_PREFIX + email)


def email_pk(email: str) -> str:
    """The partition of an e-mail address."""
    return f"EMAIL#{email}"


def received_key(creator_id: str, email: str) -> Key:
    """An invitation in the list of its address."""
    return key(email_pk(email), INVITED_PREFIX + creator_id)


def pointer_key(key_hash: str) -> Key:
    """The item that leads from a key to its invitation."""
    return key(f"INVITATION#{key_hash}", "INVITATION")
