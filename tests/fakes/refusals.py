"""Refused uploads in memory. They pass the same tests as those on DynamoDB (tests/stores/uploads)."""

from chalicelib.uploads.ports import Refusal


class FakeRefusals:
    """Refusals in a list."""

    def __init__(self) -> None:
        self.kept: list[Refusal] = []

    def add(self, refusal: Refusal) -> None:
        """Keep it."""
        self.kept.append(refusal)

    def of_owner(self, owner_id: str, since_ms: int, most: int) -> list[Refusal]:
        """Newest first."""
        found = [it for it in self.kept if it.owner_id == owner_id and it.time_ms >= since_ms]
        return sorted(found, key=lambda it: (it.time_ms, it.id), reverse=True)[:most]

    def remove_all(self, owner_id: str) -> None:
        """Those of the owner."""
        self.kept = [it for it in self.kept if it.owner_id != owner_id]
