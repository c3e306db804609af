"""Daily counts and the ledgers of shards in DynamoDB.

A partition holds the counts of a month, sorted by day; a name is in the key as a digest, since it may be longer than a
key. A ledger is one item, and changes with the counts in one transaction, on condition that its version is the one
that was read. See docs/access-patterns.md.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine import dynamodb
from chalicelib.errors import UnavailableError
from chalicelib.metrics.ports import Counted, DailyCount, Ledger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

KEPT_FOR = timedelta(days=731)
"""Two years, so that a month can be compared with the same one of the years before."""
TRIES = 4
FIRST_PAUSE_S = 0.05
"""Two shards that count the same name at the same time are in each other's way for milliseconds."""


class DynamoEventCounts:
    """The metrics' part of the stage's data table."""

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep

    def ledger(self, shard_id: str) -> Ledger:
        """What is kept of a shard."""
        with dynamodb.refusals():
            item = (
                dynamodb.client(self._settings)
                .get_item(TableName=self._settings.data_table, Key=self._ledger_key(shard_id), ConsistentRead=True)
                .get("Item")
            )
        if item is None:
            return Ledger()
        return Ledger(int(item["version"]["N"]), tuple(_range(one["S"]) for one in item["ranges"]["L"]))

    def add(self, counts: Mapping[Counted, int], shard_id: str, before: Ledger, after: Ledger) -> None:
        """Nothing, once counts and ledger are changed, in one transaction."""
        items = [self._ledger_change(shard_id, before, after)]
        items += [self._count_change(counted, count) for counted, count in counts.items()]
        for pause in range(TRIES):
            try:
                with dynamodb.refusals():
                    dynamodb.client(self._settings).transact_write_items(TransactItems=items)
            except dynamodb.TransactionRefusedError:
                raise WriteConflictError from None
            except UnavailableError:
                if pause == TRIES - 1:
                    raise
                self._sleep(FIRST_PAUSE_S * 2**pause)
            else:
                return

    def between(self, first: date, last: date, prefix: str, now_ms: int) -> Sequence[DailyCount]:
        """The counts of some days: one query a month."""
        return [count for month in _months(first, last) for count in self._of_month(month, first, last, prefix, now_ms)]

    def _of_month(self, month: str, first: date, last: date, prefix: str, now_ms: int) -> Iterator[DailyCount]:
        # Expired items stay until DynamoDB gets to them.
        conditions = ["expires_at_s > :now"] + (["begins_with(event_name, :prefix)"] if prefix else [])
        values: dict[str, Any] = {
            ":pk": {"S": _counts_partition(month)},
            ":first": {"S": f"{first.isoformat()}#"},
            # The character after the one that follows a day in every key.
            ":last": {"S": f"{last.isoformat()}$"},
            ":now": {"N": str(now_ms // 1000)},
        } | ({":prefix": {"S": prefix}} if prefix else {})
        items = dynamodb.query_pages(
            dynamodb.client(self._settings),
            TableName=self._settings.data_table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            FilterExpression=" AND ".join(conditions),
            ExpressionAttributeValues=values,
        )
        for item in items:
            day = date.fromisoformat(item["sk"]["S"].partition("#")[0])
            yield DailyCount(day, item["event_name"]["S"], int(item["event_count"]["N"]))

    def _ledger_key(self, shard_id: str) -> dict[str, "AttributeValueTypeDef"]:
        return {"pk": {"S": f"metrics#ledgers#{self._settings.metrics_stream}"}, "sk": {"S": shard_id}}

    def _ledger_change(self, shard_id: str, before: Ledger, after: Ledger) -> "TransactWriteItemTypeDef":
        put: Any = {
            "TableName": self._settings.data_table,
            "Item": self._ledger_key(shard_id)
            | {
                "version": {"N": str(after.version)},
                "ranges": {"L": [{"S": f"{first}-{last}"} for first, last in after.ranges]},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if before.version:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(before.version)}}
        return {"Put": put}

    def _count_change(self, counted: Counted, count: int) -> "TransactWriteItemTypeDef":
        day = counted.day.isoformat()
        digest = hashlib.sha256(counted.event_name.encode()).hexdigest()[:32]
        expires = datetime(counted.day.year, counted.day.month, counted.day.day, tzinfo=UTC) + KEPT_FOR
        return {
            "Update": {
                "TableName": self._settings.data_table,
                "Key": {"pk": {"S": _counts_partition(day[:7])}, "sk": {"S": f"{day}#{digest}"}},
                "UpdateExpression": "SET event_name = :name, expires_at_s = :expires ADD event_count :count",
                "ExpressionAttributeValues": {
                    ":name": {"S": counted.event_name},
                    ":expires": {"N": str(int(expires.timestamp()))},
                    ":count": {"N": str(count)},
                },
            }
        }


def _counts_partition(month: str) -> str:
    return f"metrics#counts#{month}"


def _months(first: date, last: date) -> list[str]:
    """The months from first to last, both included, as `2026-02`."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last)
