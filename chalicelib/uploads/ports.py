"""The ports that adding data uses: the record logs and the store of rejected uploads."""

from typing import Protocol

from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.log.ports import DataPorts

KEPT_FOR_MS = 14 * DAY_MS
"""Time that a rejected upload can be listed."""


@frozen
class RejectionReason:
    """The code of an error, and the place in the body where it is."""

    code: str
    pointer: str | None = None


@frozen
class Rejection:
    """A request for a data set that was refused, or an upload of which some records were."""

    id: str
    owner_id: str
    time_ms: int
    data_set_id: str
    client_name: str | None
    client_version: str | None
    action: str
    """`add` or `delete`."""
    error_count: int
    errors: tuple[RejectionReason, ...]
    """The first of them: `error_count` counts all."""


@frozen
class RejectionsOfDay:
    """The number of uploads that were rejected on a UTC day, of all users."""

    date: str
    count: int
    last_ms: int
    """Approximate time at which the last of them was rejected."""


class Rejections(Protocol):
    """Stores rejections for 14 days."""

    def add(self, rejection: Rejection) -> None:
        """Store a rejection, and count it."""

    def by_day(self, since_ms: int) -> list[RejectionsOfDay]:
        """The numbers of rejections of all users from the day of `since_ms` on, at most 14 days, newest first."""

    def of_owner(self, owner_id: str, since_ms: int, limit: int) -> list[Rejection]:
        """The rejections of `since_ms` or later, newest first, at most `limit`."""

    def remove_all(self, owner_id: str) -> None:
        """Remove all rejections of an owner. Callers repeat it after a failure half-way."""


@frozen
class UploadPorts:
    """The stores that uploads change."""

    data: DataPorts
    rejections: Rejections
