"""Tasks in the tasks table: one item each, and one more for a name. See docs/access-patterns-tasks.md."""

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, all_of, equals, exists
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import Delete, Item, Prefix, Put, Query, Range, Table
from chalicelib.errors import TaskExistsError, TaskNameTakenError
from chalicelib.json_text import decode, encode
from chalicelib.tasks.ports import ListedTask, TaskFilter
from chalicelib.tasks.stores.keys import (
    CREATED,
    CREATED_INDEX,
    DUE,
    DUE_INDEX,
    FIRST_READY,
    FIRST_TIMED,
    MAX_ID_BYTES,
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
from chalicelib.tasks.task import ScheduleState, State, Task


class StoredTasks:
    """The port `TaskStore` on the tasks table."""

    def __init__(self, tasks: Table) -> None:
        self._tasks = tasks

    def find(self, task_id: str) -> Task | None:
        """One read."""
        if len(task_id.encode()) > MAX_ID_BYTES:
            return None
        item = self._tasks.get(task_key(task_id))
        return None if item is None else task_from_item(item)

    def find_many(self, task_ids: Sequence[str]) -> list[Task]:
        """One batch of reads for each hundred."""
        items = self._tasks.batch_get([task_key(task_id) for task_id in task_ids])
        return [task_from_item(item) for item in items if item is not None]

    def listed(self, task_filter: TaskFilter, skip: int, limit: int) -> list[Task]:
        """Two reads by name; else one query of the index, in pages, and a batch of reads for each hundred tasks."""
        if task_filter.name is not None:
            named = self._named(task_filter.name)
            return [named][skip : skip + limit] if named is not None and task_filter.selects(named) else []
        ids = list(self._listed_ids(task_filter, min(skip + limit, sys.maxsize)))[skip:]
        # The index may lag behind: the tasks themselves decide.
        return [task for task in self.find_many(ids) if task_filter.selects(task)]

    def newest(self, limit: int) -> Iterator[ListedTask]:
        """One query of the index, in pages."""
        items = self._tasks.query(Query(CREATED, index=CREATED_INDEX, newest_first=True, limit=limit))
        return (ListedTask(task_id_of(item), State(item["state"])) for item in items)

    def add(self, task: Task) -> None:
        """One write, or one transaction for a task with a name."""
        item = task_item(task)
        try:
            if task.name is None:
                self._tasks.put(item, absent())
                return
            name_item = name_key(task.name) | {"task_id": task.id}
            self._tasks.transact([Put(item, absent()), Put(name_item, absent())])
        except ConditionFailedError as failed:
            raise TaskExistsError(task.id) from failed
        except TransactionRefusedError as refused:
            raise (TaskExistsError if refused.failed(0) else TaskNameTakenError)(task.id) from refused

    def replace(self, task: Task) -> Task:
        """One conditional write."""
        after = dataclasses.replace(task, revision=task.revision + 1)
        try:
            self._tasks.put(task_item(after), equals("revision", task.revision))
        except ConditionFailedError as failed:
            raise WriteConflictError from failed
        return after

    def delete(self, task_id: str) -> None:
        """One read and one write, or a transaction for a task with a name."""
        task = self.find(task_id)
        if task is None:
            return
        if task.name is None:
            self._tasks.delete(task_key(task_id))
            return
        # Only while the task exists is the name certain to be its own.
        with suppress(TransactionRefusedError):
            self._tasks.transact([Delete(task_key(task_id), exists()), Delete(name_key(task.name))])

    def is_anything_due(self, now_ms: int) -> bool:
        """One query for one key: ready tasks stand directly before those that wait for a time."""
        sort_key = Range(at_least=FIRST_READY, at_most=timed_until(now_ms))
        return any(self._tasks.query(Query(DUE, sort_key, DUE_INDEX, limit=1)))

    def due_ids(self, now_ms: int, limit: int) -> list[str]:
        """One query of keys, in pages."""
        sort_key = Range(at_least=FIRST_TIMED, at_most=timed_until(now_ms))
        return list(self._ids(Query(DUE, sort_key, DUE_INDEX, limit=limit)))

    def ready_ids(self, task_type: str, limit: int) -> list[str]:
        """One query of keys, in pages."""
        return list(self._ids(Query(DUE, Prefix(ready_prefix(task_type)), DUE_INDEX, limit=limit)))

    def unknown_ids(self, task_type: str) -> Iterator[str]:
        """One query of keys, in pages."""
        return self._ids(Query(UNKNOWN, Prefix(unknown_prefix(task_type)), DUE_INDEX))

    def _listed_ids(self, task_filter: TaskFilter, limit: int) -> Iterator[str]:
        wanted = {"type": task_filter.type, "state": task_filter.state}
        conditions = [equals(name, value) for name, value in wanted.items() if value is not None]
        where = all_of(*conditions) if conditions else None
        return self._ids(Query(CREATED, index=CREATED_INDEX, where=where, newest_first=True, limit=limit))

    def _ids(self, query: Query) -> Iterator[str]:
        return map(task_id_of, self._tasks.query(query))

    def _named(self, name: str) -> Task | None:
        item = self._tasks.get(name_key(name))
        return None if item is None else self.find(item["task_id"])


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
_TEXTS = ("type", "name", "state")
_FLAGS = ("is_started", "is_data_put")


def task_item(task: Task) -> Item:
    """The item of a task: attributes without a value are absent, `data` and `errors` are JSON texts."""
    item = {**task_key(task.id), **created_attributes(task), **due_attributes(task)}
    item |= {name: value for name in (*_NUMBERS, *_TEXTS) if (value := getattr(task, name)) is not None}
    item["place"] = task.schedule_state
    item |= {name: True for name in _FLAGS if getattr(task, name)}
    if task.data:
        item["data"] = encode(dict(task.data)).decode()
    if task.errors:
        item["errors"] = encode([dict(error) for error in task.errors]).decode()
    return item


def task_from_item(item: Item) -> Task:
    """The task of an item."""
    numbers: dict[str, Any] = {name: item[name] for name in _NUMBERS if name in item}
    return Task(
        id=task_id_of(item),
        type=item["type"],
        name=item.get("name"),
        state=State(item["state"]),
        schedule_state=ScheduleState(item["place"]),
        data=decode(item["data"].encode()) if "data" in item else {},
        errors=tuple(decode(item["errors"].encode())) if "errors" in item else (),
        is_started="is_started" in item,
        is_data_put="is_data_put" in item,
        **numbers,
    )
