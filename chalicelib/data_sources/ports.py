"""The ports of data sources: their store, and the logs that partners add data to."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.data_sources.data_source import DataSource
from chalicelib.log.ports import DataPorts


class DataSources(Protocol):
    """Keeps data sources. Reads see every write that was answered."""

    def find(self, source_id: str) -> DataSource | None:
        """The data source, or None."""
        ...

    def of_user(self, user_id: str) -> list[DataSource]:
        """All of a user, newest first."""
        ...

    def of_session(self, provider_session_id: str) -> DataSource | None:
        """The one that is connected by this session, or None."""
        ...

    def of_link(self, provider: tuple[str, str], external_id: str) -> DataSource | None:
        """The connected one of what the provider calls its user, or None."""
        ...

    def add(self, source: DataSource) -> None:
        """Keeps a new data source, and marks its user's data as having one (`OwnerState.has_sources`)."""
        ...

    def replace(self, before: DataSource, after: DataSource) -> bool:
        """Puts `after` in the place of `before`; False when that is not what is there any more.

        Raises:
            ConflictError: another one of the same user and provider is connected or in error already.
        """
        ...

    def remove(self, source: DataSource) -> bool:
        """Removes it; False when another state of it is there."""
        ...


@dataclass(frozen=True, slots=True)
class DataSourcePorts:
    """The store of data sources, and those of the data that they bring."""

    sources: DataSources
    data: DataPorts
