"""What the purge needs of the world: orders, and the removal of what they name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import Entry


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """What may hold something to purge: a data set, or (without one) all that a user had in an epoch."""

    id: str
    time_ms: int
    owner_id: str
    epoch: int
    data_set_id: str | None = None


class Purging(Protocol):
    """Keeps orders, and carries out the removals. Each removal may be repeated, and may stop half-way."""

    def orders(self, before_ms: int) -> Iterator[PurgeOrder]:
        """Those given before, oldest first."""
        ...

    def finish(self, order: PurgeOrder) -> None:
        """Forgets an order that was carried out."""
        ...

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """The data sets that a user had in an epoch, erased or not."""
        ...

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """The entries of a log, by number."""
        ...

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """Removes entries with all parts of their bodies."""
        ...

    def remove_data_set(self, data_set: DataSet) -> None:
        """Removes all that is stored of a data set, strays that no entry names included; its description last."""
        ...
