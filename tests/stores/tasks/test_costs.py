"""The calls and read units of the task runner on DynamoDB. See docs/access-patterns-tasks.md."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.table import Put
from chalicelib.services import Services, build_services
from chalicelib.tasks.dispatch import TickSummary, tick
from chalicelib.tasks.ports import TaskFilter
from chalicelib.tasks.stores.queue import QueuedTaskMessages
from chalicelib.tasks.stores.tasks import task_item
from chalicelib.tasks.task import ScheduleState, Task
from chalicelib.tasks.types import TaskRun, TaskType, registry
from chalicelib.tasks.worker import RunResult, carry_out
from tests.engine.sent import hooked
from tests.fakes.engine import memory_engine
from tests.fakes.tasks import take_runs

NOW_MS = 1_767_225_600_000
READ_UNIT_BYTES = 4096
MANY = 10_000


def _nothing(_run: TaskRun, _services: object) -> None:
    pass


TYPES = registry([TaskType("one", _nothing, typical_s=60, max_concurrency=2), TaskType("two", _nothing, typical_s=60)])


@dataclass
class Meter:
    """Calls by name, and the read units of the queries: half a unit for each 4 KB that a page reads, never nothing."""

    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0

    def __call__(self, operation: str, response: Mapping[str, Any]) -> None:
        self.calls[operation] += 1
        if operation == "Query":
            assert response["ScannedCount"] == response["Count"], "a filter hides what is read"
            read_bytes = sum(_size_bytes(item) for item in response["Items"])
            self.read_units += max(math.ceil(read_bytes / READ_UNIT_BYTES), 1) / 2

    def reset(self) -> None:
        """Count from here."""
        self.calls.clear()
        self.read_units = 0


def _size_bytes(item: dict[str, dict[str, str]]) -> int:
    return sum(len(name) + len(text) for name, value in item.items() for text in value.values())


@pytest.fixture
def queue() -> EmbeddedEngine:
    """An engine in memory, for the messages to the workers: what counts here are the calls to DynamoDB."""
    return memory_engine()


@pytest.fixture
def runner(stage: Settings, queue: EmbeddedEngine) -> Services:
    """Services with tasks and slots on DynamoDB."""
    services = build_services(stage, aws_engine(stage))
    tasks = replace(services.tasks, queue=QueuedTaskMessages(queue.task_queue), now_ms=lambda: NOW_MS)
    return replace(services, tasks=tasks, now_ms=lambda: NOW_MS)


@pytest.fixture
def meter(runner: Services, stage: Settings) -> Iterator[Meter]:
    """The calls of the process to DynamoDB."""
    meter = Meter()
    with hooked(lambda *_: None, meter):
        yield meter


def put_many(settings: Settings, tasks: list[Task]) -> None:
    """Stores tasks, many at a time."""
    aws_engine(settings).tasks.batch_write([Put(task_item(task)) for task in tasks])


def not_due(now_ms: int, count: int) -> list[Task]:
    """Ended tasks, and pending tasks of all kinds that are not due."""
    kinds: list[dict[str, Any]] = [
        {"schedule_state": ScheduleState.LATER, "available_time_ms": now_ms + 1},
        {"schedule_state": ScheduleState.LATER, "available_time_ms": now_ms + 10**9, "data": {"text": "x" * 500}},
        {"schedule_state": ScheduleState.UNKNOWN, "type": "unknown"},
        {"schedule_state": ScheduleState.UNSCHEDULED, "expiration_time_ms": now_ms - 1},
    ]
    return [
        Task(id=f"{number:032x}", created_time_ms=now_ms, **{"type": "one"} | kinds[number % len(kinds)])
        for number in range(count)
    ]


@pytest.mark.parametrize("pending", [0, MANY])
def test_a_tick_without_due_tasks_is_one_query_of_half_a_unit(
    runner: Services, meter: Meter, stage: Settings, pending: int
) -> None:
    put_many(stage, not_due(runner.now_ms(), pending))
    meter.reset()
    assert tick(TYPES, runner.tasks) == TickSummary()
    assert meter.calls == {"Query": 1}
    assert meter.read_units == 0.5


def test_a_tick_and_a_run_cost_the_same_however_many_tasks_are_not_due(
    runner: Services, queue: EmbeddedEngine, meter: Meter, stage: Settings
) -> None:
    costs = []
    for pending in (0, MANY):
        put_many(stage, not_due(runner.now_ms(), pending))
        due = Task("due", "one", runner.now_ms(), schedule_state=ScheduleState.LATER, available_time_ms=runner.now_ms())
        runner.tasks.tasks.add(due)
        meter.reset()
        assert tick(TYPES, runner.tasks) == TickSummary(started=1)
        [message] = take_runs(queue)
        assert carry_out(message, TYPES, runner, runner.tasks).result is RunResult.COMPLETED
        costs.append((dict(meter.calls), meter.read_units))
        runner.tasks.tasks.delete("due")
    assert costs[0] == costs[1]
    # Of a tick: what is due at all, what by time, the line of each type, the task, its slot, the claim.
    # Of a run: the task, its start, the task, its end, the slot, the line of its type.
    assert costs[0] == ({"Query": 5, "BatchGetItem": 1, "PutItem": 4, "GetItem": 2, "DeleteItem": 1}, 2.5)


def test_the_cost_of_a_backlog_does_not_grow_with_its_length(
    runner: Services, queue: EmbeddedEngine, meter: Meter, stage: Settings
) -> None:
    backlog = [
        Task(
            id=f"{number:032x}",
            type="one",
            created_time_ms=runner.now_ms(),
            schedule_state=ScheduleState.READY,
            priority=number % 7,
        )
        for number in range(1000)
    ]
    put_many(stage, backlog)
    meter.reset()
    assert tick(TYPES, runner.tasks) == TickSummary(started=2)
    assert meter.read_units <= 4 * 0.5
    messages = take_runs(queue)
    assert [int(message.task_id, 16) % 7 for message in messages] == [6, 6]
    meter.reset()
    carry_out(messages.pop(), TYPES, runner, runner.tasks)
    assert meter.calls["Query"] == 1
    assert meter.read_units == 0.5


def test_a_page_of_a_list_reads_no_more_than_the_page(runner: Services, meter: Meter, stage: Settings) -> None:
    put_many(stage, not_due(runner.now_ms(), 1000))
    meter.reset()
    assert len(runner.tasks.tasks.listed(TaskFilter(), 0, 10)) == 10
    assert meter.calls == {"Query": 1, "BatchGetItem": 1}
    assert meter.read_units == 0.5
