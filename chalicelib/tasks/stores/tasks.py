"""Tasks in DynamoDB: one item each, and one more for a name. See docs/access-patterns-tasks.md."""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.dynamodb import (
    ConditionRefusedError,
    TransactionConflictError,
    TransactionRefusedError,
    batch_get,
    client,
    query_pages,
    refusals,
)
from chalicelib.errors import TaskNameTakenError
from chalicelib.json_text import decode, encode
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.stores.keys import (
    CREATED,
    CREATED_INDEX,
    DUE,
    DUE_INDEX,
    FIRST_READY,
    FIRST_TIMED,
    MOST_ID_BYTES,
    UNKNOWN,
    created_attributes,
    due_attributes,
    name_key,
    ready_prefix,
    task_id_of,
    task_key,
    timed_until,
    unknown_prefix,
)
from chalicelib.tasks.task import Place, State, Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

TRIES = 4
"""How often a transaction that met another one is sent again."""
NO_SUCH_ITEM = "attribute_not_exists(pk)"

Item = dict[str, Any]


class DynamoTasks:
    """The port `TaskStore` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.tasks_table

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        return client(self._settings)

    def find(self, task_id: str) -> Task | None:
        """One strongly consistent read."""
        if len(task_id.encode()) > MOST_ID_BYTES:
            return None
        item = self._get(task_key(task_id))
        return None if item is None else _task(item)

    def find_many(self, task_ids: Sequence[str]) -> list[Task]:
        """One strongly consistent batch for each hundred."""
        keys = [task_key(task_id) for task_id in task_ids]
        found = {task.id: task for task in map(_task, batch_get(self._dynamodb, self._table, keys))}
        return [found[task_id] for task_id in task_ids if task_id in found]

    def listed(self, task_filter: TaskFilter, skip: int, limit: int) -> list[Task]:
        """Two reads by name; else one query of the index, in pages, and a batch for each hundred tasks."""
        if task_filter.name is not None:
            named = self._named(task_filter.name)
            return [named][skip : skip + limit] if named is not None and task_filter.selects(named) else []
        ids = list(islice(self._listed_ids(task_filter, skip + limit), skip, skip + limit))
        # The index may be a moment late: what the tasks say themselves decides.
        return [task for task in self.find_many(ids) if task_filter.selects(task)]

    def add(self, task: Task) -> None:
        """One write, or one transaction for a task with a name."""
        item = item_of(task)
        if task.name is None:
            with refusals():
                self._dynamodb.put_item(TableName=self._table, Item=item)
            return
        name_item = name_key(task.name) | {"task_id": {"S": task.id}}
        try:
            self._transact(
                {"Put": {"TableName": self._table, "Item": item}},
                {"Put": {"TableName": self._table, "Item": name_item, "ConditionExpression": NO_SUCH_ITEM}},
            )
        except TransactionRefusedError as error:
            raise TaskNameTakenError(task.id) from error

    def replace(self, task: Task) -> Task:
        """One conditional write."""
        after = dataclasses.replace(task, revision=task.revision + 1)
        try:
            with refusals():
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item_of(after),
                    ConditionExpression="revision = :revision",
                    ExpressionAttributeValues={":revision": {"N": str(task.revision)}},
                )
        except ConditionRefusedError as error:
            raise WriteConflictError from error
        return after

    def delete(self, task_id: str) -> None:
        """One read and one write, or a transaction for a task with a name."""
        task = self.find(task_id)
        if task is None:
            return
        if task.name is None:
            with refusals():
                self._dynamodb.delete_item(TableName=self._table, Key=task_key(task_id))
            return
        # Only while the task is there the name is surely its own.
        there = "attribute_exists(pk)"
        try:
            self._transact(
                {"Delete": {"TableName": self._table, "Key": task_key(task_id), "ConditionExpression": there}},
                {"Delete": {"TableName": self._table, "Key": name_key(task.name)}},
            )
        except TransactionRefusedError:
            return

    def is_anything_due(self, now_ms: int) -> bool:
        """One query for one key: ready tasks stand directly before those that have a time."""
        return any(self._due(DUE, "due_sk BETWEEN :from AND :to", 1, FIRST_READY, timed_until(now_ms)))

    def due_ids(self, now_ms: int, limit: int) -> list[str]:
        """One query of keys, in pages."""
        condition = "due_sk BETWEEN :from AND :to"
        return list(self._due(DUE, condition, limit, FIRST_TIMED, timed_until(now_ms)))

    def ready_ids(self, task_type: str, limit: int) -> list[str]:
        """One query of keys, in pages."""
        return list(self._due(DUE, "begins_with(due_sk, :from)", limit, ready_prefix(task_type)))

    def unknown_ids(self, task_type: str) -> Iterator[str]:
        """One query of keys, in pages."""
        return self._due(UNKNOWN, "begins_with(due_sk, :from)", None, unknown_prefix(task_type))

    def _due(self, pk: str, condition: str, limit: int | None, start: str, end: str | None = None) -> Iterator[str]:
        values = {":pk": {"S": pk}, ":from": {"S": start}} | ({} if end is None else {":to": {"S": end}})
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression=f"due_pk = :pk AND {condition}",
            ExpressionAttributeValues=values,
            **({} if limit is None else {"Limit": limit}),
        )
        return map(task_id_of, islice(items, limit))

    def _listed_ids(self, task_filter: TaskFilter, count: int) -> Iterator[str]:
        wanted = {"type": task_filter.type, "state": task_filter.state}
        given = {name: value for name, value in wanted.items() if value is not None}
        request: dict[str, Any] = {}
        if given:
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in given)
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in given}
        else:
            request["Limit"] = count
        items = query_pages(
            self._dynamodb,
            TableName=self._table,
            IndexName=CREATED_INDEX,
            KeyConditionExpression="created_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": CREATED}}
            | {f":{name}": {"S": str(value)} for name, value in given.items()},
            ScanIndexForward=False,
            **request,
        )
        return map(task_id_of, items)

    def _named(self, name: str) -> Task | None:
        item = self._get(name_key(name))
        return None if item is None else self.find(str(item["task_id"]["S"]))

    def _get(self, key: Item) -> Item | None:
        with refusals():
            return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _transact(self, *writes: "TransactWriteItemTypeDef") -> None:
        """One transaction, sent again when it met another one."""
        for _ in range(TRIES - 1):
            try:
                self._transact_once(writes)
            except TransactionConflictError:
                continue
            return
        self._transact_once(writes)

    def _transact_once(self, writes: Sequence["TransactWriteItemTypeDef"]) -> None:
        with refusals():
            self._dynamodb.transact_write_items(TransactItems=writes)


_NUMBERS = (
    "created_time_ms",
    "priority",
    "available_time_ms",
    "deadline_time_ms",
    "expiration_time_ms",
    "run_time_ms",
    "duration_ms",
    "modified_time_ms",
    "revision",
)
_TEXTS = ("type", "name", "state", "place")
_FLAGS = ("is_started", "is_data_put")


def item_of(task: Task) -> Item:
    """The item that a task is kept as."""
    item: Item = {**task_key(task.id), **created_attributes(task), **due_attributes(task)}
    item |= {name: {"N": str(value)} for name in _NUMBERS if (value := getattr(task, name)) is not None}
    item |= {name: {"S": str(value)} for name in _TEXTS if (value := getattr(task, name)) is not None}
    item |= {name: {"BOOL": True} for name in _FLAGS if getattr(task, name)}
    if task.data:
        item["data"] = {"S": encode(dict(task.data)).decode()}
    if task.errors:
        item["errors"] = {"S": encode([dict(error) for error in task.errors]).decode()}
    return item


def _task(item: Item) -> Task:
    numbers: dict[str, Any] = {name: int(item[name]["N"]) for name in _NUMBERS if name in item}
    return Task(
        id=task_id_of(item),
        type=item["type"]["S"],
        name=item["name"]["S"] if "name" in item else None,
        state=State(item["state"]["S"]),
        place=Place(item["place"]["S"]),
        data=decode(item["data"]["S"].encode()) if "data" in item else {},
        errors=tuple(decode(item["errors"]["S"].encode())) if "errors" in item else (),
        is_started="is_started" in item,
        is_data_put="is_data_put" in item,
        **numbers,
    )
