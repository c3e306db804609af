"""Data sources in DynamoDB: an item each, and items that name it to those who look for it by something else."""

from typing import TYPE_CHECKING, Any

from chalicelib import json_text
from chalicelib.config import Settings
from chalicelib.data_sources.data_source import CONNECTED, DISCONNECTED, DataSource
from chalicelib.engine.dynamodb import TransactionRefusedError, batch_get, client, query_pages, refusals
from chalicelib.errors import ConflictError
from chalicelib.log.stores.keys import sources_partition
from chalicelib.log.stores.legacy import (
    owner_change,
    source_key,
    source_link_key,
    source_list_key,
    source_place_key,
    source_session_key,
    without_conflict,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]


class DynamoDataSources:
    """Implements `domain.data_sources.DataSources`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def find(self, source_id: str) -> DataSource | None:
        """One read."""
        item = self._get(source_key(source_id))
        return None if item is None else _source_from_item(item)

    def of_user(self, user_id: str) -> list[DataSource]:
        """One query, and one read for each hundred."""
        listed = query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": sources_partition(user_id)}},
            ConsistentRead=True,
        )
        keys = [source_key(item["source_id"]["S"]) for item in listed]
        found = [_source_from_item(item) for item in batch_get(self._dynamodb, self._table, keys)]
        return sorted(found, key=lambda source: (source.created_time_ms, source.id), reverse=True)

    def of_session(self, provider_session_id: str) -> DataSource | None:
        """Two reads."""
        return self._named_by(source_session_key(provider_session_id))

    def of_link(self, provider: tuple[str, str], external_id: str) -> DataSource | None:
        """Two reads."""
        return self._named_by(source_link_key(provider, external_id))

    def add(self, source: DataSource) -> None:
        """Two transactions."""
        writes = [self._put(_source_item(source)), *(self._put(item) for item in _names(source))]
        self._transact_noticeably(writes, source.user_id, {"has_sources": {"BOOL": True}})

    def replace(self, before: DataSource, after: DataSource) -> bool:
        """One transaction, two when readers can notice it."""
        old, new = _names(before), _names(after)
        writes = [self._put(_source_item(after), before.revision)]
        writes += [self._delete(item) for item in old if item not in new]
        writes += [
            self._put(item, is_new=item["pk"]["S"].startswith("SOURCE_PLACE#")) for item in new if item not in old
        ]
        if _noticed(before) == _noticed(after):
            return self._transact(writes)
        return self._transact_noticeably(writes, after.user_id)

    def remove(self, source: DataSource) -> bool:
        """Two transactions."""
        main = self._delete(source_key(source.id))
        main["Delete"] |= _of_revision(source.revision)
        writes = [main, *(self._delete(item) for item in _names(source))]
        return self._transact_noticeably(writes, source.user_id)

    def _named_by(self, key: Item) -> DataSource | None:
        item = self._get(key)
        return None if item is None else self.find(item["source_id"]["S"])

    def _get(self, key: Item) -> Item | None:
        with refusals():
            return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _put(self, item: Item, revision: int | None = None, *, is_new: bool = False) -> Any:
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if revision is not None:
            put |= _of_revision(revision)
        elif is_new:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        return {"Put": put}

    def _delete(self, item: Item) -> Any:
        return {"Delete": {"TableName": self._table, "Key": {"pk": item["pk"], "sk": item["sk"]}}}

    def _transact_noticeably(
        self, writes: "list[TransactWriteItemTypeDef]", user_id: str, set_to: Item | None = None
    ) -> bool:
        """Carries out writes that change what readers get, and raises the owner's `changes`: with them, so that none
        goes unnoticed, and once more after, since who reads in between may meet the counter before the data source."""
        raised = owner_change(self._table, user_id, set_to=set_to)
        if not self._transact([*writes, {"Update": raised}]):
            return False
        return self._transact([{"Update": owner_change(self._table, user_id)}])

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> bool:
        def write() -> None:
            with refusals():
                self._dynamodb.transact_write_items(TransactItems=writes)

        try:
            without_conflict(write)
        except TransactionRefusedError as refused:
            if refused.failed(0):
                return False
            raise ConflictError from refused
        return True


def _noticed(source: DataSource) -> object:
    """What readers look at (`source_filters`)."""
    return source.data_set_id, source.data_span_ms


def _of_revision(revision: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "revision = :before",
        "ExpressionAttributeValues": {":before": {"N": str(revision)}},
    }


def _names(source: DataSource) -> list[Item]:
    """The items that name a data source in its present state."""
    keys = [source_list_key(source.user_id, source.created_time_ms, source.id)]
    if source.state != DISCONNECTED:
        keys.append(source_place_key(source.user_id, source.provider))
    if source.state == CONNECTED and source.provider_external_id is not None:
        keys.append(source_link_key(source.provider, source.provider_external_id))
    if source.provider_session_id is not None:
        keys.append(source_session_key(source.provider_session_id))
    return [key | {"source_id": {"S": source.id}} for key in keys]


def _source_item(source: DataSource) -> Item:
    modified = {} if source.modified_time_ms is None else {"modified_time_ms": {"N": str(source.modified_time_ms)}}
    return {
        **source_key(source.id),
        **modified,
        "id": {"S": source.id},
        "user_id": {"S": source.user_id},
        "created_time_ms": {"N": str(source.created_time_ms)},
        "revision": {"N": str(source.revision)},
        "fields": {"B": json_text.encode(source.fields)},
    }


def _source_from_item(item: Item) -> DataSource:
    modified = item.get("modified_time_ms")
    return DataSource(
        id=item["id"]["S"],
        user_id=item["user_id"]["S"],
        created_time_ms=int(item["created_time_ms"]["N"]),
        fields=json_text.decode(item["fields"]["B"]),
        modified_time_ms=None if modified is None else int(modified["N"]),
        revision=int(item["revision"]["N"]),
    )
