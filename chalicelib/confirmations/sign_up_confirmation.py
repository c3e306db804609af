"""The confirmation of a sign-up, as clients read it. Source: confirm 4."""

from dataclasses import replace
from enum import Enum
from typing import Any

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.mail.texts import SIGN_UP_DAYS
from chalicelib.model.times import format_time

LIFETIME_MS = SIGN_UP_DAYS * DAY_MS


class SignUpStatus(Enum):
    """The states of the confirmation of a sign-up."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"
    DECLINED = "declined"


@frozen
class SignUpConfirmation:
    """A request to confirm the address of an account. `id` names it; the keys that confirm are in the mails alone."""

    user_id: str
    id: str
    email: str
    creator_id: str
    """The custodian who asked for it; empty for the user themselves and for servers."""
    status: SignUpStatus
    created_time_ms: int
    modified_time_ms: int

    def is_open(self, now_ms: int) -> bool:
        """Whether it waits for its confirmation."""
        return self.status is SignUpStatus.PENDING and now_ms < self.expires_time_ms

    @property
    def expires_time_ms(self) -> int:
        """The time at which it expires."""
        return self.created_time_ms + LIFETIME_MS

    def changed(self, status: SignUpStatus, now_ms: int) -> "SignUpConfirmation":
        """The confirmation in another status."""
        return replace(self, status=status, modified_time_ms=now_ms)


def sign_up_object(confirmation: SignUpConfirmation) -> dict[str, Any]:
    """A confirmation as clients read it. Source: confirm 4."""
    return {
        "key": confirmation.id,
        "type": "signup_confirmation",
        "status": confirmation.status.value,
        "email": confirmation.email,
        "creatorId": confirmation.creator_id,
        "created": format_time(confirmation.created_time_ms),
        "modified": format_time(confirmation.modified_time_ms),
        "expiresAt": format_time(confirmation.expires_time_ms),
        "restrictions": None,
    }
