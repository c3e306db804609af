"""Invitations to a care team, and the keys that open them. Source: confirm 3.

An invitation goes to an e-mail address, whether or not an account has it yet. Its key derives from its id and the
secret of the stage, so that both sides can be shown the key again, and the store holds its hash only.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from chalicelib.access.call import token_hash
from chalicelib.access.user_ids import fits_key
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.mail.texts import INVITATION_DAYS

LIFETIME_MS = INVITATION_DAYS * DAY_MS
"""The time for which an invitation can be accepted. Source: confirm 2."""
PERMISSIONS = "permissions"
_KEY_BYTES = 24
"""Bytes of a key: 32 characters of base64. Source: confirm 2."""


class Status(Enum):
    """The states of an invitation. One that was withdrawn is removed."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@frozen
class Invitation:
    """An invitation of a sharer (the creator) to the holder of an e-mail address, which is in lower case.

    Raises:
        InvalidRequestError: the creator's id or the address is empty or too long.
    """

    creator_id: str
    email: str
    id: str
    key_hash: str
    context: Mapping[str, Any]
    """`permissions`, and `nickname` and `alertsConfig` if they were sent."""
    status: Status
    created_time_ms: int
    expires_time_ms: int
    modified_time_ms: int | None = None
    version: int = 1
    custodian_id: str = ""
    """The custodian who sent it or sent it again, without whose permission it opens nothing; empty for the sharer and
    for servers."""

    def __post_init__(self) -> None:
        if not fits_key(self.creator_id) or not fits_key(self.email):
            raise InvalidRequestError("a user id or an e-mail address is empty or too long")

    def is_open(self, now_ms: int) -> bool:
        """Whether the invitation can be accepted at this time."""
        return self.status is Status.PENDING and now_ms < self.expires_time_ms

    def changed(self, status: Status, now_ms: int) -> "Invitation":
        """The invitation in another status."""
        return replace(self, status=status, modified_time_ms=now_ms, version=self.version + 1)

    def renewed(self, now_ms: int) -> "Invitation":
        """The invitation as if it was sent now: its time starts again, its key stays."""
        ends_ms = now_ms + LIFETIME_MS
        return replace(
            self, created_time_ms=now_ms, expires_time_ms=ends_ms, modified_time_ms=None, version=self.version + 1
        )


def new_invitation(
    creator_id: str, email: str, context: Mapping[str, Any], identity: "InvitationIdentity", now_ms: int
) -> Invitation:
    """A pending invitation."""
    return Invitation(
        creator_id=creator_id,
        email=email,
        id=identity.id,
        key_hash=token_hash(identity.key),
        context=context,
        status=Status.PENDING,
        created_time_ms=now_ms,
        expires_time_ms=now_ms + LIFETIME_MS,
    )


@frozen
class InvitationIdentity:
    """A random id of 32 hexadecimal digits, and the secret of the stage that its key derives from."""

    id: str
    secret: str

    @property
    def key(self) -> str:
        """The key: 32 characters that fit into one segment of a path."""
        digest = hmac.new(self.secret.encode(), f"invitation:{self.id}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_KEY_BYTES]).decode()
