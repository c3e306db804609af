"""Purging in DynamoDB: the orders stand in one partition, by time; what they name is found by its keys."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.engine.aws import aws_engine
from chalicelib.engine.dynamodb import batch_delete, client, query_pages, refusals
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.keys import log_of, parts_partition, purge_orders_partition
from chalicelib.log.stores.legacy import data_set_key, head_key, purge_order_key, without_conflict
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.tiles.ports import PurgeOrder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


class DynamoPurging:
    """The port `Purging` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table
        self._data_sets = StoredDataSets(aws_engine(settings).data)
        self._log = StoredRecordLog(aws_engine(settings).data)

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def orders(self, before_ms: int) -> Iterator[PurgeOrder]:
        """One query, page after page."""
        items = self._query(purge_orders_partition(), "sk < :sk", f"{before_ms:013d}")
        return (_order_from_item(item) for item in items)

    def finish(self, order: PurgeOrder) -> None:
        """One delete."""
        with refusals():
            self._dynamodb.delete_item(TableName=self._table, Key=purge_order_key(order.id))

    def data_sets_of_epoch(self, owner_id: str, epoch: int) -> list[DataSet]:
        """One query."""
        return self._data_sets.of_owner(OwnerState(owner_id, epoch))

    def entries(self, data_set: DataSet) -> Iterator[Entry]:
        """One query, and the bodies that stand in parts."""
        owner = OwnerState(data_set.owner_id, data_set.epoch)
        yield from self._log.entries_of(owner, data_set.id, is_continuous=data_set.is_continuous)

    def remove_entries(self, data_set: DataSet, numbers: list[int]) -> None:
        """Entries first, so that none ever points to parts that are gone."""
        wanted = set(numbers)
        items = [item for item in self._entry_items(data_set) if int(item["number"]["N"]) in wanted]
        prefixes = tuple(item["staged"]["S"] for item in items if "staged" in item)
        self._delete([{"pk": item["pk"], "sk": item["sk"]} for item in items])
        if prefixes:
            parts = self._query(parts_partition(data_set.id), projection="pk, sk")
            self._delete([part for part in parts if part["sk"]["S"].startswith(prefixes)])

    def remove_data_set(self, data_set: DataSet) -> None:
        """Log and parts first. Head and description go in one step: once the head is gone its id may be taken anew,
        and then nothing must lead here again."""
        self._delete([{"pk": item["pk"], "sk": item["sk"]} for item in self._entry_items(data_set)])
        self._delete(list(self._query(parts_partition(data_set.id), projection="pk, sk")))
        description = data_set_key(data_set.owner_id, data_set.epoch, data_set.created_time_ms, data_set.id)
        head: Any = {
            "TableName": self._table,
            "Key": head_key(data_set.id),
            "ConditionExpression": "epoch = :epoch AND owner_id = :owner",
            "ExpressionAttributeValues": {
                ":epoch": {"N": str(data_set.epoch)},
                ":owner": {"S": data_set.owner_id},
            },
        }

        def remove() -> None:
            with refusals():
                self._dynamodb.transact_write_items(
                    TransactItems=[{"Delete": head}, {"Delete": {"TableName": self._table, "Key": description}}]
                )

        without_conflict(remove)

    def _entry_items(self, data_set: DataSet) -> Iterator[Item]:
        partition, prefix = log_of(data_set.owner_id, data_set.epoch, data_set.id, is_continuous=data_set.is_continuous)
        return self._query(partition, "begins_with(sk, :sk)", prefix)

    def _query(
        self, partition: str, condition: str = "", sk: str = "", projection: str | None = None
    ) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk" + (f" AND {condition}" if sk else ""),
            "ExpressionAttributeValues": {":pk": {"S": partition}} | ({":sk": {"S": sk}} if sk else {}),
            "ConsistentRead": True,
        }
        if projection is not None:
            request["ProjectionExpression"] = projection
        return query_pages(self._dynamodb, **request)

    def _delete(self, keys: Sequence[Item]) -> None:
        batch_delete(self._dynamodb, self._table, keys)


def _order_from_item(item: Item) -> PurgeOrder:
    return PurgeOrder(
        id=item["sk"]["S"],
        time_ms=int(item["time_ms"]["N"]),
        owner_id=item["owner_id"]["S"],
        epoch=int(item["epoch"]["N"]),
        data_set_id=item["data_set_id"]["S"] if "data_set_id" in item else None,
    )
