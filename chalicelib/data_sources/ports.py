"""The ports of data sources: their store, and the record logs to which partners add data."""

from typing import Protocol

from chalicelib.data_sources.data_source import DataSource
from chalicelib.frozen import frozen
from chalicelib.log.ports import DataPorts


class DataSources(Protocol):
    """Stores data sources. Reads see every write that was answered."""

    def find(self, source_id: str) -> DataSource | None:
        """The data source with this id, or None."""

    def of_user(self, user_id: str) -> list[DataSource]:
        """All data sources of a user, newest first."""

    def of_session(self, provider_session_id: str) -> DataSource | None:
        """The data source that this session connects, or None."""

    def of_link(self, provider: tuple[str, str], external_id: str) -> DataSource | None:
        """The connected data source of the account that the provider knows by this id, or None."""

    def add(self, source: DataSource) -> bool:
        """Store a new data source, and mark its user's data as having one (`OwnerState.has_sources`); False when there
        is one with this id."""

    def replace(self, before: DataSource, after: DataSource) -> bool:
        """Store `after` in place of `before`; False when `before` is no longer what is stored.

        Raises:
            ConflictError: another data source of this user and provider is connected or in error.
        """

    def remove(self, source: DataSource) -> bool:
        """Remove a data source; False when another state of it is stored."""


@frozen
class DataSourcePorts:
    """The stores of data sources and of the data that comes from them."""

    sources: DataSources
    data: DataPorts
