"""Blobs in DynamoDB: an item in the user's partition, and a small one that leads to it from the id."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.blobs.blob import AVAILABLE, CREATED, Blob, Collection, TimeSpan
from chalicelib.blobs.stores.keys import AWAITING, AWAITING_INDEX, blob_key, partition, place_key, time_part
from chalicelib.config import Settings
from chalicelib.engine.dynamodb import TRANSACT_WRITES, ConditionRefusedError, client, query_pages, refusals

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

REMOVED_AT_ONCE = TRANSACT_WRITES // 2
"""Each blob is two items."""

Item = dict[str, Any]


class DynamoBlobs:
    """Implements `domain.ports_blobs.BlobStore`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.blobs_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def add(self, blob: Blob) -> None:
        """See `BlobStore.add`: one transaction."""
        place = place_key(blob.collection, blob.id) | _prefixed("blob_", blob_key(blob))
        with refusals():
            self._dynamodb.transact_write_items(
                TransactItems=[self._put(blob_key(blob) | _attributes(blob)), self._put(place)]
            )

    def find(self, collection: Collection, blob_id: str) -> Blob | None:
        """See `BlobStore.find`: two reads."""
        place = self._get(place_key(collection, blob_id))
        item = None if place is None else self._get({"pk": place["blob_pk"], "sk": place["blob_sk"]})
        return None if item is None else _blob(item)

    def of_user(self, collection: Collection, user_id: str, start_from_ms: int | None = None) -> Iterator[Blob]:
        """See `BlobStore.of_user`: one query, in pages."""
        values = {":pk": {"S": partition(collection, user_id)}}
        condition = "pk = :pk"
        if start_from_ms is not None:
            condition += " AND sk >= :start"
            values[":start"] = {"S": time_part(start_from_ms)}
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            ScanIndexForward=False,
        )
        return map(_blob, items)

    def make_available(self, blob: Blob) -> bool:
        """See `BlobStore.make_available`: one write."""
        try:
            with refusals():
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=blob_key(blob),
                    UpdateExpression="SET revision = :revision, modified_time_ms = :modified REMOVE awaiting",
                    ConditionExpression="attribute_exists(awaiting)",
                    ExpressionAttributeValues={
                        ":revision": {"N": str(blob.revision)},
                        ":modified": {"N": str(blob.modified_time_ms)},
                    },
                )
        except ConditionRefusedError:
            return False
        return True

    def remove(self, blobs: Sequence[Blob]) -> None:
        """See `BlobStore.remove`: one transaction for each fifty."""
        for start in range(0, len(blobs), REMOVED_AT_ONCE):
            keys = [
                key
                for blob in blobs[start : start + REMOVED_AT_ONCE]
                for key in (blob_key(blob), place_key(blob.collection, blob.id))
            ]
            with refusals():
                self._dynamodb.transact_write_items(
                    TransactItems=[{"Delete": {"TableName": self._table, "Key": key}} for key in keys]
                )

    def created_before(self, time_ms: int) -> Iterator[Blob]:
        """See `BlobStore.created_before`: one query of the index, in pages."""
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            IndexName=AWAITING_INDEX,
            KeyConditionExpression="awaiting = :awaiting AND created_time_ms < :before",
            ExpressionAttributeValues={":awaiting": {"S": AWAITING}, ":before": {"N": str(time_ms)}},
        )
        return map(_blob, items)

    def _get(self, key: Item) -> Item | None:
        with refusals():
            return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _put(self, item: Item) -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self._table, "Item": item}}


def _prefixed(prefix: str, item: Item) -> Item:
    return {prefix + name: value for name, value in item.items()}


def _attributes(blob: Blob) -> Item:
    numbers = {
        "created_time_ms": blob.created_time_ms,
        "modified_time_ms": blob.modified_time_ms,
        "revision": blob.revision,
        "size_bytes": blob.size_bytes,
        "start_ms": None if blob.span is None else blob.span.start_ms,
        "end_ms": None if blob.span is None else blob.span.end_ms,
    }
    texts = {
        "collection": blob.collection,
        "id": blob.id,
        "user_id": blob.user_id,
        "media_type": blob.media_type,
        "digest_md5": blob.digest_md5,
        "awaiting": None if blob.is_available else AWAITING,
    }
    return {name: {"N": str(number)} for name, number in numbers.items() if number is not None} | {
        name: {"S": str(text)} for name, text in texts.items() if text is not None
    }


def _blob(item: Item) -> Blob:
    start_ms, end_ms = _number(item, "start_ms"), _number(item, "end_ms")
    return Blob(
        collection=Collection(item["collection"]["S"]),
        id=item["id"]["S"],
        user_id=item["user_id"]["S"],
        media_type=item["media_type"]["S"],
        created_time_ms=int(item["created_time_ms"]["N"]),
        digest_md5=item["digest_md5"]["S"] if "digest_md5" in item else None,
        size_bytes=_number(item, "size_bytes"),
        span=None if start_ms is None or end_ms is None else TimeSpan(start_ms, end_ms),
        status=CREATED if "awaiting" in item else AVAILABLE,
        revision=int(item["revision"]["N"]),
        modified_time_ms=_number(item, "modified_time_ms"),
    )


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
