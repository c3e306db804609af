"""Data sources in the data table: one item for each, and small items that lead to it from user, session and link."""

from collections.abc import Sequence

from chalicelib import json_text
from chalicelib.data_sources.data_source import CONNECTED, DISCONNECTED, DataSource
from chalicelib.engine.conditions import absent, equals
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Key, Put, Query, Table, Write
from chalicelib.errors import ConflictError
from chalicelib.log.stores.keys import (
    source_key,
    source_link_key,
    source_list_key,
    source_session_key,
    source_slot_key,
    sources_partition,
)
from chalicelib.log.stores.owner import NO_CHANGES, Changes, owner_change


class StoredDataSources:
    """The port `DataSources` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def find(self, source_id: str) -> DataSource | None:
        """See `DataSources.find`: one read."""
        item = self._data.get(source_key(source_id))
        return None if item is None else _data_source(item)

    def of_user(self, user_id: str) -> list[DataSource]:
        """See `DataSources.of_user`: one query, and one read for each hundred."""
        keys = [source_key(pointer["source_id"]) for pointer in self._data.query(Query(sources_partition(user_id)))]
        sources = [_data_source(item) for item in self._data.batch_get(keys) if item is not None]
        return sorted(sources, key=lambda source: (source.created_time_ms, source.id), reverse=True)

    def of_session(self, provider_session_id: str) -> DataSource | None:
        """See `DataSources.of_session`: two reads."""
        return self._at_pointer(source_session_key(provider_session_id))

    def of_link(self, provider: tuple[str, str], external_id: str) -> DataSource | None:
        """See `DataSources.of_link`: two reads."""
        return self._at_pointer(source_link_key(provider, external_id))

    def add(self, source: DataSource) -> bool:
        """See `DataSources.add`: two transactions, also for one that was added before, perhaps by the first alone."""
        writes = [Put(_item(source), absent()), *(Put(_pointer(key, source)) for key in _pointer_keys(source))]
        if self._transact_counted(writes, source.user_id, {"has_sources": True}):
            return True
        self._transact([owner_change(source.user_id, seen={})])
        return False

    def replace(self, before: DataSource, after: DataSource) -> bool:
        """See `DataSources.replace`: one transaction, or two when readers can notice the change."""
        old, new = _pointer_keys(before), _pointer_keys(after)
        slot = source_slot_key(after.user_id, after.provider)
        writes: list[Write] = [
            Put(_item(after), equals("revision", before.revision)),
            *(Delete(key) for key in old if key not in new),
            *(Put(_pointer(key, after), absent() if key == slot else None) for key in new if key not in old),
        ]
        if _read_part(before) == _read_part(after):
            return self._transact(writes)
        return self._transact_counted(writes, after.user_id)

    def remove(self, source: DataSource) -> bool:
        """See `DataSources.remove`: two transactions."""
        main = Delete(source_key(source.id), equals("revision", source.revision))
        return self._transact_counted([main, *(Delete(key) for key in _pointer_keys(source))], source.user_id)

    def _at_pointer(self, key: Key) -> DataSource | None:
        pointer = self._data.get(key)
        return None if pointer is None else self.find(pointer["source_id"])

    def _transact_counted(self, writes: Sequence[Write], user_id: str, set_to: Changes = NO_CHANGES) -> bool:
        """Carry out writes that change what readers get, and raise the owner's change count twice: in the same
        transaction, so that no change goes uncounted, and once more after it, because a reader in between may see the
        new count before the data source."""
        if not self._transact([*writes, owner_change(user_id, seen={}, set_to=set_to)]):
            return False
        return self._transact([owner_change(user_id, seen={})])

    def _transact(self, writes: Sequence[Write]) -> bool:
        """Whether the first write found what it expects.

        Raises:
            ConflictError: the condition of another write does not hold.
        """
        try:
            self._data.transact(writes)
        except TransactionRefusedError as refused:
            if refused.failed(0):
                return False
            raise ConflictError from refused
        return True


def _read_part(source: DataSource) -> object:
    """The part of a data source that decides what readers get (`source_filters`)."""
    return source.data_set_id, source.data_span_ms


def _pointer_keys(source: DataSource) -> list[Key]:
    """The keys of the items that lead to a data source in its present state."""
    keys = [source_list_key(source.user_id, source.created_time_ms, source.id)]
    if source.state != DISCONNECTED:
        keys.append(source_slot_key(source.user_id, source.provider))
    if source.state == CONNECTED and source.provider_external_id is not None:
        keys.append(source_link_key(source.provider, source.provider_external_id))
    if source.provider_session_id is not None:
        keys.append(source_session_key(source.provider_session_id))
    return keys


def _pointer(key: Key, source: DataSource) -> Item:
    return key | {"source_id": source.id}


def _item(source: DataSource) -> Item:
    modified = {} if source.modified_time_ms is None else {"modified_time_ms": source.modified_time_ms}
    return {
        **source_key(source.id),
        **modified,
        "id": source.id,
        "user_id": source.user_id,
        "created_time_ms": source.created_time_ms,
        "revision": source.revision,
        "fields": json_text.encode(source.fields),
    }


def _data_source(item: Item) -> DataSource:
    return DataSource(
        id=item["id"],
        user_id=item["user_id"],
        created_time_ms=item["created_time_ms"],
        fields=json_text.decode(item["fields"]),
        modified_time_ms=item.get("modified_time_ms"),
        revision=item["revision"],
    )
