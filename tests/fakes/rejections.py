"""Rejected uploads in memory. They pass the same tests as those in the data table (tests/stores/uploads)."""

from chalicelib.uploads.ports import Rejection


class FakeRejections:
    """Rejections in a list."""

    def __init__(self) -> None:
        self.stored: list[Rejection] = []

    def add(self, rejection: Rejection) -> None:
        """See `Rejections.add`."""
        self.stored.append(rejection)

    def of_owner(self, owner_id: str, since_ms: int, limit: int) -> list[Rejection]:
        """See `Rejections.of_owner`."""
        found = [rejection for rejection in self.stored if rejection.owner_id == owner_id]
        newest_first = sorted(found, key=lambda rejection: (rejection.time_ms, rejection.id), reverse=True)
        return [rejection for rejection in newest_first if rejection.time_ms >= since_ms][:limit]

    def remove_all(self, owner_id: str) -> None:
        """See `Rejections.remove_all`."""
        self.stored = [rejection for rejection in self.stored if rejection.owner_id != owner_id]
