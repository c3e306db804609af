"""The stores of tasks, on each engine."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.aws import sqs
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.errors import TaskExistsError, TaskNameTakenError
from chalicelib.tasks.ports import RunMessage, TaskFilter, TaskSlots, TaskStore
from chalicelib.tasks.stores import queue as tasks_queue
from chalicelib.tasks.stores.queue import QueuedTaskMessages
from chalicelib.tasks.stores.slots import StoredTaskSlots
from chalicelib.tasks.stores.tasks import StoredTasks
from chalicelib.tasks.task import ScheduleState, State, Task, claimed

NOW = 1_767_225_600_000
ALL = TaskFilter()


@pytest.fixture
def store(engine: Engine) -> TaskStore:
    """An empty store."""
    return StoredTasks(engine.tasks)


@pytest.fixture
def slots(engine: Engine) -> TaskSlots:
    """Slots that nobody holds."""
    return StoredTaskSlots(engine.tasks)


def task(number: int, **fields: Any) -> Task:
    """A pending task, ready by default."""
    values: dict[str, Any] = {
        "type": "one",
        "created_time_ms": NOW + number,
        "schedule_state": ScheduleState.READY,
    } | fields
    return Task(id=f"{number:032x}", **values)


def add(store: TaskStore, *tasks: Task) -> list[str]:
    """Add tasks; return their ids."""
    for task in tasks:
        store.add(task)
    return [task.id for task in tasks]


@pytest.mark.parametrize(
    "kept",
    [
        task(1),
        task(1, name="a name", priority=2**63 - 1),
        task(1, priority=-(2**63)),
        task(1, data={"a": [1, 2.5, None, {"ä": "€"}], "big": 2**53}, errors=({"detail": "one"}, {"detail": "two"})),
        task(1, type="t" * 3000, name="n" * 5000, schedule_state=ScheduleState.UNKNOWN),
        task(
            1,
            state=State.RUNNING,
            schedule_state=ScheduleState.RUNNING,
            available_time_ms=NOW + 1,
            deadline_time_ms=NOW + 2,
            expiration_time_ms=253_402_300_799_999,
            run_time_ms=NOW + 3,
            duration_ms=0,
            modified_time_ms=NOW + 4,
            is_started=True,
            is_data_put=True,
        ),
        task(1, state=State.COMPLETED, schedule_state=ScheduleState.UNSCHEDULED, available_time_ms=-62_135_596_800_000),
    ],
)
def test_a_task_comes_back_as_it_was_kept(store: TaskStore, kept: Task) -> None:
    store.add(kept)
    assert store.find(kept.id) == kept
    assert store.find_many([kept.id]) == [kept]
    assert store.listed(ALL, 0, 10) == [kept]


@pytest.mark.parametrize("task_id", ["unknown", "x" * 5000, "ü" * 2000])
def test_no_task_is_found_under_an_unknown_id(store: TaskStore, task_id: str) -> None:
    assert store.find(task_id) is None
    store.delete(task_id)


def test_many_tasks_are_returned_in_the_order_of_the_ids(store: TaskStore) -> None:
    ids = add(store, *(task(number) for number in range(150)))
    asked = [*reversed(ids), "unknown"]
    assert [task.id for task in store.find_many(asked)] == list(reversed(ids))


def test_a_name_is_taken_until_its_task_is_deleted(store: TaskStore) -> None:
    store.add(task(1, name="name"))
    with pytest.raises(TaskNameTakenError):
        store.add(task(2, name="name"))
    assert store.find(task(2).id) is None
    store.delete(task(1).id)
    store.add(task(2, name="name"))
    store.delete(task(1).id)
    with pytest.raises(TaskNameTakenError):
        store.add(task(3, name="name"))


@pytest.mark.parametrize("name", [None, "a name"])
def test_an_id_belongs_to_one_task(store: TaskStore, name: str | None) -> None:
    store.add(task(1, name=name))
    for other in (task(1, name=name, priority=5), task(1, name="another")):
        with pytest.raises(TaskExistsError):
            store.add(other)
    assert store.find_many([task(1).id]) == [task(1, name=name)]
    store.add(task(2, name="another"))


def test_a_task_is_replaced_only_as_it_was_read(store: TaskStore) -> None:
    store.add(task(1))
    first, second = (store.find_many([task(1).id]) * 2)[:2]
    after = store.replace(replace(first, priority=1))
    assert after == replace(first, priority=1, revision=first.revision + 1)
    with pytest.raises(WriteConflictError):
        store.replace(replace(second, priority=2))
    assert store.find(first.id) == after
    store.delete(first.id)
    with pytest.raises(WriteConflictError):
        store.replace(after)
    assert store.find(first.id) is None


def test_lists_are_newest_first_in_pages(store: TaskStore) -> None:
    ids = add(store, *(task(number) for number in (2, 0, 1, 4, 3)))
    newest_first = sorted(ids, reverse=True)
    assert [task.id for task in store.listed(ALL, 0, 2)] == newest_first[:2]
    assert [task.id for task in store.listed(ALL, 2, 2)] == newest_first[2:4]
    assert [task.id for task in store.listed(ALL, 4, 2)] == newest_first[4:]
    assert store.listed(ALL, 5, 2) == []


@pytest.mark.parametrize(
    ("task_filter", "numbers"),
    [
        (TaskFilter(type="one"), [3, 1]),
        (TaskFilter(state=State.FAILED), [3, 2]),
        (TaskFilter(type="two", state=State.FAILED), [2]),
        (TaskFilter(name="name"), [3]),
        (TaskFilter(name="name", type="two"), []),
        (TaskFilter(name="nobody"), []),
        (TaskFilter(type="nothing"), []),
    ],
)
def test_filters_are_exact_and_combined(store: TaskStore, task_filter: TaskFilter, numbers: list[int]) -> None:
    failed: dict[str, Any] = {"state": State.FAILED, "schedule_state": ScheduleState.UNSCHEDULED}
    add(store, task(1), task(2, type="two", **failed), task(3, name="name", **failed))
    assert [int(task.id, 16) for task in store.listed(task_filter, 0, 10)] == numbers
    assert [int(task.id, 16) for task in store.listed(task_filter, 1, 10)] == numbers[1:]


def test_the_line_of_a_type_is_by_priority_then_by_waiting(store: TaskStore) -> None:
    add(
        store,
        task(1, priority=-1),
        task(2),
        task(3, priority=2**40),
        task(4, available_time_ms=NOW - 9),
        task(5, priority=1),
        task(6, type="two", priority=99),
        task(7, schedule_state=ScheduleState.LATER, priority=99, available_time_ms=NOW),
    )
    assert [int(task_id, 16) for task_id in store.ready_ids("one", 10)] == [3, 5, 4, 2, 1]
    assert [int(task_id, 16) for task_id in store.ready_ids("one", 2)] == [3, 5]
    assert store.ready_ids("on", 10) == []


def test_due_tasks_are_sorted_by_the_time_of_their_next_action(store: TaskStore) -> None:
    running: dict[str, Any] = {"state": State.RUNNING, "schedule_state": ScheduleState.RUNNING}
    add(
        store,
        task(1, schedule_state=ScheduleState.LATER, available_time_ms=NOW),
        task(2, schedule_state=ScheduleState.LATER, available_time_ms=NOW + 1),
        task(3, deadline_time_ms=NOW - 5, available_time_ms=NOW + 99, **running),
        task(4, deadline_time_ms=NOW + 5, **running),
        task(5),
        task(6, schedule_state=ScheduleState.UNSCHEDULED, available_time_ms=NOW - 9),
        task(7, schedule_state=ScheduleState.UNKNOWN, available_time_ms=NOW - 9),
    )
    assert [int(task_id, 16) for task_id in store.due_ids(NOW, 10)] == [3, 1]
    assert [int(task_id, 16) for task_id in store.due_ids(NOW, 1)] == [3]
    assert [int(task_id, 16) for task_id in store.due_ids(NOW + 10, 10)] == [3, 1, 2, 4]


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({"schedule_state": ScheduleState.READY}, True),
        ({"schedule_state": ScheduleState.LATER, "available_time_ms": NOW}, True),
        ({"schedule_state": ScheduleState.LATER, "available_time_ms": NOW + 1}, False),
        ({"schedule_state": ScheduleState.RUNNING, "deadline_time_ms": NOW}, True),
        ({"schedule_state": ScheduleState.RUNNING, "deadline_time_ms": NOW + 1}, False),
        ({"schedule_state": ScheduleState.UNKNOWN}, False),
        ({"schedule_state": ScheduleState.UNSCHEDULED}, False),
    ],
)
def test_a_store_knows_whether_any_task_is_due(store: TaskStore, fields: dict[str, Any], due: bool) -> None:
    assert not store.is_anything_due(NOW)
    store.add(task(1, **fields))
    assert store.is_anything_due(NOW) is due


def test_a_stored_task_changes_its_schedule_state(store: TaskStore) -> None:
    store.add(task(1, schedule_state=ScheduleState.LATER, available_time_ms=NOW))
    ready = store.replace(task(1, available_time_ms=NOW))
    assert (store.due_ids(NOW, 9), store.ready_ids("one", 9)) == ([], [ready.id])
    running = store.replace(claimed(ready, NOW, NOW + 5))
    assert (store.due_ids(NOW + 5, 9), store.ready_ids("one", 9)) == ([running.id], [])
    store.replace(
        replace(running, state=State.COMPLETED, schedule_state=ScheduleState.UNSCHEDULED, deadline_time_ms=None)
    )
    assert not store.is_anything_due(NOW + 10**9)


def test_tasks_of_unknown_types_are_found_by_type(store: TaskStore) -> None:
    add(
        store,
        task(1, schedule_state=ScheduleState.UNKNOWN),
        task(2, schedule_state=ScheduleState.UNKNOWN, type="one#more"),
        task(3),
    )
    assert [int(task_id, 16) for task_id in store.unknown_ids("one")] == [1]


def test_a_slot_is_held_until_its_lease_ends(slots: TaskSlots) -> None:
    first = slots.take("one", 2, "a", NOW, NOW + 10)
    second = slots.take("one", 2, "b", NOW, NOW + 20)
    assert first is not None
    assert second is not None
    assert {first.number, second.number} == {0, 1}
    assert (first.holder, first.from_ms, first.until_ms) == ("a", NOW, NOW + 10)
    assert slots.take("one", 2, "c", NOW + 10, NOW + 30) is None
    assert slots.take("two", 1, "c", NOW, NOW + 10) is not None
    over = slots.take("one", 2, "c", NOW + 11, NOW + 30)
    assert over is not None
    assert over.number == first.number
    slots.release("one", first.number, "a")  # it is c's by now
    assert slots.take("one", 2, "d", NOW + 11, NOW + 30) is None
    slots.release("one", over.number, "c")
    slots.release("one", over.number, "c")
    assert slots.take("one", 2, "d", NOW + 11, NOW + 30) is not None


@pytest.fixture
def queue_stage(stage: Settings) -> Iterator[Settings]:
    """A stage with its queue of messages."""
    import boto3

    sqs.forget_clients()
    boto3.client("sqs", region_name=stage.region).create_queue(QueueName=stage.tasks_queue)
    yield stage
    sqs.forget_clients()


def test_a_wake_up_is_a_delayed_message(queue_stage: Settings, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(tasks_queue, "WAKE_AFTER_S", 1)
    QueuedTaskMessages(aws_engine(queue_stage).task_queue).wake("type")
    client, url = sqs.queue(queue_stage.region, queue_stage.tasks_queue)
    assert "Messages" not in client.receive_message(QueueUrl=url)
    [message] = client.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"]) == {"wake": "type"}


def test_a_run_message_is_a_json_object(queue_stage: Settings) -> None:

    message = RunMessage("task", "type", NOW, 3, "holder")
    QueuedTaskMessages(aws_engine(queue_stage).task_queue).send(message)
    client, url = sqs.queue(queue_stage.region, queue_stage.tasks_queue)
    [received] = client.receive_message(QueueUrl=url)["Messages"]
    assert RunMessage(**json.loads(received["Body"])) == message
