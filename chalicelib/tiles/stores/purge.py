"""Purge requests in the data table: one partition holds them by time. The keys of what a request names are computed."""

from collections.abc import Iterable, Iterator

from chalicelib.engine.conditions import at_most, equals, exists
from chalicelib.engine.errors import TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Prefix, Query, Range, Table, Update, Write
from chalicelib.log.data_set import DataSet, OwnerState, head_of
from chalicelib.log.entry import Entry
from chalicelib.log.stores.data_sets import StoredDataSets, is_head_of
from chalicelib.log.stores.growth import BYTES, Growth
from chalicelib.log.stores.keys import (
    data_set_key,
    device_statuses_partition,
    head_key,
    log_of,
    part_owner,
    parts_partition,
    purge_request_key,
    purge_requests_partition,
)
from chalicelib.log.stores.owner import owner_growth
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.tiles.ports import PurgeRequest


class StoredPurgeRequests:
    """The port `PurgeRequests` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data
        self._data_sets = StoredDataSets(data)
        self._log = StoredRecordLog(data)

    def older_than(self, time_ms: int) -> Iterator[PurgeRequest]:
        """See `PurgeRequests.older_than`: one query, page after page."""
        items = self._data.query(Query(purge_requests_partition(), Range(below=f"{time_ms:013d}")))
        return map(_request_from_item, items)

    def finish(self, request: PurgeRequest, purged: DataSet | None = None) -> None:
        """See `PurgeRequests.finish`: one delete; one read and one transaction after a data set was purged whole."""
        head = None if purged is None else self._data_sets.head(purged.id)
        if head is not None and head.stored_bytes and (head.owner_id, head.epoch) == (request.owner_id, request.epoch):
            counted = equals(BYTES, head.stored_bytes)
            freed: list[Write] = [
                Update(head_key(head.id), remove=[BYTES], condition=counted),
                owner_growth(head.owner_id, head.epoch, Growth(-head.stored_bytes)),
                Delete(purge_request_key(request.id), exists()),
            ]
            try:
                self._data.transact(freed)
            except TransactionRefusedError:  # another run was faster, or all data was erased meanwhile
                pass
            else:
                return
        self._data.delete(purge_request_key(request.id))

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """See `PurgeRequests.data_sets_of_epoch`: one query."""
        return self._data_sets.of_owner(OwnerState(owner_id, epoch))

    def remove_device_statuses(self, owner_id: str, epoch: int) -> None:
        """See `PurgeRequests.remove_device_statuses`: one query, and one write for each 25."""
        of_epoch = at_most("epoch", epoch)
        query = Query(device_statuses_partition(owner_id), where=of_epoch, attributes=("pk", "sk"))
        self._delete(self._data.query(query))

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """See `PurgeRequests.entries`: one query, and the bodies that are stored in parts."""
        owner = OwnerState(data_set.owner_id, data_set.epoch)
        yield from self._log.entries_of(owner, data_set.id, is_continuous=data_set.is_continuous)

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """See `PurgeRequests.remove_entries`. Entries go first, so that none ever names parts that are gone."""
        wanted = set(numbers)
        items = [item for item in self._entry_items(data_set) if item["number"] in wanted]
        prefixes = tuple(item["staged"] for item in items if "staged" in item)
        self._delete(items)
        if prefixes:
            self._delete(part for part in self._parts(data_set) if part["sk"].startswith(prefixes))

    def remove_data_set(self, data_set: DataSet) -> None:
        """See `PurgeRequests.remove_data_set`. Log and parts go first. Head and description go in one step:
        nothing must lead here once the id is used again, which may be the case already."""
        self._delete(self._entry_items(data_set))
        owner = part_owner(data_set.owner_id, data_set.epoch)
        self._delete(part for part in self._parts(data_set) if _belongs_to(part, owner))
        description = data_set_key(data_set.owner_id, data_set.epoch, data_set.created_time_ms, data_set.id)
        try:
            head = Delete(head_key(data_set.id), is_head_of(head_of(data_set)))
            self._data.transact([head, Delete(description)])
        except TransactionRefusedError:  # the id is used again
            self._data.delete(description)

    def _entry_items(self, data_set: DataSet) -> Iterator[Item]:
        partition, prefix = log_of(data_set.owner_id, data_set.epoch, data_set.id, is_continuous=data_set.is_continuous)
        return self._data.query(Query(partition, Prefix(prefix) if prefix else None))

    def _parts(self, data_set: DataSet) -> Iterator[Item]:
        """The keys of the parts of all bodies."""
        return self._data.query(Query(parts_partition(data_set.id), attributes=("pk", "sk")))

    def _delete(self, items: Iterable[Item]) -> None:
        self._data.batch_write([Delete({"pk": item["pk"], "sk": item["sk"]}) for item in items])


def _belongs_to(part: Item, owner: str) -> bool:
    """Whether a part was stored by this owner (`part_owner`), or by a version that did not say by whom."""
    token = part["sk"].split("#")[1]
    return "-" not in token or token.startswith(owner)


def _request_from_item(item: Item) -> PurgeRequest:
    return PurgeRequest(
        id=item["sk"],
        time_ms=item["time_ms"],
        owner_id=item["owner_id"],
        epoch=item["epoch"],
        data_set_id=item.get("data_set_id"),
    )
