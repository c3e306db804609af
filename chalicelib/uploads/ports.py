"""The ports that adding data uses: the logs, and the store of refused uploads."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.log.ports import DataPorts

KEPT_FOR_MS = 14 * 24 * 3_600_000
"""How long a refused upload can be listed."""


@dataclass(frozen=True, slots=True)
class RefusedError:
    """What was wrong, and where in the body."""

    code: str
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request for a data set that was not carried out."""

    id: str
    owner_id: str
    time_ms: int
    data_set_id: str
    client_name: str | None
    client_version: str | None
    action: str
    """`add` or `delete`."""
    error_count: int
    errors: tuple[RefusedError, ...]


class Refusals(Protocol):
    """Keeps refusals for 14 days."""

    def add(self, refusal: Refusal) -> None:
        """Keeps a refusal."""
        ...

    def of_owner(self, owner_id: str, since_ms: int, most: int) -> list[Refusal]:
        """Those of `since_ms` or later, newest first."""
        ...

    def remove_all(self, owner_id: str) -> None:
        """Removes all of an owner; may be repeated when it stops half-way."""
        ...


@dataclass(frozen=True, slots=True)
class UploadPorts:
    """The stores that uploads change."""

    data: DataPorts
    rejections: Refusals
