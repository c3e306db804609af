"""Data sources in memory. They pass the same tests as those on DynamoDB (tests/stores/data_sources)."""

from chalicelib.data_sources.data_source import CONNECTED, DISCONNECTED, DataSource
from chalicelib.errors import ConflictError
from tests.fakes.data import FakeDataSets


class FakeDataSources:
    """Data sources in a dictionary by id."""

    def __init__(self, data_sets: FakeDataSets) -> None:
        self._data_sets = data_sets
        self.by_id: dict[str, DataSource] = {}

    def find(self, source_id: str) -> DataSource | None:
        """The data source, or None."""
        return self.by_id.get(source_id)

    def of_user(self, user_id: str) -> list[DataSource]:
        """Newest first."""
        found = [source for source in self.by_id.values() if source.user_id == user_id]
        return sorted(found, key=lambda source: (source.created_time_ms, source.id), reverse=True)

    def of_session(self, provider_session_id: str) -> DataSource | None:
        """By session."""
        return next(
            (
                data_source
                for data_source in self.by_id.values()
                if data_source.provider_session_id == provider_session_id
            ),
            None,
        )

    def of_link(self, provider: tuple[str, str], external_id: str) -> DataSource | None:
        """By what the provider calls the user."""
        wanted = (provider, external_id, CONNECTED)
        found = (
            data_source
            for data_source in self.by_id.values()
            if (data_source.provider, data_source.provider_external_id, data_source.state) == wanted
        )
        return next(found, None)

    def add(self, source: DataSource) -> None:
        """Keep it, and mark the user's data."""
        self.by_id[source.id] = source
        self._data_sets.change(self._data_sets.owner(source.user_id), has_sources=True)

    def replace(self, before: DataSource, after: DataSource) -> bool:
        """Put one state in the place of another."""
        if self.by_id.get(before.id) != before:
            return False
        if after.state != DISCONNECTED:
            others = (
                data_source
                for data_source in self.of_user(after.user_id)
                if data_source.id != after.id and data_source.provider == after.provider
            )
            if any(other.state != DISCONNECTED for other in others):
                raise ConflictError
        self.by_id[after.id] = after
        if (before.data_set_id, before.data_span_ms) != (after.data_set_id, after.data_span_ms):
            self._data_sets.change(self._data_sets.owner(after.user_id))
        return True

    def remove(self, source: DataSource) -> bool:
        """Remove it."""
        if self.by_id.get(source.id) != source:
            return False
        del self.by_id[source.id]
        self._data_sets.change(self._data_sets.owner(source.user_id))
        return True
