"""Keys in mailed links, of which the hash is stored. Source: confirm 2."""

import base64
import hashlib

from chalicelib.access.call import token_hash
from chalicelib.accounts.proof import AddressProof
from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.mail.message import MailKind
from chalicelib.mail.texts import RESET_DAYS, SIGN_UP_DAYS

LIFETIMES_MS = {MailKind.PASSWORD_RESET: RESET_DAYS * DAY_MS, MailKind.SIGN_UP: SIGN_UP_DAYS * DAY_MS}
_KEY_BYTES = 24


@frozen
class MailedKey:
    """A key that proves an address: its holder reads the mail of that address."""

    key_hash: str
    kind: MailKind
    proof: AddressProof
    expires_time_ms: int


def new_key(token: str) -> str:
    """A key of 32 characters from a new random token."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:_KEY_BYTES]).decode()


def mailed_key(key: str, kind: MailKind, proof: AddressProof, now_ms: int) -> MailedKey:
    """The stored form of a key."""
    return MailedKey(token_hash(key), kind, proof, now_ms + LIFETIMES_MS[kind])
