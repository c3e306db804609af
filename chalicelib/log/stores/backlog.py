"""Marks of users whose tiles lag behind, in DynamoDB: one item for each, spread over sixteen partitions.

They are made inside the transactions of what they tell of, so that none is forgotten.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from chalicelib.engine.dynamodb import ConditionRefusedError, client, query_pages, refusals
from chalicelib.log.backlog import CompactionMark
from chalicelib.log.stores.keys import mark_key, marks_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

SHARDS = "0123456789abcdef"


class DynamoCompactionMarks:
    """The port `CompactionMarks` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.data_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def all(self) -> Iterator[CompactionMark]:
        """See `CompactionMarks.all`: sixteen queries."""
        for shard in SHARDS:
            items = query_pages(
                self._dynamodb,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": marks_partition(shard)}},
                ConsistentRead=True,
            )
            for item in items:
                yield CompactionMark(item["owner_id"]["S"], int(item["since_ms"]["N"]), int(item["weight_bytes"]["N"]))

    def clear(self, mark: CompactionMark) -> None:
        """See `CompactionMarks.clear`: one delete."""
        with suppress(ConditionRefusedError), refusals():
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=mark_key(mark.owner_id),
                ConditionExpression="weight_bytes = :weight AND since_ms = :since",
                ExpressionAttributeValues={
                    ":weight": {"N": str(mark.weight_bytes)},
                    ":since": {"N": str(mark.since_ms)},
                },
            )


def mark_update(table: str, owner_id: str, weight_bytes: int, now_ms: int) -> "UpdateTypeDef":
    """The part of a transaction that adds to a user's mark."""
    return {
        "TableName": table,
        "Key": mark_key(owner_id),
        "UpdateExpression": (
            "SET owner_id = :owner, since_ms = if_not_exists(since_ms, :now) ADD weight_bytes :weight"
        ),
        "ExpressionAttributeValues": {
            ":owner": {"S": owner_id},
            ":now": {"N": str(now_ms)},
            ":weight": {"N": str(weight_bytes)},
        },
    }
