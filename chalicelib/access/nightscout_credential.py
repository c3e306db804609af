"""Credentials of the Nightscout API: one for a device, which stands for a user within a scope.

Source: nightscout-api 15.
"""

import hashlib
from enum import StrEnum

from chalicelib.frozen import frozen


class Scope(StrEnum):
    """The requests that a credential is for."""

    READ = "read"
    UPLOAD = "upload"
    """Reading, creating, changing and deleting documents."""


@frozen
class NightscoutCredential:
    """The credential of a device. The token itself is stored nowhere."""

    id: str
    user_id: str
    """The user whose data it opens."""
    name: str
    scope: Scope
    credential_hash: str
    """Hash of the secret (`credential_hash` makes it). It is also the key of the JWTs of this credential."""
    created_time_ms: int
    made_by: str
    """The user who made it: the owner of the data, or a grantee, with whose grant it ends."""
    last_used_time_ms: int | None = None
    """Exact to a day; None if it was never used."""


def credential_hash(digest: str) -> str:
    """The hash that is stored: SHA-256 of the SHA-1 digest, which is what most apps send in place of the token.

    A token has 128 random bits, so neither a slow hash nor a salt is needed.
    """
    return hashlib.sha256(digest.encode()).hexdigest()
