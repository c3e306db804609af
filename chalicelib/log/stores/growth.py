"""The growth of a user's data: how many bytes a write adds to the user's counters, within the quota of the stage.

Each add writes the counters or checks them anyway, so counting costs no further call and no further write unit.
"""

from chalicelib.engine.conditions import Condition, absent, any_of, at_most
from chalicelib.errors import StorageQuotaError
from chalicelib.frozen import frozen

BYTES = "bytes"
"""The attribute that counts, of the owner and of the head of a data set."""


@frozen
class Growth:
    """The bytes that a write adds to a user's data, and the most that the user may have stored then."""

    added_bytes: int = 0
    quota_bytes: int | None = None
    """None for any number."""

    @property
    def conditions(self) -> list[Condition]:
        """The condition on the owner's counters."""
        if self.quota_bytes is None or not self.added_bytes:
            return []
        return [any_of(absent(BYTES), at_most(BYTES, self.quota_bytes - self.added_bytes))]

    @property
    def added(self) -> dict[str, int]:
        """The numbers that the write adds to the owner's counters, or to a head."""
        return {BYTES: self.added_bytes} if self.added_bytes else {}

    def require_room(self, stored_bytes: int) -> None:
        """Raise unless there is room beside what is stored: the reason why a write was refused.

        Raises:
            StorageQuotaError: there is none.
        """
        if self.quota_bytes is not None and self.added_bytes and stored_bytes + self.added_bytes > self.quota_bytes:
            raise StorageQuotaError(self.quota_bytes, "data")
