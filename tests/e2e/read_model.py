"""Access to the read model of a local cloud: run its tasks, look into table and bucket, let time pass."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chalicelib.log.stores.archive import PREFIX
from chalicelib.log.stores.keys import continuous_log_partition, log_of, parts_partition, purge_requests_partition
from chalicelib.tiles.purge import WAIT_MS
from chalicelib.tiles.stores.keys import origin_index_partition, sweep_requests_partition, tiles_partition
from tests.e2e.client import Client, User
from tests.e2e.conftest import aws_client

if TYPE_CHECKING:
    from chalicelib.config import Settings
    from tests.e2e.conftest import Cloud

RUN_WITHIN_S = 90
_TIME_DIGITS = 13


class Tasks:
    """The worker of a local cloud."""

    def __init__(self, cloud: "Cloud", server: Client, settings: "Settings") -> None:
        self._server, self._settings = server, settings
        self._functions = aws_client(cloud, "lambda")
        names = [function["FunctionName"] for function in self._functions.list_functions()["Functions"]]
        (self._worker,) = [name for name in names if "-local-app-RunTask-" in f"-{name}-"]

    def run(self, task_type: str, **data: Any) -> dict[str, Any]:
        """The task after a worker ran it."""
        task = self._server.request("POST", "/v1/tasks", {"type": task_type, "priority": 9, "data": data}).json()
        deadline = time.monotonic() + RUN_WITHIN_S
        self._wake(task_type)
        while True:
            found: dict[str, Any] = self._server.request("GET", f"/v1/tasks/{task['id']}").json()
            if "duration" in found:  # one of a job's type waits for its next run then
                self._server.request("DELETE", f"/v1/tasks/{task['id']}")
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def _wake(self, task_type: str) -> None:
        """Has a worker look for tasks of a type now, and not at the next full minute."""
        record = {
            "messageId": secrets.token_hex(8),
            "receiptHandle": "a",
            "body": json.dumps({"wake": task_type}),
            "attributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{self._settings.account_id}:{self._settings.tasks_queue}",
            "awsRegion": self._settings.region,
        }
        reply = self._functions.invoke(FunctionName=self._worker, Payload=json.dumps({"Records": [record]}))
        assert "FunctionError" not in reply


class Stored:
    """The stored data of a user on a local cloud."""

    def __init__(self, cloud: "Cloud", settings: "Settings") -> None:
        self._dynamodb, self._s3 = aws_client(cloud, "dynamodb"), aws_client(cloud, "s3")
        self._table, self._bucket = settings.data_table, settings.bucket

    def entries(self, user: User, *normal_ids: str) -> int:
        """The number of entries in the user's logs."""
        partitions = [continuous_log_partition(user.id, 0)]
        partitions += [log_of(user.id, 0, data_set_id, is_continuous=False)[0] for data_set_id in normal_ids]
        return sum(len(list(self._items(partition))) for partition in partitions)

    def parts(self, *data_set_ids: str) -> int:
        """The number of parts of entries' bodies in the table."""
        return sum(len(list(self._items(parts_partition(data_set_id)))) for data_set_id in data_set_ids)

    def tiles(self, user: User) -> dict[str, Any]:
        """The items of the user's tiles, by sort key."""
        return {item["sk"]["S"]: item for item in self._items(tiles_partition(user.id, 0))}

    def notes(self, user: User) -> int:
        """The number of segments of the user's origin index."""
        return len(list(self._items(origin_index_partition(user.id, 0))))

    def archive(self, user: User, data_set_id: str = "") -> list[str]:
        """The keys of the objects of the user's archive."""
        prefix = f"{PREFIX}{user.id}/" + (f"0/{data_set_id}/" if data_set_id else "")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def keys(self, *ids: str) -> set[str]:
        """The keys of all items that name one of these, whatever they are."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True, ProjectionExpression="pk, sk"
        )
        keys = [f"{item['pk']['S']}/{item['sk']['S']}" for page in pages for item in page["Items"]]
        return {key for key in keys if any(data_set_id in key for data_set_id in ids)}

    def put(self, item: Any) -> None:
        """Write an item directly, as an operator could by mistake."""
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def delete(self, item: Any) -> None:
        """Remove an item directly."""
        self._dynamodb.delete_item(TableName=self._table, Key={name: item[name] for name in ("pk", "sk")})

    def let_requests_be_due(self, user: User) -> int:
        """Makes the requests of a user look as if they had waited long enough, and returns how many these are. What
        they name stays."""
        since_ms = time.time_ns() // 1_000_000 - WAIT_MS - 1000
        moved = 0
        for partition in (sweep_requests_partition(), purge_requests_partition()):
            for item in list(self._items(partition)):
                sort_key = item["sk"]["S"]
                if f"#{user.id}#" in sort_key:
                    self.put(item | {"sk": {"S": f"{since_ms:0{_TIME_DIGITS}d}{sort_key[_TIME_DIGITS:]}"}})
                    self.delete(item)
                    moved += 1
        return moved

    def _items(self, partition: str) -> Iterator[Any]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])
